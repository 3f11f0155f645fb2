"""The embedded model's process: on loopback, behind its secret, timed, back when it is killed."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from tests.support.gateway import Answer, RunningGateway

from farthing.local.model import ANSWER_TOKENS, ModelReady, ModelTold, Speed, known_speed, measure
from farthing.local.weights import MODEL, find_weights, installed
from farthing.paths import DataFolder

SECRET = "a-secret-of-this-test"
SPEED = Speed(input_tokens=160, input_us=400_000, output_tokens=32, output_us=1_600_000)

with_model = pytest.mark.skipif(not installed(), reason="the embedded model is not installed")


class Model:
    """The model's process, told as the supervisor tells it."""

    def __init__(self, told: ModelTold, log: Path) -> None:
        self.log = log
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "farthing.local.model"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        assert self.process.stdin is not None and self.process.stdout is not None
        self.stdin, self.stdout = self.process.stdin, self.process.stdout
        self.stdin.write(msgspec.json.encode(told) + b"\n")
        self.stdin.flush()

    @cached_property
    def line(self) -> bytes:
        return self.stdout.readline()

    @property
    def ready(self) -> ModelReady:
        return msgspec.json.decode(self.line, type=ModelReady)

    @property
    def port(self) -> int:
        return int(self.ready.base_url.rpartition(":")[2])

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        lines = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body and json.dumps(body), lines)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def end(self) -> tuple[int, bytes]:
        """Close the lifeline; return the exit status and what else was said."""
        self.stdin.close()
        said = self.stdout.read()
        self.stdout.close()
        return self.process.wait(20), said


def told(port: int, weights: Path | None = None, *, measure: bool = False) -> ModelTold:
    """With one thread: several wait for each other, for ever on a machine that is busy."""
    file = str(weights or find_weights())
    return ModelTold(file, SECRET, port, threads=1, context_tokens=512, parallel=2, measure=measure)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Model]:
    """A model for this module, measured at its start."""
    log = tmp_path_factory.mktemp("model") / "model.log"
    made = Model(told(free_port(), measure=True), log)
    assert made.line, log.read_text()
    yield made
    made.end()


# -- the server -------------------------------------------------------------------------------

ASKED = {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 2}
CHAT = "/v1/chat/completions"
BEARER = f"Bearer {SECRET}"


@with_model
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", CHAT), ("POST", "/v1/messages"), ("GET", "/v1/models"), ("POST", "/completion")],
)
@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}])
def test_nobody_is_served_without_the_secret(
    model: Model, method: str, path: str, headers: dict[str, str]
) -> None:
    assert model.request(method, path, ASKED, **headers).status == 401


@with_model
def test_with_the_secret_it_answers_under_its_name(model: Model) -> None:
    answer = model.request("POST", CHAT, ASKED, authorization=BEARER)
    assert (answer.status, answer.json["usage"]["completion_tokens"]) == (200, 2)
    listed = model.request("GET", "/v1/models", authorization=BEARER).json
    assert [row["id"] for row in listed["data"]] == [MODEL]


@with_model
@pytest.mark.parametrize("address", ["127.0.0.2", "::1"])
def test_it_listens_on_one_loopback_address_alone(model: Model, address: str) -> None:
    """127.0.0.2 is this machine as well: whoever listens on every address answers there."""
    assert model.ready.base_url == f"http://127.0.0.1:{model.port}"
    with pytest.raises(OSError):
        socket.create_connection((address, model.port), timeout=5).close()


@with_model
@pytest.mark.parametrize("origin", ["https://example.com", "http://127.0.0.1:1960", "null"])
@pytest.mark.parametrize("method", ["OPTIONS", "POST", "GET"])
def test_no_page_of_another_origin_may_read_what_it_says(
    model: Model, method: str, origin: str
) -> None:
    path = "/v1/models" if method == "GET" else CHAT
    body = ASKED if method == "POST" else None
    answer = model.request(
        method,
        path,
        body,
        origin=origin,
        authorization=BEARER,
        access_control_request_method="POST",
        access_control_request_headers="authorization",
    )
    assert answer.status == 200
    assert answer.headers.get("access-control-allow-origin") not in ("*", origin)
    assert answer.headers.get("access-control-allow-credentials", "false") == "false"


@with_model
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 404), ("GET", "/slots", 501), ("POST", "/props", 501)],
)
def test_what_it_does_besides_answering_is_off(
    model: Model, method: str, path: str, status: int
) -> None:
    assert model.request(method, path, {}, authorization=BEARER).status == status


@with_model
def test_its_context_is_shared_by_as_many_queries_as_it_was_told(model: Model) -> None:
    props = model.request("GET", "/props", authorization=BEARER).json
    assert props["total_slots"] == 2
    assert props["default_generation_settings"]["n_ctx"] == 512


# -- its speed --------------------------------------------------------------------------------


