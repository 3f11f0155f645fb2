"""A provider that speaks one dialect of embeddings, or of counts, and answers the same always."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from farthing.wire.canon import Request as Asked
from farthing.wire.codecs import CODECS as ANSWERS
from farthing.wire.count.envelopes import ENVELOPES
from farthing.wire.crossing import Crossing
from farthing.wire.dialect import Usage
from farthing.wire.embed.canon import Request, Response, Vector
from farthing.wire.embed.codecs import CODECS

VECTOR = [0.5, -0.25]
TOKENS = 20
PATHS = {
    "gemini-batch-embeddings": "/models/{model}:batchEmbedContents",
    "gemini-embeddings": "/models/{model}:embedContent",
    "bedrock-embeddings": "/model/{model}/invoke",
    "gemini-counting": "/models/{model}:countTokens",
    "converse-counting": "/model/{model}/count-tokens",
}
# By its name a provider of this dialect knows a model's form.
MODELS = {"bedrock-embeddings": "titan-embed-text-v2"}


class Embedder:
    """A server on a free loopback port."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self.model = MODELS.get(dialect, f"{dialect}-embed")
        self.asked: list[Request | Asked] = []
        embedder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                answer = json.dumps(embedder.answer(body)).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the count, or a vector for each input, in the encodings that were asked for."""
        if self.dialect in ENVELOPES:
            envelope = ENVELOPES[self.dialect]
            told, _ = envelope.open(body)
            self.asked.append(ANSWERS[envelope.of].read_request(told))
            return envelope.write(TOKENS)
        codec = CODECS[self.dialect]
        request = codec.read_request(body)
        self.asked.append(request)
        vectors = [Vector(values={"float": VECTOR}) for _ in request.inputs]
        response = Response(dialect="none", model=self.model, vectors=vectors)
        response.usage = Usage(input=TOKENS)
        return codec.write_response(response, request, Crossing("none", self.dialect))

    def toml(self) -> str:
        """Return the settings that make it a provider of a model of its own."""
        port, name = self._server.server_address[1], self.dialect
        return (
            f'[providers.{name}-own]\nbase_url = "http://127.0.0.1:{port}/v1"\nauth = "none"\n'
            f'dialects = {{ {name} = "{PATHS.get(name, "/x")}" }}\nallow_private_address = true\n'
            f'models = ["{self.model}"]\n'
            f'[[prices]]\nprovider = "{name}-own"\nmodel = "{self.model}"\n'
            'input = "1"\noutput = "1"\n'
        )

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()
