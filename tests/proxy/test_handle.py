"""The pipeline, over real HTTP with a scripted provider: every way a query can end."""

from __future__ import annotations

import json
import socket
import threading
from typing import Any

import pytest
from tests.support.gateway import Answer, RunningGateway
from tests.support.provider import COMPLETION_TOKENS, EVENTS, PROMPT_TOKENS, FakeProvider

from farthing.ledger.entry import Entry, Hold, Overrun, Settle, Unresolved, Void

PATHS = ["/v1/chat/completions", "/v1/messages"]
COST = f"0.0000{PROMPT_TOKENS + COMPLETION_TOKENS}"


def endings(entries: list[Entry], query: str) -> list[Entry]:
    """What the journal says of how a query ended."""
    kinds = Settle | Void | Unresolved
    return [entry for entry in entries if isinstance(entry, kinds) and entry.id == query]


def message(answer: Answer) -> str:
    """An error's sentence; both dialects keep it in the same place."""
    text = answer.json["error"]["message"]
    assert isinstance(text, str)
    return text


# -- answered ---------------------------------------------------------------------------------


def test_a_whole_answer_is_priced_and_found_again(shared_gateway: RunningGateway) -> None:
    key = shared_gateway.key()
    answer = shared_gateway.chat(key)
    assert answer.status == 200
    assert answer.json["choices"][0]["message"]["content"] == "four farthings make a penny"
    assert answer.headers["farthing-model"] == "fake/echo"
    assert answer.headers["farthing-cost-usd"] == COST
    assert answer.headers["x-request-id"] == "req-1"
    record = shared_gateway.record(answer.query, key)
    assert record["status"] == "settled"
    assert record["cost_usd"] == COST
    assert record["usage"]["input"] == PROMPT_TOKENS
    assert record["usage"]["output"] == COMPLETION_TOKENS
    assert record["answered_model"] == "fake-2026"
    assert record["upstream_id"] == "chatcmpl-1"
    assert record["http_status"] == 200
    assert 0 < record["first_byte_ms"] <= record["total_ms"]


def test_a_whole_answer_of_messages(shared_gateway: RunningGateway) -> None:
    key = shared_gateway.key()
    body = {"model": "fake/echo", "max_tokens": 9, "messages": []}
    answer = shared_gateway.request("POST", "/v1/messages", body, x_api_key=key)
    assert answer.headers["farthing-cost-usd"] == COST
    assert answer.json["usage"]["output_tokens"] == COMPLETION_TOKENS


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("model", ["echo", "in-bytes"])
def test_a_stream_passes_and_its_cost_is_found(
    shared_gateway: RunningGateway, path: str, model: str
) -> None:
    key = shared_gateway.key()
    body = {"model": model, "stream": True, "max_tokens": 9, "messages": []}
    answer = shared_gateway.request("POST", path, body, key)
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/event-stream"
    assert "farthing-cost-usd" not in answer.headers
    assert answer.body.count(b'"w') == EVENTS
    assert b'"usage": {"prompt_tokens"' not in answer.body  # nobody asked for it
    record = shared_gateway.record(answer.query, key)
    assert (record["status"], record["cost_usd"]) == ("settled", COST)


def test_usage_that_was_asked_for_is_passed(shared_gateway: RunningGateway) -> None:
    asked = shared_gateway.chat(
        shared_gateway.key(), stream=True, stream_options={"include_usage": True}
    )
    assert b'"usage": {"prompt_tokens": 20' in asked.body
    assert asked.body.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("model", ["without-length", "early-hints"])
def test_unusual_but_valid_answers(shared_gateway: RunningGateway, model: str) -> None:
    answer = shared_gateway.chat(shared_gateway.key(), model)
    assert (answer.status, answer.headers["farthing-cost-usd"]) == (200, COST)