@with_model
def test_it_says_how_fast_it_is_when_it_is_asked(model: Model) -> None:
    speed = model.ready.speed
    assert speed is not None
    assert 130 < speed.input_tokens < 200
    assert speed.output_tokens == ANSWER_TOKENS
    assert speed.input_us > 1000 and speed.output_us > 1000


def test_the_median_of_three_rounds_counts_and_no_round_helps_the_next() -> None:
    """A round that some other work slowed down, or that a cache sped up, must not be the price."""
    asked: list[dict[str, Any]] = []
    rounds = iter([(50.0, 900.0), (10.0, 100.0), (20.0, 400.0004)])

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request)
        prompt, predicted = next(rounds)
        return {
            "timings": {
                "prompt_n": 160,
                "prompt_ms": prompt,
                "predicted_n": ANSWER_TOKENS,
                "predicted_ms": predicted,
            }
        }

    speed = measure(SimpleNamespace(handle_chat_completions=answer))
    assert speed == Speed(160, 20_000, ANSWER_TOKENS, 400_000)
    assert len({request["messages"][0]["content"] for request in asked}) == 3
    for request in asked:
        assert request["max_tokens"] == ANSWER_TOKENS
        assert (request["ignore_eos"], request["cache_prompt"]) == (True, False)


def test_a_known_speed_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "speed.json"
    path.write_bytes(msgspec.json.encode(SPEED))
    assert known_speed(path) == SPEED


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"input_tokens": 1}', "\xff"])
def test_what_is_not_a_speed_is_measured_again(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "speed.json"
    if content is not None:
        path.write_bytes(content.encode("latin-1"))
    assert known_speed(path) is None


@pytest.mark.parametrize("field", ["input_tokens", "output_tokens"])
def test_a_speed_for_no_tokens_is_no_speed(tmp_path: Path, field: str) -> None:
    path = tmp_path / "speed.json"
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(SPEED, **{field: 0})))
    assert known_speed(path) is None


# -- its life ---------------------------------------------------------------------------------


@with_model
def test_the_lifeline_alone_ends_it(tmp_path: Path) -> None:
    """A Ctrl-C reaches every process of a terminal, while open queries still need the model."""
    made = Model(told(free_port()), tmp_path / "model.log")
    assert made.ready.speed is None, "nobody asked"
    for number in (signal.SIGINT, signal.SIGTERM):
        made.process.send_signal(number)
    assert made.request("POST", CHAT, ASKED, authorization=BEARER).status == 200
    assert made.end()[0] == 0


LOUD = """
import os
from types import SimpleNamespace

def CommonParams():
    parts = ("model", "cpuparams", "cpuparams_batch")
    return SimpleNamespace(**{name: SimpleNamespace() for name in parts})

class Server:
    listening_address = "http://127.0.0.1:1"

    def __init__(self, params):
        os.write(1, b"loading\\n")
"""


def test_what_the_library_prints_is_log_and_not_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "xllamacpp.py").write_text(LOUD)
    paths = [str(tmp_path), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    made = Model(told(1, tmp_path), tmp_path / "model.log")
    assert made.ready == ModelReady("http://127.0.0.1:1", None)
    assert made.end() == (0, b"")
    assert made.log.read_text() == "loading\n"


@with_model
def test_the_lifeline_ends_it_while_it_is_measured(tmp_path: Path) -> None:
    _, said = Model(told(free_port(), measure=True), tmp_path / "model.log").end()
    assert said == b"", "nobody waits for it any more"


@with_model
@pytest.mark.parametrize("fault", ["weights", "port"])
def test_a_model_that_cannot_serve_ends_without_a_line_and_its_log_says_why(
    tmp_path: Path, fault: str
) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"GGUF and no more")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1] if fault == "port" else free_port()
        weights = tmp_path / "broken.gguf" if fault == "weights" else None
        made = Model(told(port, weights), tmp_path / "model.log")
        assert made.line == b""
        status, _ = made.end()
    assert status == 1
    assert "Failed to init server" in made.log.read_text()


@with_model
def test_a_model_that_is_killed_answers_again(tmp_path: Path) -> None:
    """At the address and with the secret that the worker knows."""
    speed = DataFolder(tmp_path / "data").local_speed
    speed.write_bytes(msgspec.json.encode(SPEED))
    gateway = RunningGateway(
        tmp_path, "[local]\nenabled = true\nthreads = 1\ncontext_tokens = 512\n"
    )
    try:
        key = gateway.key()
        assert gateway.chat(key, MODEL, max_tokens=2).status == 200
        os.kill(gateway.pids["model"], signal.SIGKILL)
        answer = gateway.chat_until(key, 200, model=MODEL, max_tokens=2)
        assert answer.json["usage"]["completion_tokens"] == 2
        assert "model ended (killed by SIGKILL)" in gateway.log.read_text()
        assert known_speed(speed) == SPEED, "measured once for a data folder"
    finally:
        gateway.stop()
