"""A provider that speaks one dialect, and answers as a model with a tool would."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import msgspec

from farthing.wire import DIALECTS
from farthing.wire.canon import (
    Answer,
    Request,
    Response,
    Stop,
    Tally,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from farthing.wire.codecs import CODECS
from farthing.wire.crossing import Crossing
from farthing.wire.dialect import Usage
from farthing.wire.fold import unfold

USAGE = Usage(input=20, output=7)
PATHS = {
    "chat": "/chat/completions",
    "messages": "/messages",
    "responses": "/responses",
    "gemini": "/models/{model}:{verb}",
    "converse": "/model/{model}/{verb}",
}


def respond(request: Request) -> Response:
    """Return what the model answers: a call, what the tool's result means, or a sentence."""
    parts = [part for turn in request.turns for part in turn.parts]
    said: Text | ToolCall
    if any(isinstance(part, ToolResult) for part in parts):
        said, kind = Text(text="It is 21 degrees."), "end"
    elif any(isinstance(tool, Tool) for tool in request.tools):
        said, kind = (
            ToolCall(id="call_1", name="weather", arguments='{"city":"Basel"}'),
            "tool_calls",
        )
    else:
        said, kind = Text(text="Four farthings make a penny."), "end"
    answer = Answer(parts=[said], stop=Stop(kind=kind))  # type: ignore[arg-type]
    tally = Tally(usage=USAGE)
    return Response(
        dialect="none", id="id_1", model="m-1", created=1, answers=[answer], tally=tally
    )


class Speaker:
    """A server on a free loopback port."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self.asked: list[Request] = []
        self.headers: list[dict[str, str]] = []
        speaker = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                speaker.headers.append({n.lower(): v for n, v in self.headers.items()})
                kind, answer = speaker.answer(self.path, body)
                self.send_response(200)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def answer(self, path: str, body: bytes) -> tuple[str, bytes]:
        """Return an answer's content type and bytes."""
        codec, dialect = CODECS[self.dialect], DIALECTS[self.dialect]
        request = codec.read_request(json.loads(body))
        self.asked.append(request)
        verb = dialect.verbs[1]
        stream = path.endswith(verb) if verb else request.stream
        crossing = Crossing("none", self.dialect)
        if not stream:
            told = codec.write_response(respond(request), crossing)
            return "application/json", msgspec.json.encode(told)
        writer, framing = codec.stream_writer(crossing), dialect.framing()
        events = [e for slice_ in unfold(respond(request)) for e in writer.write([slice_])]
        return dialect.stream_type.decode(), b"".join(map(framing.write, events))

    def toml(self) -> str:
        """Return the settings that make it a provider, of a model of its dialect's name."""
        port, name = self._server.server_address[1], self.dialect
        return (
            f'[providers.{name}-speaker]\nbase_url = "http://127.0.0.1:{port}/v1"\nauth = "none"\n'
            f'dialects = {{ {name} = "{PATHS[name]}" }}\nallow_private_address = true\n'
            f'models = ["{name}-model"]\n'
            f'[[prices]]\nprovider = "{name}-speaker"\nmodel = "{name}-model"\n'
            'input = "1"\noutput = "1"\n'
        )

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()