def test_the_provider_gets_the_clients_bytes(
    shared_gateway: RunningGateway, shared_provider: FakeProvider
) -> None:
    messages = b'[ {"role":"user","content":"a\\u00e9 \xc3\xa9"} ]'
    body = b'{ "max_tokens" : 7, "messages":%s,"model":"echo","x":1.50}' % messages
    answer = shared_gateway.request(
        "POST",
        "/v1/chat/completions",
        body,
        shared_gateway.key(),
        cookie="a=b",
        x_forwarded_for="1",
    )
    assert answer.status == 200
    seen = shared_provider.seen[-1]
    assert seen.json == json.loads(body)
    assert messages in seen.body
    assert b"1.50" in seen.body
    assert set(seen.headers) == {
        "host", "content-type", "accept-encoding", "user-agent", "content-length",
    }  # fmt: skip


def test_the_dialects_own_headers_go_on(
    shared_gateway: RunningGateway, shared_provider: FakeProvider
) -> None:
    body = {"model": "echo", "max_tokens": 9, "messages": []}
    shared_gateway.request("POST", "/v1/messages", body, shared_gateway.key(), anthropic_beta="x-1")
    seen = shared_provider.seen[-1].headers
    assert (seen["anthropic-beta"], seen["anthropic-version"]) == ("x-1", "2023-06-01")


def test_a_name_given_twice_is_sent_once(
    shared_gateway: RunningGateway, shared_provider: FakeProvider
) -> None:
    body = b'{"model":"echo","messages":[],"max_tokens":900000000,"max_tokens":3}'
    answer = shared_gateway.request("POST", PATHS[0], body, shared_gateway.key())
    assert answer.status == 200
    assert shared_provider.seen[-1].body == b'{"model":"echo","messages":[],"max_tokens":3}'


def test_a_query_without_a_cap_gets_one_and_says_so(
    shared_gateway: RunningGateway, shared_provider: FakeProvider
) -> None:
    answer = shared_gateway.chat(shared_gateway.key())
    assert shared_provider.seen[-1].json["max_tokens"] == 16384
    assert answer.headers["farthing-output-cap-tokens"] == "16384"
    capped = shared_gateway.chat(shared_gateway.key(), max_tokens=5)
    assert "farthing-output-cap-tokens" not in capped.headers


# -- capped and refused -----------------------------------------------------------------------


def test_a_price_cap_lowers_the_output_cap(
    shared_gateway: RunningGateway, shared_provider: FakeProvider
) -> None:
    answer = shared_gateway.chat(
        shared_gateway.key(), max_tokens=9000, headers={"farthing-max-cost-usd": "0.002"}
    )
    cap = shared_provider.seen[-1].json["max_tokens"]
    assert 0 < cap < 9000
    assert answer.headers["farthing-output-cap-tokens"] == str(cap)
    hold = next(e for e in shared_gateway.entries() if isinstance(e, Hold) and e.id == answer.query)
    assert hold.output_cap == cap
    assert hold.usd == 2_000_000  # a token costs 1000 nanodollars, so the cap is used exactly


@pytest.mark.parametrize("path", PATHS)
def test_a_query_that_cannot_fit_its_price_cap_is_not_sent(
    shared_gateway: RunningGateway, shared_provider: FakeProvider, path: str
) -> None:
    before = len(shared_provider.seen)
    body = {"model": "echo", "max_tokens": 9, "messages": []}
    key = shared_gateway.key()
    answer = shared_gateway.request("POST", path, body, key, farthing_max_cost_usd="0.00001")
    assert answer.status == 402
    assert answer.headers["farthing-error"] == "max_cost"
    assert "more than its cap of $0.00001" in message(answer)
    assert len(shared_provider.seen) == before


def test_a_keys_own_price_cap_holds_whatever_the_request_says(
    shared_gateway: RunningGateway,
) -> None:
    key = shared_gateway.key(max_cost="0.00001")
    answer = shared_gateway.chat(key, headers={"farthing-max-cost-usd": "5"})
    assert (answer.status, answer.headers["farthing-error"]) == (402, "max_cost")


def test_an_unreadable_price_cap_is_not_taken_as_none(shared_gateway: RunningGateway) -> None:
    answer = shared_gateway.chat(shared_gateway.key(), headers={"farthing-max-cost-usd": "a penny"})
    assert (answer.status, answer.headers["farthing-error"]) == (400, "invalid_header")


