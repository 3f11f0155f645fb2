"""The other surfaces through the gateway: priced, refused, recorded, and no byte changed."""

from __future__ import annotations

import io
import json
import wave
from typing import Any

import pytest
from tests.support.application import Application, Reply, application
from tests.support.loopback import Loopback, answering, http, run

from farthing.ledger.entry import Hold, Refusal, Settle, Unresolved
from farthing.providers.load import Bound
from farthing.settings import Settings
from farthing.wire.dialect import Usage
from farthing.wire.surfaces import SURFACES

PATHS = {dialect.name: dialect.path for dialect in SURFACES}
FREE = dict.fromkeys(("files", "batches", "moderations", "message_batches"), "https://docs")
PASS = Settings(unpriced="pass")
SSE = b"content-type: text/event-stream"
KIND = "multipart/form-data; boundary=b"
USAGE = b'{"usage":{"prompt_tokens":6,"completion_tokens":4}}'


def form(**fields: bytes) -> bytes:
    parts = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
        % (name.encode(), b'; filename="f"' if name in ("file", "image") else b"", content)
        for name, content in fields.items()
    )
    return parts + b"--b--\r\n"


def wav(seconds: int = 3) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(16_000)
        written.writeframes(bytes(32_000 * seconds))
    return file.getvalue()


def ask(
    server: Loopback,
    method: str,
    path: str,
    body: Any = None,
    settings: Settings | None = None,
    refusal: Refusal | None = None,
    **headers: str,
) -> tuple[Reply, Application]:
    """Ask a gateway whose one provider has every surface."""

    async def scene() -> tuple[Reply, Application]:
        async with server:
            bound = Bound(image_tokens=1000, made_images={"painter": 300})
            provider = server.provider(dialects=PATHS, free=FREE, bound=bound)
            async with application(provider, settings=settings) as it:
                it.ledger.refusal = refusal
                return await it.ask(method, path, body, **headers), it

    return run(scene())


def ended(it: Application) -> tuple[Hold, Settle]:
    (hold,), (ending,) = it.ledger.holds, it.ledger.endings
    assert isinstance(ending, Settle)
    assert ending.usd <= hold.usd
    return hold, ending


def sent(server: Loopback) -> tuple[bytes, bytes, bytes]:
    """Return the first line, the headers and the body that the provider got."""
    (request,) = server.requests
    head, _, body = request.partition(b"\r\n\r\n")
    line, _, rest = head.partition(b"\r\n")
    return line, rest.lower() + b"\r\n", body


# -- completions ----------------------------------------------------------------------------------


def test_completions_are_capped_held_and_settled() -> None:
    server = answering(http(USAGE))
    reply, it = ask(server, "POST", "/v1/completions", {"model": "m", "prompt": ["x", "y"], "n": 2})
    assert (reply.status, reply.headers["farthing-cost-usd"]) == (200, "0.00001")
    assert reply.headers["farthing-output-cap-tokens"] == "16"
    hold, ending = ended(it)
    assert (hold.dialect, hold.output_cap, hold.tokens - hold.input_tokens) == (
        "completions",
        16,
        16 * 4,
    )
    assert ending.usage == Usage(input=6, output=4)
    assert json.loads(sent(server)[2]) == {
        "model": "m",
        "prompt": ["x", "y"],
        "n": 2,
        "max_tokens": 16,
    }


def test_a_stream_of_completions_is_settled_by_a_usage_the_client_did_not_ask_for() -> None:
    text = b'data: {"choices":[{"text":"x"}]}\n\n'
    last = b'data: {"choices":[],%s\n\ndata: [DONE]\n\n' % USAGE[1:]
    server = answering(http(text + last, 200, SSE))
    body = {"model": "m", "prompt": "x", "stream": True, "max_tokens": 9}
    reply, it = ask(server, "POST", "/v1/completions", body)
    assert b"usage" not in reply.body and b"[DONE]" in reply.body
    assert json.loads(sent(server)[2])["stream_options"] == {"include_usage": True}
    assert ended(it)[1].usage == Usage(input=6, output=4)


# -- rerank ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/rerank", "/v2/rerank"])
def test_reranking_is_held_and_settled_by_searches(path: str) -> None:
    server = answering(http(b'{"results":[],"meta":{"billed_units":{"search_units":2}}}'))
    body = b'{"model":"sorter","query":"q", "documents":["x"]}'
    reply, it = ask(server, "POST", path, body)
    assert reply.headers["farthing-cost-usd"] == "0.000002"
    line, _, passed = sent(server)
    assert line == b"POST /v1/rerank HTTP/1.1" and json.loads(passed) == json.loads(body)
    assert ended(it)[1].usage == Usage(search_units=2)


