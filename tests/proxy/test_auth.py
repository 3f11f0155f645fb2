"""Keys on their way: where a client's is found, and that no secret ever comes to light."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.gateway import Answer, RunningGateway, contents
from tests.support.provider import FakeProvider

from farthing.proxy.auth import credential
from farthing.proxy.request import Request


def asked(**headers: str) -> Request:
    request = Request()
    request.headers = {
        k.replace("_", "-").encode(): v.encode("latin-1") for k, v in headers.items()
    }
    return request


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        (asked(), ""),
        (asked(authorization="Bearer fk_1_a"), "fk_1_a"),
        (asked(authorization="bEARER   fk_1_a  "), "fk_1_a"),
        (asked(x_api_key=" fk_1_a "), "fk_1_a"),
        (asked(authorization="Bearer fk_1_a", x_api_key="fk_2_b"), "fk_1_a"),
        (asked(authorization="Basic Zm9v", x_api_key="fk_2_b"), "fk_2_b"),
        (asked(authorization="Basic fk_1_a"), ""),
        (asked(authorization="fk_1_a"), ""),
        (asked(authorization="Bearer"), ""),
        (asked(authorization="Bearer fk_1_\xe9"), "fk_1_\xe9"),
    ],
)
def test_where_a_key_is_found(request_: Request, found: str) -> None:
    assert credential(request_) == found


# -- secrets --------------------------------------------------------------------------------------

CANARY = "sk-canary-of-the-provider"
PATHS = ["/v1/chat/completions", "/v1/messages"]
# Whatever fails on the way has its own words for it: none may quote a key.
MODELS = ["echo", "rate-limited", "bad-gateway", "resets", "not-http", "unpriced", "nowhere"]


@pytest.fixture(scope="module", params=["bearer", "x-api-key"])
def keyed(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    shared_provider: FakeProvider,
) -> Iterator[RunningGateway]:
    """A gateway that says all it can, and whose provider wants a key."""
    toml = shared_provider.toml().replace(
        'auth = "none"', f'auth = "{request.param}"\napi_key_env = "CANARY"'
    )
    nobody = socket.socket()
    nobody.bind(("127.0.0.1", 0))  # and does not listen
    toml += (
        f'[providers.dead]\nbase_url = "http://127.0.0.1:{nobody.getsockname()[1]}/v1"\n'
        'api_key_env = "CANARY"\n'
        'dialects = { chat = "/c", messages = "/m" }\nallow_private_address = true\n'
        'models = ["nowhere"]\n'
        '[[prices]]\nprovider = "dead"\nmodel = "nowhere"\ninput = "1"\noutput = "1"\n'
    )
    running = RunningGateway(
        tmp_path_factory.mktemp("keyed"), toml, environ={"CANARY": CANARY, "FARTHING_LOG": "DEBUG"}
    )
    yield running
    running.process.send_signal(signal.SIGINT)
    assert running.process.stdout is not None
    assert CANARY.encode() not in running.process.stdout.read()
    running.stop()
    nobody.close()


def ask(gateway: RunningGateway, path: str, model: str, **headers: str) -> list[Answer]:
    """Ask for a whole answer and for a stream."""
    body = {"model": model, "max_tokens": 9, "messages": []}
    whole = gateway.request("POST", path, body, **headers)
    return [whole, gateway.request("POST", path, {**body, "stream": True}, **headers)]


def texts(answers: list[Answer]) -> str:
    """Everything that clients were told."""
    return "".join(f"{answer.headers} {answer.body!r}" for answer in answers)


def written(gateway: RunningGateway) -> dict[Path, bytes]:
    """Everything that the gateway wrote: its logs, its journal, its records."""
    found = contents(gateway.folder)
    assert gateway.log in found and len(found) > 5
    return found


@pytest.mark.parametrize("path", PATHS)
def test_the_provider_s_key_goes_to_the_provider_only(
    keyed: RunningGateway, shared_provider: FakeProvider, path: str
) -> None:
    key, sent = keyed.key(), len(shared_provider.seen)
    answers = [a for model in MODELS for a in ask(keyed, path, model, x_api_key=key)]
    assert {a.status for a in answers} >= {200, 429, 502, 400}
    assert CANARY not in texts(answers)
    seen = shared_provider.seen[sent:]
    assert len(seen) == 10
    assert all(CANARY in {v.removeprefix("Bearer ") for v in s.headers.values()} for s in seen)
    assert not [file for file, content in written(keyed).items() if CANARY.encode() in content]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("header", ["authorization", "x_api_key"])
def test_a_client_s_key_goes_nowhere(
    keyed: RunningGateway, shared_provider: FakeProvider, path: str, header: str
) -> None:
    key, sent = keyed.key(), len(shared_provider.seen)
    secret = key.split("_")[2]
    value = f"Bearer {key}" if header == "authorization" else key
    answers = [a for model in MODELS for a in ask(keyed, path, model, **{header: value})]
    assert secret not in texts(answers)
    for seen in shared_provider.seen[sent:]:
        assert secret not in f"{seen.path} {seen.headers} {seen.body!r}"
    assert not [file for file, content in written(keyed).items() if secret.encode() in content]


@pytest.mark.parametrize("path", PATHS)
def test_a_key_that_does_not_open_is_not_repeated(keyed: RunningGateway, path: str) -> None:
    """It may be somebody's key of another place, pasted here by mistake."""
    for key in (CANARY, f"fk_0_{CANARY}", keyed.key() + "x"):
        answers = ask(keyed, path, "echo", x_api_key=key)
        assert [answer.status for answer in answers] == [401, 401]
        assert key not in texts(answers)
        assert key.encode() not in b"".join(written(keyed).values())
    assert CANARY not in str(keyed.told)
