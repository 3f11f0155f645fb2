"""Clouds: the addresses, credentials and envelopes they want, from the client's end to theirs."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.proxy.test_crossing import unchunked
from tests.support.application import KEY, Application, Reply, application
from tests.support.google import ACCOUNT, granting, service_account, verified, write
from tests.support.loopback import Loopback, answering, http, run

from farthing import clock
from farthing.ledger.entry import Settle, Unresolved, Void
from farthing.providers import Provider
from farthing.providers.load import load_providers
from farthing.settings import ProviderSettings, Settings
from farthing.wire.converse.frames import write_event
from farthing.wire.converse.sigv4 import Credentials, Sent, sign
from farthing.wire.dialect import Usage
from farthing.wire.framing import WireEvent

JSON = b"content-type: application/json"
MESSAGES = {"max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}
GEMINI = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}
USAGE = Usage(input=5, output=7)

SAID = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-m",
    "content": [{"type": "text", "text": "A penny."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 5, "output_tokens": 7},
}
START = {
    **SAID,
    "content": [],
    "stop_reason": None,
    "usage": {"input_tokens": 5, "output_tokens": 1},
}
TOLD: list[dict[str, Any]] = [
    {"type": "message_start", "message": START},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": "A penny."},
    },
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}},
    {"type": "message_stop"},
]
EVENTS = b"".join(
    b"event: %s\ndata: %s\n\n" % (event["type"].encode(), json.dumps(event).encode())
    for event in TOLD
)
ANSWERED = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "A penny."}]}, "index": 0,
                    "finishReason": "STOP"}],
    "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 7, "totalTokenCount": 12},
    "modelVersion": "gemini-m",
}  # fmt: skip


def framed(event: object) -> bytes:
    data = base64.b64encode(json.dumps(event).encode()).decode()
    return write_event(WireEvent({"bytes": data, "p": "abc"}, "chunk"))


def whole(told: object, status: int = 200) -> bytes:
    return http(json.dumps(told).encode(), status, JSON)


def streamed(body: bytes, kind: bytes = b"text/event-stream") -> bytes:
    return http(body, 200, b"content-type: " + kind)


def taken(server: Loopback, number: int = -1) -> tuple[str, dict[str, str], Any]:
    """Return the path, the headers and the body that a provider was sent."""
    head, _, body = server.requests[number].partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    split = (line.partition(": ") for line in lines)
    return first.split(" ")[1], {name.lower(): value for name, _, value in split}, json.loads(body)


def built_in(name: str, environ: dict[str, str], **fields: Any) -> Provider:
    table = ProviderSettings(prices="loop", allow_private_address=True, **fields)
    return load_providers(Settings(providers={name: table}), environ)[name]


def vertex(server: Loopback, tokens: Loopback, folder: Path) -> Provider:
    file = write(folder, service_account(f"http://127.0.0.1:{tokens.port}/token"))
    address = f"http://127.0.0.1:{server.port}/v1/projects/{{project}}/locations/{{place}}"
    environ = {"GOOGLE_APPLICATION_CREDENTIALS": str(file), "GOOGLE_CLOUD_LOCATION": "global"}
    return built_in("vertex", environ, base_url=address)


def settled(it: Application) -> None:
    (ending,) = it.ledger.endings
    assert isinstance(ending, Settle)
    assert (ending.usage, ending.usd) == (USAGE, 12_000)


HERE = "/v1/projects/project-1/locations/global/publishers"


@pytest.mark.parametrize("stream", [False, True])
def test_google_s_models_on_vertex(tmp_path: Path, stream: bool) -> None:
    async def scene() -> None:
        told = streamed(b"data: " + json.dumps(ANSWERED).encode() + b"\r\n\r\n")
        async with (
            answering(told if stream else whole(ANSWERED)) as server,
            granting() as tokens,
            application(vertex(server, tokens, tmp_path)) as it,
        ):
            verb = "streamGenerateContent" if stream else "generateContent"
            reply = await it.ask("POST", f"/v1beta/models/gemini-m:{verb}", GEMINI)
            assert reply.status == 200, reply.body
            path, headers, body = taken(server)
            suffix = "?alt=sse" if stream else ""
            assert path == f"{HERE}/google/models/gemini-m:{verb}{suffix}"
            assert headers["authorization"] == "Bearer token-1"
            assert "x-goog-api-key" not in headers
            assert body["contents"] == GEMINI["contents"]
            claims = verified(tokens.requests[0].partition(b"\r\n\r\n")[2])
            assert claims["iss"] == ACCOUNT
            assert claims["scope"] == "https://www.googleapis.com/auth/cloud-platform"
            assert abs(claims["iat"] - clock.wall() / clock.SECOND) < 60
            settled(it)

    run(scene())


@pytest.mark.parametrize("stream", [False, True])
def test_anthropic_s_models_on_vertex(tmp_path: Path, stream: bool) -> None:
    async def scene() -> None:
        told = streamed(EVENTS) if stream else whole(SAID)
        async with (
            answering(told) as server,
            granting() as tokens,
            application(vertex(server, tokens, tmp_path)) as it,
        ):
            asked = {"model": "claude-m@20261021", **MESSAGES, "stream": stream}
            reply = await it.ask(
                "POST", "/v1/messages", asked,
                anthropic_version="2026-10-21", anthropic_beta="b-1",
            )  # fmt: skip
            assert reply.status == 200, reply.body
            path, headers, body = taken(server)
            verb = "streamRawPredict" if stream else "rawPredict"
            assert path == f"{HERE}/anthropic/models/claude-m@20261021:{verb}"
            assert headers["authorization"] == "Bearer token-1"
            assert headers["anthropic-beta"] == "b-1"
            assert "anthropic-version" not in headers
            assert body == {
                **MESSAGES, "stream": stream, "anthropic_version": "vertex-2023-10-16"
            }  # fmt: skip
            assert (unchunked(reply.body) if stream else reply.json) == (EVENTS if stream else SAID)
            settled(it)

    run(scene())


def test_a_chat_client_asks_anthropic_s_models_on_vertex(tmp_path: Path) -> None:
    async def scene() -> None:
        async with (
            answering(whole(SAID)) as server,
            granting() as tokens,
            application(vertex(server, tokens, tmp_path)) as it,
        ):
            asked = {"model": "vertex/claude-m", "messages": MESSAGES["messages"]}
            reply = await it.ask("POST", "/v1/chat/completions", {**asked, "temperature": 0.5})
            assert reply.json["choices"][0]["message"]["content"] == "A penny."
            path, _, body = taken(server)
            assert path == f"{HERE}/anthropic/models/claude-m:rawPredict"
            assert body["temperature"] == 0.5, "the envelope's version still has it"
            assert body["max_tokens"] == 16_384
            assert "model" not in body
            settled(it)

    run(scene())


def test_a_model_of_neither_publisher_is_refused(tmp_path: Path) -> None:
    async def scene() -> None:
        async with (
            answering() as server,
            granting() as tokens,
            application(vertex(server, tokens, tmp_path)) as it,
        ):
            reply = await it.ask("POST", "/v1/messages", {"model": "vertex/llama-m", **MESSAGES})
            assert reply.headers["farthing-error"] == "unsupported_crossing"
            assert "It serves gemini-*; claude-*." in reply.json["error"]["message"]
            assert (server.requests, it.ledger.holds) == ([], [])

    run(scene())


def test_without_a_token_nothing_is_sent(tmp_path: Path) -> None:
    async def scene() -> None:
        answer = http(b'{"error":"invalid_grant"}', 400)
        async with (
            answering() as server,
            granting(lambda _: answer) as tokens,
            application(vertex(server, tokens, tmp_path)) as it,
        ):
            reply = await it.ask("POST", "/v1/messages", {"model": "claude-m", **MESSAGES})
            assert (reply.status, reply.headers["farthing-error"]) == (502, "no_token")
            assert "invalid_grant" in reply.json["error"]["message"]
            (ending,) = it.ledger.endings
            assert isinstance(ending, Void) and ending.reason == "no_token"
            assert server.connections == 0

    run(scene())


def test_a_token_that_was_revoked_is_replaced(tmp_path: Path) -> None:
    async def scene() -> None:
        unknown = {"error": {"code": 401, "message": "Who?", "status": "UNAUTHENTICATED"}}
        async with (
            answering(whole(unknown, 401), whole(SAID)) as server,
            granting() as tokens,
            application(vertex(server, tokens, tmp_path)) as it,
        ):
            asked = {"model": "claude-m", **MESSAGES}
            first = await it.ask("POST", "/v1/messages", asked)
            assert first.status == 401, first.body
            assert first.json["error"] == {"type": "authentication_error", "message": "Who?"}
            assert (await it.ask("POST", "/v1/messages", asked)).status == 200
            assert taken(server)[1]["authorization"] == "Bearer token-2"

    run(scene())


# -- Bedrock --------------------------------------------------------------------------------------

FRAMES = b"application/vnd.amazon.eventstream"
CLAUDE = "us.anthropic.claude-m-v1:0"
INVOKED = "/model/us.anthropic.claude-m-v1%3A0/invoke"


def bedrock(server: Loopback, **environ: str) -> Provider:
    told = environ or {"AWS_BEARER_TOKEN_BEDROCK": "bearer-1"}
    return built_in("bedrock", told, base_url=f"http://127.0.0.1:{server.port}")


async def ask_bedrock(it: Application, model: str = CLAUDE, **fields: Any) -> Reply:
    asked = {"model": f"bedrock/{model}", **MESSAGES, **fields}
    version = {"anthropic_version": "2026-10-21", "anthropic_beta": "b-1,b-2"}
    return await it.ask("POST", "/v1/messages", asked, **version)


@pytest.mark.parametrize("stream", [False, True])
def test_anthropic_s_models_on_bedrock_keep_their_dialect(stream: bool) -> None:
    async def scene() -> None:
        told = streamed(b"".join(map(framed, TOLD)), FRAMES) if stream else whole(SAID)
        async with answering(told) as server, application(bedrock(server)) as it:
            reply = await ask_bedrock(it, stream=stream)
            assert reply.status == 200, reply.body
            path, headers, body = taken(server)
            assert path == INVOKED + ("-with-response-stream" if stream else "")
            assert headers["authorization"] == "Bearer bearer-1"
            assert not [name for name in headers if name.startswith("anthropic")]
            assert body == {
                **MESSAGES,
                "anthropic_version": "bedrock-2023-05-31",
                "anthropic_beta": ["b-1", "b-2"],
            }
            if stream:
                assert reply.headers["content-type"] == "text/event-stream"
                assert unchunked(reply.body) == EVENTS
            else:
                assert reply.json == SAID
            assert "farthing-losses" not in reply.headers
            settled(it)

    run(scene())


def test_an_invocation_is_signed_over_its_own_path_and_body() -> None:
    async def scene() -> None:
        async with answering(whole(SAID)) as server:
            keys = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret"}
            provider = bedrock(server, **keys, AWS_REGION="eu-west-1")
            async with application(provider) as it:
                assert (await ask_bedrock(it)).status == 200
                path, headers, _ = taken(server)
                body = server.requests[0].partition(b"\r\n\r\n")[2]
                sent = Sent("POST", path, {"host": headers["host"]}, body=body)
                at = datetime.strptime(headers["x-amz-date"] + "+0000", "%Y%m%dT%H%M%SZ%z")
                again = sign(sent, Credentials("AKID", "secret", ""), "eu-west-1", at)
                lower = {name.lower(): value for name, value in again.items()}
                assert lower["authorization"] == headers["authorization"]

    run(scene())


def test_other_models_on_bedrock_are_conversed_with() -> None:
    async def scene() -> None:
        told = {
            "output": {"message": {"role": "assistant", "content": [{"text": "A penny."}]}},
            "stopReason": "end_turn",
            "usage": {"inputTokens": 5, "outputTokens": 7, "totalTokens": 12},
        }
        async with answering(whole(told)) as server, application(bedrock(server)) as it:
            reply = await ask_bedrock(it, "amazon.nova-m")
            assert reply.json["content"][0]["text"] == "A penny."
            assert taken(server)[0] == "/model/amazon.nova-m/converse"

    run(scene())


def test_what_the_client_s_version_has_no_more_is_refused_where_no_provider_would() -> None:
    async def scene() -> None:
        async with answering() as server, application(bedrock(server)) as it:
            for model in (CLAUDE, "amazon.nova-m"):  # in an envelope, and across
                reply = await ask_bedrock(it, model, temperature=1)
                assert (reply.status, reply.json["error"]["type"]) == (400, "invalid_request_error")
                assert "`temperature`" in reply.json["error"]["message"]
            assert (server.requests, it.ledger.holds) == ([], [])

    run(scene())


def test_a_fault_in_a_stream_from_bedrock_is_told_and_its_cost_stays_held() -> None:
    async def scene() -> None:
        fault = write_event(WireEvent({"message": "Slow down."}, "throttlingException"))
        told = streamed(framed(TOLD[0]) + fault, FRAMES)
        async with answering(told) as server, application(bedrock(server)) as it:
            reply = await ask_bedrock(it, stream=True)
            last = unchunked(reply.body).split(b"\n\n")[-2]
            assert last.startswith(b"event: error\ndata: ")
            error = json.loads(last.partition(b"data: ")[2])["error"]
            assert error == {"type": "rate_limit_error", "message": "Slow down."}
            assert isinstance(it.ledger.endings[0], Unresolved)

    run(scene())


def test_a_stream_from_bedrock_that_is_none_is_cut_off() -> None:
    async def scene() -> None:
        told = streamed(framed(TOLD[0]) + b"\0" * 64, FRAMES)
        async with answering(told) as server, application(bedrock(server)) as it:
            reply = await ask_bedrock(it, stream=True)
            assert b"event: error" in unchunked(reply.body)
            assert isinstance(it.ledger.endings[0], Unresolved)

    run(scene())


def test_an_error_of_bedrock_s_is_told_in_the_client_s_dialect() -> None:
    async def scene() -> None:
        told = whole({"message": "Too many tokens."}, 429)
        async with answering(told) as server, application(bedrock(server)) as it:
            reply = await ask_bedrock(it)
            assert reply.status == 429
            expected = {"type": "rate_limit_error", "message": "Too many tokens."}
            assert reply.json["error"] == expected
            assert isinstance(it.ledger.endings[0], Settle)

    run(scene())


# -- Azure ----------------------------------------------------------------------------------------

CHATTED = {
    "id": "c-1", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop",
                 "message": {"role": "assistant", "content": "A penny."}}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12},
}  # fmt: skip


def azure(server: Loopback) -> Provider:
    environ = {
        "AZURE_OPENAI_API_KEY": "azure-key",
        "AZURE_OPENAI_ENDPOINT": f"http://127.0.0.1:{server.port}/",
        "OPENAI_API_VERSION": "2025-01-01-preview",
    }
    return built_in("azure-deployments", environ)


@pytest.mark.parametrize("what", ["chat/completions", "embeddings"])
def test_a_deployment_is_asked_by_its_path(what: str) -> None:
    async def scene() -> None:
        embedded = {"data": [], "model": "m", "usage": {"prompt_tokens": 5, "total_tokens": 5}}
        told = CHATTED if what.startswith("chat") else embedded
        async with answering(whole(told)) as server, application(azure(server)) as it:
            chat = {"messages": MESSAGES["messages"], "max_tokens": 9}
            asked = chat if what.startswith("chat") else {"input": "x"}
            target = f"/openai/deployments/my-model/{what}?api-version=2023-05-15"
            reply = await it.ask("POST", target, asked)
            assert (reply.status, reply.json) == (200, told)
            path, headers, body = taken(server)
            assert path == (f"/openai/deployments/my-model/{what}?api-version=2025-01-01-preview")
            assert headers["api-key"] == "azure-key"
            assert "authorization" not in headers
            assert body["model"] == "my-model"
            assert isinstance(it.ledger.endings[0], Settle)

    run(scene())


def test_the_path_s_model_is_the_one_that_is_sent() -> None:
    async def scene() -> None:
        async with answering(whole(CHATTED)) as server, application(server.provider()) as it:
            asked = {"model": "the-dearest-model", "messages": MESSAGES["messages"]}
            reply = await it.ask("POST", "/openai/deployments/mini/chat/completions", asked)
            assert reply.headers["farthing-model"] == "loop/mini"
            assert taken(server)[2]["model"] == "mini", "what is priced is what is sent"
            (hold,) = it.ledger.holds
            assert hold.model == "mini"

    run(scene())


@pytest.mark.parametrize(
    "path", ["/openai/v1/chat/completions", "/openai/deployments/m/chat/completions"]
)
def test_azure_s_paths_and_header_carry_the_gateway_s_own_key(path: str) -> None:
    async def scene() -> None:
        async with answering(whole(CHATTED)) as server, application(server.provider()) as it:
            asked = {"model": "m", "messages": MESSAGES["messages"]}
            assert (await it.ask("POST", path, asked, key="", api_key=KEY)).status == 200
            assert "api-key" not in taken(server)[1]
            refused = await it.ask("POST", path, asked, key="", api_key="wrong")
            assert (refused.status, refused.json["error"]["code"]) == (401, "unknown_key")

    run(scene())