# -- images ---------------------------------------------------------------------------------------

PAINTED = b'{"data":[{"b64_json":"AA"}],"usage":{"input_tokens":5,"output_tokens":272}}'


def test_images_are_held_at_their_largest_and_settled_by_their_tokens() -> None:
    server = answering(http(PAINTED))
    body = b'{"model":"painter","prompt":"a farthing"}'
    reply, it = ask(server, "POST", "/v1/images/generations", body)
    assert reply.headers["farthing-cost-usd"] == "0.002725"
    assert "farthing-output-cap-tokens" not in reply.headers
    hold, ending = ended(it)
    assert hold.tokens - hold.input_tokens == 300
    assert hold.usd == hold.input_tokens * 1000 + 300 * 10_000
    assert ending.usage == Usage(input=5, output_image=272)
    assert sent(server)[2] == body


def test_a_form_of_an_image_goes_on_byte_for_byte() -> None:
    server = answering(http(PAINTED))
    body = form(model=b"painter", prompt=b"x", image=b"\0\xff\r\n")
    reply, it = ask(server, "POST", "/v1/images/edits", body, content_type=KIND)
    assert reply.status == 200
    _, headers, passed = sent(server)
    assert passed == body and f"content-type: {KIND}\r\n".encode() in headers
    assert ended(it)[0].input_tokens >= 1000


def test_a_model_s_name_is_replaced_in_a_form_alone() -> None:
    server = answering(http(PAINTED))
    body = form(prompt=b"loop/painter", model=b"loop/painter", image=b"loop/painter")
    reply, _ = ask(server, "POST", "/v1/images/edits", body, content_type=KIND)
    assert reply.status == 200
    expected = form(prompt=b"loop/painter", model=b"painter", image=b"loop/painter")
    assert sent(server)[2] == expected


def test_a_stream_of_an_image_is_settled_by_its_last_event() -> None:
    event = b'data: {"b64_json":"%s","usage":{"input_tokens":5,"output_tokens":7}}\n\n'
    server = answering(http(event % (b"A" * 200_000), 200, SSE))
    body = {"model": "painter", "prompt": "x", "stream": True}
    _, it = ask(server, "POST", "/v1/images/generations", body)
    assert ended(it)[1].usage == Usage(input=5, output_image=7)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"model": "m"}, "unbounded"),
        ({"model": "painter", "size": "9999x9999"}, "unbounded"),
        ({"model": "voice"}, "unpriced_model"),
    ],
)
def test_images_without_bound_or_price_are_refused(fields: dict[str, str], code: str) -> None:
    server = answering(http(PAINTED))
    reply, it = ask(server, "POST", "/v1/images/generations", {"prompt": "x", **fields})
    assert (reply.status, reply.headers["farthing-error"]) == (400, code)
    assert not it.ledger.holds and not server.requests


def test_a_model_that_paints_does_not_chat_unpriced() -> None:
    """Its images would cost ten times what its words do."""
    body = {"model": "painter", "prompt": "x"}
    reply, _ = ask(answering(), "POST", "/v1/completions", body)
    assert reply.headers["farthing-error"] == "unpriced_model"


# -- audio ----------------------------------------------------------------------------------------


def test_speech_is_priced_by_its_text_and_passed_on_as_it_comes() -> None:
    server = answering(http(b"\xff\xfb\0sound", 200, b"content-type: audio/mpeg"))
    reply, it = ask(server, "POST", "/v1/audio/speech", {"model": "voice", "input": "pêché"})
    assert reply.headers["content-type"] == "audio/mpeg"
    assert b"\xff\xfb\0sound" in reply.body
    hold, ending = ended(it)
    assert (hold.usd, hold.tokens) == (7000, 0)
    assert (ending.usd, ending.usage) == (5000, Usage(characters=5))


def test_speech_priced_by_tokens_has_no_bound_here() -> None:
    reply, _ = ask(answering(), "POST", "/v1/audio/speech", {"model": "m", "input": "x"})
    assert reply.headers["farthing-error"] == "unpriced_model"
    assert "characters" in reply.json["error"]["message"]


@pytest.mark.parametrize("path", ["transcriptions", "translations"])
def test_sound_is_held_by_its_bytes_and_settled_by_its_seconds(path: str) -> None:
    server = answering(http(b'{"text":"x","usage":{"type":"duration","seconds":3}}'))
    body = form(model=b"ear", file=wav(3))
    reply, it = ask(server, "POST", f"/v1/audio/{path}", body, content_type=KIND)
    assert reply.headers["farthing-cost-usd"] == "0.000003"
    assert sent(server)[2] == body
    assert ended(it)[1].usage == Usage(audio_seconds=3)


