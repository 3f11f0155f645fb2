"""OpenAI's own client library on the other surfaces, through the running gateway."""

from __future__ import annotations

import io
import json
import wave
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import openai
import pytest
from tests.support.gateway import RunningGateway

from farthing.ledger.entry import Hold, Settle, Unresolved
from farthing.wire.dialect import Usage
from farthing.wire.surfaces import SURFACES

SOUND = b"\xff\xfb\0sound\r\n"
FILE = {"id": "file-1", "object": "file", "bytes": 2, "created_at": 1, "filename": "f",
        "purpose": "batch", "status": "processed"}  # fmt: skip
BATCH = {"id": "batch_1", "object": "batch", "endpoint": "/v1/embeddings", "status": "completed",
         "input_file_id": "file-1", "completion_window": "24h", "created_at": 1}  # fmt: skip
TOLD: dict[tuple[str, str], Any] = {
    ("POST", "/completions"): {
        "id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "text": "a penny", "finish_reason": "stop", "logprobs": None}],
        "usage": {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6},
    },
    ("POST", "/images/generations"): {
        "created": 1, "data": [{"b64_json": "AA=="}],
        "usage": {"input_tokens": 3, "output_tokens": 272, "total_tokens": 275,
                  "input_tokens_details": {"text_tokens": 3, "image_tokens": 0}},
    },
    ("POST", "/images/edits"): {
        "created": 1, "data": [{"b64_json": "AA=="}],
        "usage": {"input_tokens": 300, "output_tokens": 272, "total_tokens": 572,
                  "input_tokens_details": {"text_tokens": 3, "image_tokens": 297}},
    },
    ("POST", "/audio/speech"): SOUND,
    ("POST", "/audio/transcriptions"): {
        "text": "four farthings", "usage": {"type": "duration", "seconds": 2},
    },
    ("POST", "/moderations"): {"id": "modr-1", "model": "judge", "results": []},
    ("POST", "/files"): FILE,
    ("GET", "/files"): {"object": "list", "data": [FILE], "has_more": False},
    ("GET", "/files/file-1"): FILE,
    ("GET", "/files/file-1/content"): SOUND,
    ("DELETE", "/files/file-1"): {"id": "file-1", "object": "file", "deleted": True},
    ("POST", "/batches"): BATCH,
    ("GET", "/batches/batch_1"): BATCH,
}  # fmt: skip


class Everything:
    """A provider of every surface, on a free loopback port."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bytes, str]] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                path = self.path.removeprefix("/v1")
                kind = self.headers.get("content-type", "")
                owner.asked.append((self.command, path, body, kind))
                told = TOLD[self.command, path.partition("?")[0]]
                sound = isinstance(told, bytes)
                payload = told if sound else json.dumps(told).encode()
                self.send_response(200)
                self.send_header("content-type", "audio/mpeg" if sound else "application/json")
                self.send_header("content-length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            do_GET = do_POST = do_DELETE = answer  # noqa: N815  (http.server's names)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()

    def toml(self) -> str:
        paths = ", ".join(f'{d.name} = "{d.path}"' for d in SURFACES if "message" not in d.name)
        free = ", ".join(f'{name} = "its page"' for name in ("files", "batches", "moderations"))
        prices = {
            "text": 'input = "1"\noutput = "1"',
            "voice": 'input = "0"\noutput = "0"\ncharacters = "15"',
            "ear": 'input = "0"\noutput = "0"\naudio_seconds = "100"',
        }
        rows = "".join(
            f'[[prices]]\nprovider = "every"\nmodel = "{model}"\n{row}\n'
            for model, row in prices.items()
        )
        return (
            'unpriced = "pass"\n'
            f'[providers.every]\nbase_url = "http://127.0.0.1:{self.server.server_port}/v1"\n'
            f'auth = "none"\nallow_private_address = true\nimage_tokens = 1000\n'
            f"dialects = {{ {paths} }}\nfree = {{ {free} }}\n{rows}"
            # As openai/gpt-image-1 would be asked, but here.
            f'[providers.openai]\nbase_url = "http://127.0.0.1:{self.server.server_port}/v1"\n'
            'auth = "none"\nallow_private_address = true\n'
        )


@pytest.fixture(scope="module")
def provider() -> Iterator[Everything]:
    made = Everything()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def gateway(
    tmp_path_factory: pytest.TempPathFactory, provider: Everything
) -> Iterator[RunningGateway]:
    running = RunningGateway(tmp_path_factory.mktemp("surfaces"), provider.toml())
    yield running
    running.stop()


@pytest.fixture
def client(gateway: RunningGateway) -> openai.OpenAI:
    return made(gateway, gateway.key(usd="5"))


def made(gateway: RunningGateway, key: str) -> openai.OpenAI:
    headers = {"farthing-provider": "every"}
    address = f"{gateway.address}/v1"
    return openai.OpenAI(base_url=address, api_key=key, max_retries=0, default_headers=headers)


def ended(gateway: RunningGateway) -> tuple[Hold, Settle]:
    """Return the last query's hold and settlement."""
    entries = gateway.entries()
    hold = next(e for e in reversed(entries) if isinstance(e, Hold))
    settled = next(e for e in reversed(entries) if isinstance(e, Settle))
    assert settled.id == hold.id and settled.usd <= hold.usd
    return hold, settled