@pytest.mark.parametrize("limit", [{"usd": "0.0001"}, {"tokens": 100}])
@pytest.mark.parametrize("path", PATHS)
def test_a_query_over_a_limit_is_not_sent(
    shared_gateway: RunningGateway,
    shared_provider: FakeProvider,
    limit: dict[str, Any],
    path: str,
) -> None:
    before = len(shared_provider.seen)
    body = {"model": "echo", "max_tokens": 9, "messages": []}
    answer = shared_gateway.request("POST", path, body, shared_gateway.key(**limit))
    assert answer.status == 402
    assert answer.headers["farthing-error"] == "limit_reached"
    assert "It was not sent" in message(answer)
    assert len(shared_provider.seen) == before


def test_a_model_without_a_price_is_refused_with_how_to_price_it(
    shared_gateway: RunningGateway, shared_provider: FakeProvider
) -> None:
    before = len(shared_provider.seen)
    answer = shared_gateway.chat(shared_gateway.key(), "unpriced")
    assert (answer.status, answer.headers["farthing-error"]) == (400, "unpriced_model")
    assert '[[prices]] provider = "fake", model = "unpriced"' in message(answer)
    assert len(shared_provider.seen) == before


def test_what_has_no_bound_is_refused(shared_gateway: RunningGateway) -> None:
    image = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]
    asked: list[dict[str, Any]] = [{"messages": image}, {"web_search_options": {}}]
    for fields in asked:
        answer = shared_gateway.chat(shared_gateway.key(), **fields)
        assert (answer.status, answer.headers["farthing-error"]) == (400, "unbounded")


def test_revoked_and_expired_keys_do_not_open(shared_gateway: RunningGateway) -> None:
    answer = shared_gateway.chat(shared_gateway.key(expires=1))
    assert (answer.status, answer.headers["farthing-error"]) == (401, "expired_key")


def test_a_query_is_found_by_its_own_key_only(shared_gateway: RunningGateway) -> None:
    query = shared_gateway.chat(shared_gateway.key()).query
    other = shared_gateway.key()
    for asked in (query, "q0", ""):
        found = shared_gateway.request("GET", f"/v1/queries/{asked}", key=other)
        assert (found.status, found.headers["farthing-error"]) == (404, "unknown_query")


# -- failed -----------------------------------------------------------------------------------


def test_a_providers_refusal_passes_and_costs_nothing(shared_gateway: RunningGateway) -> None:
    key = shared_gateway.key()
    answer = shared_gateway.chat(key, "rate-limited")
    assert (answer.status, answer.headers["retry-after"]) == (429, "7")
    assert answer.json["error"]["code"] == "rate_limit_exceeded"
    record = shared_gateway.record(answer.query, key)
    assert (record["status"], record["cost_usd"], record["http_status"]) == ("settled", "0", 429)


@pytest.mark.parametrize(
    ("model", "status", "reason"),
    [
        ("no-usage", 200, "usage_missing"),
        ("bad-gateway", 502, "upstream_lost"),
        ("resets", 502, "upstream_reset"),
        ("closes-mid-body", 502, "upstream_reset"),
        ("not-http", 502, "upstream_malformed"),
        ("endless-head", 502, "upstream_malformed"),
        ("too-large", 502, "upstream_malformed"),
        ("silent", 504, "upstream_timeout"),
    ],
)
def test_an_unknown_cost_stays_held_at_its_maximum(
    shared_gateway: RunningGateway, model: str, status: int, reason: str
) -> None:
    key = shared_gateway.key()
    answer = shared_gateway.chat(key, model, max_tokens=9)
    assert answer.status == status
    assert "farthing-cost-usd" not in answer.headers
    record = shared_gateway.record(answer.query, key)
    assert (record["status"], record["reason"]) == ("unresolved", reason)
    assert record["cost_usd"] is None
    assert float(record["held_usd"]) > 0
    assert len(endings(shared_gateway.entries(), answer.query)) == 1