def test_sound_whose_seconds_are_not_told_stays_held() -> None:
    server = answering(http(b"farthings", 200, b"content-type: text/plain"))
    body = form(model=b"ear", file=wav(3), response_format=b"text")
    reply, it = ask(server, "POST", "/v1/audio/transcriptions", body, content_type=KIND)
    assert reply.body == b"farthings" and "farthing-cost-usd" not in reply.headers
    (ending,) = it.ledger.endings
    assert isinstance(ending, Unresolved) and ending.reason == "usage_missing"


def test_sound_of_unknown_length_is_refused() -> None:
    body = form(model=b"ear", file=b"ID3 some compressed sound")
    reply, _ = ask(answering(), "POST", "/v1/audio/transcriptions", body, content_type=KIND)
    assert reply.headers["farthing-error"] == "unbounded"
    assert "WAV" in reply.json["error"]["message"]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (KIND, form(model=b"ear", file=wav()) + b"more"),
        (KIND, form(model=b"ear", file=wav()).replace(b"\r\n", b"\n")),
        (KIND, b"--b--" + form(model=b"ear")),
        (KIND + "x", form(model=b"ear", file=wav())),
        ("multipart/form-data", form(model=b"ear", file=wav())),
    ],
)
def test_a_form_that_two_could_read_differently_is_refused(kind: str, body: bytes) -> None:
    server = answering()
    reply, it = ask(server, "POST", "/v1/audio/transcriptions", body, content_type=kind)
    assert (reply.status, reply.headers["farthing-error"]) == (400, "invalid_form")
    assert not it.ledger.holds and not server.requests


def test_json_is_sent_as_json_whatever_it_was_called() -> None:
    """Read as a form, the same bytes could name another model."""
    server = answering(http(PAINTED))
    body = b'{"model":"painter","prompt":"&model=dear&"}'
    ask(server, "POST", "/v1/images/edits", body, content_type="application/x-www-form-urlencoded")
    assert b"content-type: application/json\r\n" in sent(server)[1]


# -- moderations, files, batches ------------------------------------------------------------------


def test_moderations_are_free_where_the_provider_says_so() -> None:
    server = answering(http(b'{"results":[]}'))
    body = {"input": [{"type": "image_url", "image_url": {"url": "https://x"}}]}
    reply, it = ask(server, "POST", "/v1/moderations", body, farthing_max_cost_usd="0")
    assert (reply.headers["farthing-cost-usd"], reply.headers["farthing-model"]) == ("0", "loop")
    hold, ending = ended(it)
    assert (hold.usd, hold.tokens, ending.usage) == (0, 0, Usage())


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/files?limit=2&after=x", None),
        ("POST", "/v1/files", form(purpose=b"batch", file=b"\0{}")),
        ("GET", "/v1/files/file-x", None),
        ("DELETE", "/v1/files/file-x", None),
        ("GET", "/v1/batches/b_1", None),
        ("POST", "/v1/batches/b_1/cancel", None),
    ],
)
def test_what_is_kept_is_free_and_recorded(method: str, path: str, body: bytes | None) -> None:
    server = answering(http(b'{"id":"x"}', 200, b"content-type: application/json"))
    headers: dict[str, Any] = {"content_type": KIND} if body else {}
    reply, it = ask(server, method, path, body, **headers)
    assert (reply.status, reply.json, reply.headers["farthing-cost-usd"]) == (200, {"id": "x"}, "0")
    line, lines, passed = sent(server)
    assert line == f"{method} {path} HTTP/1.1".encode()
    assert passed == (body or b"")
    assert (f"content-type: {KIND}\r\n".encode() in lines) == bool(body)
    hold, ending = ended(it)
    assert (hold.usd, hold.unpriced, ending.usd) == (0, False, 0)


def test_a_file_is_passed_on_as_it_comes() -> None:
    server = answering(http(b"\0\1\2", 200, b"content-type: application/octet-stream"))
    reply, it = ask(server, "GET", "/v1/files/file-x/content")
    assert b"\0\1\2" in reply.body
    assert ended(it)[1].usd == 0


def test_the_version_a_dialect_demands_goes_with_its_batches() -> None:
    server = answering(http(b"{}"))
    _, it = ask(server, "GET", "/v1/messages/batches", anthropic_version="2023-06-01")
    assert sent(server)[1].count(b"anthropic-version: 2023-06-01\r\n") == 1
    assert ended(it)[0].dialect == "message_batches"