def wav(seconds: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(16_000)
        written.writeframes(bytes(32_000 * seconds))
    return file.getvalue()


def test_completions(client: openai.OpenAI, gateway: RunningGateway) -> None:
    answer = client.completions.create(model="text", prompt="four farthings make", max_tokens=9)
    assert answer.choices[0].text == "a penny"
    hold, settled = ended(gateway)
    assert (settled.usd, settled.usage, hold.output_cap) == (6000, Usage(input=4, output=2), 9)


def test_images_at_the_price_of_the_book(client: openai.OpenAI, gateway: RunningGateway) -> None:
    model = "openai/gpt-image-1"
    made = client.images.generate(model=model, prompt="a farthing", quality="low")
    assert made.data is not None and made.data[0].b64_json == "AA=="
    assert ended(gateway)[1].usage == Usage(input=3, output_image=272)
    assert ended(gateway)[1].usd == 3 * 5000 + 272 * 40_000
    changed = client.images.edit(model=model, prompt="rounder", image=("f.png", b"\0\r\n--"))
    assert changed.usage is not None
    assert ended(gateway)[1].usd == 3 * 5000 + 297 * 10_000 + 272 * 40_000


def test_speech(client: openai.OpenAI, gateway: RunningGateway) -> None:
    spoken = client.audio.speech.create(model="voice", voice="alloy", input="pêché")
    assert spoken.read() == SOUND
    assert ended(gateway)[1].usd == 5 * 15_000


def test_transcriptions(
    client: openai.OpenAI, gateway: RunningGateway, provider: Everything
) -> None:
    sound = wav(2)
    heard = client.audio.transcriptions.create(model="every/ear", file=("a.wav", sound))
    assert heard.text == "four farthings"
    assert ended(gateway)[1].usd == 2 * 100_000
    _, _, body, kind = provider.asked[-1]
    assert sound in body and kind.startswith("multipart/form-data; boundary=")
    assert b"\r\n\r\near\r\n" in body and b"every/ear" not in body


def test_moderations_files_and_batches_cost_nothing(
    client: openai.OpenAI, gateway: RunningGateway
) -> None:
    assert client.moderations.create(input="x").model == "judge"
    assert client.files.create(file=("f.jsonl", b"{}"), purpose="batch").id == "file-1"
    assert [file.id for file in client.files.list(limit=2)] == ["file-1"]
    assert client.files.retrieve("file-1").filename == "f"
    assert client.files.content("file-1").read() == SOUND
    assert client.files.delete("file-1").deleted
    assert client.batches.retrieve("batch_1").status == "completed"
    assert {(e.usd, e.usage) for e in gateway.entries()[-14:] if isinstance(e, Settle)} == {
        (0, Usage())
    }


def test_a_batch_is_made_by_a_key_without_limits_and_by_no_other(
    client: openai.OpenAI, gateway: RunningGateway, provider: Everything
) -> None:
    batch: Any = {"completion_window": "24h", "endpoint": "/v1/embeddings", "input_file_id": "f"}
    before = len(provider.asked)
    for limited in (client, made(gateway, gateway.key(tokens=10**9))):
        with pytest.raises(openai.APIStatusError, match="what this query can cost is not known"):
            limited.batches.create(**batch)
    with pytest.raises(openai.BadRequestError, match="billed when it has run"):
        made(gateway, gateway.key(max_cost="5")).batches.create(**batch)
    assert len(provider.asked) == before
    free = gateway.key()
    assert made(gateway, free).batches.create(**batch).id == "batch_1"
    ending = next(e for e in reversed(gateway.entries()) if isinstance(e, Unresolved))
    assert ending.reason == "unpriced"
    record = gateway.record(ending.id, free)
    assert (record["status"], record["cost_usd"]) == ("unresolved", None)
    assert record["reason"] == "unpriced"