@pytest.mark.parametrize("path", PATHS)
def test_a_stream_without_usage_is_not_free(shared_gateway: RunningGateway, path: str) -> None:
    key = shared_gateway.key()
    body = {"model": "no-usage", "stream": True, "max_tokens": 9, "messages": []}
    answer = shared_gateway.request("POST", path, body, key)
    assert answer.body.count(b'"w') == EVENTS
    record = shared_gateway.record(answer.query, key)
    assert (record["status"], record["reason"]) == ("unresolved", "usage_missing")


def test_a_bill_above_the_bound_is_an_entry_of_its_own(shared_gateway: RunningGateway) -> None:
    key = shared_gateway.key()
    answer = shared_gateway.chat(key, "overruns", max_tokens=9)
    assert answer.headers["farthing-cost-usd"] == "1.00002"
    entries = shared_gateway.entries()
    hold = next(e for e in entries if isinstance(e, Hold) and e.id == answer.query)
    overrun = next(e for e in entries if isinstance(e, Overrun) and e.id == answer.query)
    assert overrun.usd == 1_000_020_000 - hold.usd


def test_a_provider_that_cannot_be_reached_costs_nothing(
    gateway: RunningGateway, provider: FakeProvider
) -> None:
    key = gateway.key()
    provider.close()
    answer = gateway.chat(key)
    assert (answer.status, answer.headers["farthing-error"]) == (502, "upstream_unreachable")
    assert "Nothing was sent" in message(answer)
    record = gateway.record(answer.query, key)
    assert (record["status"], record["cost_usd"]) == ("void", "0")


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        (PATHS[0], b'data: {"error":{"message":"fake closed'),
        (PATHS[1], b'event: error\ndata: {"type":"error","error":{"type":"api_error"'),
    ],
)
def test_a_stream_that_breaks_says_so_in_its_dialect(
    gateway: RunningGateway, provider: FakeProvider, path: str, shape: bytes
) -> None:
    key = gateway.key()
    provider.gate.set()
    body = {"model": "resets-mid-stream", "stream": True, "max_tokens": 9, "messages": []}
    answer = gateway.request("POST", path, body, key)
    assert answer.status == 200
    assert shape in answer.body
    record = gateway.record(answer.query, key)
    assert (record["status"], record["reason"]) == ("unresolved", "upstream_reset")


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_is_still_billed_what_it_used(
    gateway: RunningGateway, provider: FakeProvider, stream: bool
) -> None:
    key = gateway.key()
    body = json.dumps({"model": "gated", "stream": stream, "max_tokens": 9, "messages": []})
    request = (
        f"POST {PATHS[0]} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n"
        f"content-length: {len(body)}\r\n\r\n{body}"
    )
    with socket.create_connection(("127.0.0.1", gateway.port)) as client:
        client.sendall(request.encode())
        assert provider.reached.wait(10)
        if stream:
            client.recv(4096)
    provider.gate.set()
    query = next(e.id for e in gateway.entries() if isinstance(e, Hold))
    record = gateway.record(query, key)
    assert (record["status"], record["cost_usd"]) == ("settled", COST)


def test_a_slow_reader_slows_only_its_own_provider(
    gateway: RunningGateway, provider: FakeProvider
) -> None:
    """While one client's stream is open, another's query goes its way."""
    key = gateway.key()
    found: list[Answer] = []
    waiting = threading.Thread(target=lambda: found.append(gateway.chat(key, "gated", stream=True)))
    waiting.start()
    assert provider.reached.wait(10)
    assert gateway.chat(key).status == 200
    provider.gate.set()
    waiting.join(10)
    assert found[0].body.endswith(b"data: [DONE]\n\n")


def test_every_hold_ended_exactly_once(shared_gateway: RunningGateway) -> None:
    """After all of the above: one ending for each hold, and nothing is held but the unresolved."""
    entries = shared_gateway.entries()
    holds = {entry.id for entry in entries if isinstance(entry, Hold)}
    ended = [e.id for e in entries if isinstance(e, Settle | Void | Unresolved)]
    assert len(holds) > 20
    assert sorted(ended) == sorted(holds)