def test_files_that_nobody_called_free_are_refused_with_what_to_write() -> None:
    server = answering()
    reply, _ = ask(server, "GET", "/v1/files", anthropic_version="2023-06-01")
    assert reply.headers["farthing-error"] == "unbounded"
    assert "[providers.loop], free = { message_files" in reply.json["error"]["message"]
    assert not server.requests


@pytest.mark.parametrize("path", ["/v1/batches", "/v1/messages/batches"])
def test_a_batch_is_billed_later_and_so_refused(path: str) -> None:
    server = answering()
    reply, it = ask(server, "POST", path, {"input_file_id": "x"})
    assert (reply.status, reply.headers["farthing-error"]) == (400, "unbounded")
    assert not it.ledger.holds and not server.requests


def test_another_method_is_told_which_there_are() -> None:
    reply, _ = ask(answering(), "PUT", "/v1/files/file-x")
    assert (reply.status, reply.headers["allow"]) == (405, "GET, DELETE")


def test_nobody_reads_files_without_a_key() -> None:
    server = answering()
    reply, _ = ask(server, "GET", "/v1/files", key="")
    assert (reply.status, server.requests) == (401, [])


@pytest.mark.parametrize(
    ("named", "code", "words"),
    [
        ("", "ambiguous_provider", "one of: one, two"),
        ("nobody", "unknown_provider", "'nobody'"),
        ("three", "unsupported_crossing", "three has no files"),
    ],
)
def test_of_several_providers_one_is_named(named: str, code: str, words: str) -> None:
    async def scene() -> None:
        server = answering(http(b"{}"))
        async with server:
            both = [server.provider(name=n, dialects=PATHS, free=FREE) for n in ("one", "two")]
            async with application(*both, server.provider(name="three")) as it:
                headers = {"farthing_provider": named} if named else {}
                reply = await it.ask("GET", "/v1/files", **headers)
                assert reply.headers["farthing-error"] == code
                assert words in reply.json["error"]["message"]
                reply = await it.ask("GET", "/v1/files", farthing_provider="two")
                assert reply.headers["farthing-model"] == "two"

    run(scene())


# -- what has no price ----------------------------------------------------------------------------


def test_it_passes_where_that_is_set_and_never_looks_like_nothing() -> None:
    server = answering(http(b'{"id":"batch_1","usage":{"prompt_tokens":1}}'))
    reply, it = ask(server, "POST", "/v1/batches", {"input_file_id": "x"}, PASS)
    assert (reply.status, reply.headers["farthing-unpriced"]) == (200, "unbounded")
    assert "farthing-cost-usd" not in reply.headers
    (hold,), (ending,) = it.ledger.holds, it.ledger.endings
    assert (hold.unpriced, hold.usd) == (True, 0)
    assert isinstance(ending, Unresolved) and ending.reason == "unpriced"


def test_an_unknown_model_passes_so_too_and_uncapped() -> None:
    server = answering(http(USAGE))
    body = b'{"model":"loop/secret","prompt":"x"}'
    reply, it = ask(server, "POST", "/v1/completions", body, PASS)
    assert reply.headers["farthing-unpriced"] == "unpriced_model"
    assert json.loads(sent(server)[2]) == {"model": "secret", "prompt": "x"}
    assert [type(ending) for ending in it.ledger.endings] == [Unresolved]


def test_a_price_cap_refuses_it_all_the_same() -> None:
    server = answering()
    reply, _ = ask(server, "POST", "/v1/batches", {}, PASS, farthing_max_cost_usd="5")
    assert (reply.headers["farthing-error"], server.requests) == ("unbounded", [])


def test_a_limit_refuses_it_all_the_same() -> None:
    server = answering()
    refusal = Refusal("unpriced_under_limit", "key:x", "usd", 5)
    reply, _ = ask(server, "POST", "/v1/batches", {}, PASS, refusal)
    assert (reply.status, reply.headers["farthing-error"]) == (402, "unpriced_under_limit")
    assert not server.requests


def test_an_error_of_the_provider_s_is_not_billed_and_so_not_unknown() -> None:
    server = answering(http(b"{}", 400))
    _, it = ask(server, "POST", "/v1/batches", {}, PASS)
    (ending,) = it.ledger.endings
    assert isinstance(ending, Settle) and ending.usd == 0


def test_a_cap_that_fits_is_refused_for_other_reasons_even_where_the_unpriced_pass() -> None:
    body = {"model": "m", "prompt": "x" * 100}
    reply, _ = ask(answering(), "POST", "/v1/completions", body, PASS, farthing_max_cost_usd="0")
    assert reply.headers["farthing-error"] == "max_cost"
