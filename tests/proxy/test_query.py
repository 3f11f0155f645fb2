"""One query's steps without a socket: its price cap, what is sent, and its one ending."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.application import KEY, NEW_KEY, FakeClient, ListLedger, make_app
from tests.support.loopback import run

from farthing import money
from farthing.errors import Failed, Refused
from farthing.flow import OneShot, ready, start
from farthing.ledger.entry import Ending, Refusal, Settle, Unresolved, Void
from farthing.ledger.ledger import TEXT_MOST, Outcome
from farthing.providers import Provider
from farthing.proxy import query as query_module
from farthing.proxy.ending import LOST_STATUSES
from farthing.proxy.handle import handle
from farthing.proxy.head import Head
from farthing.proxy.http import Message
from farthing.proxy.pool import UpstreamPool
from farthing.proxy.query import Query
from farthing.proxy.request import Request
from farthing.proxy.server import ClientConnection
from farthing.proxy.upstream import Sink
from farthing.wire import DIALECTS
from farthing.wire.dialect import Ask

Script = Callable[[Sink], None]
LOOP = Provider(
    "http://loop.invalid/v1",
    {"chat": "/chat", "messages": "/messages"},
    name="loop", prices="loop", auth="none",
)  # fmt: skip
USAGE = {"prompt_tokens": 20, "completion_tokens": 7, "input_tokens": 20, "output_tokens": 7}
COST = 27_000
BROKEN = Failed("upstream_reset", "it broke")
UNREACHABLE = Failed("upstream_unreachable", "nobody there")


# -- a provider in words --------------------------------------------------------------------------


def whole(
    status: int = 200, body: bytes | None = None, encoded: bool = False, **told: Any
) -> Script:
    """Answer at once, with usage unless told otherwise."""
    content = json.dumps({"usage": USAGE, **told}).encode() if body is None else body

    def script(sink: Sink) -> None:
        sink.head(Head(status, b"x-id: 1\r\n", b"application/json", encoded))
        sink.body(content)
        sink.complete()

    return script


def stream(*pieces: bytes, end: Failed | None = None) -> Script:
    """Answer in pieces, and end or break."""

    def script(sink: Sink) -> None:
        sink.head(Head(200, b"", b"text/event-stream; charset=utf-8", encoded=False))
        for piece in pieces:
            sink.body(piece)
            sink.flush()
        sink.complete() if end is None else sink.broken(end)

    return script


def breaks(head: bool) -> Script:
    """Break before or after the head."""

    def script(sink: Sink) -> None:
        if head:
            sink.head(Head(200, b"", b"application/json", encoded=False))
        sink.broken(BROKEN)

    return script


CHAT_EVENT = b'data: {"choices":[{"delta":{"content":"w"}}]}\n\n'
CHAT_USAGE = b'data: {"choices":[],"usage":%s}\n\n' % json.dumps(USAGE).encode()
DONE = b"data: [DONE]\n\n"
MARK = b"a mark that no other request has"


class Scene:
    """A query's way from its request to its end: a provider's scripts, a ledger, a client."""

    def __init__(self, *scripts: Script | Failed, provider: Provider = LOOP) -> None:
        self.client = FakeClient()
        self.ledger = ListLedger()
        self.sent: list[bytes] = []
        self.provider = provider
        self._scripts = list(scripts)
        self._answering: list[tuple[Script, Sink]] = []

    def resting(self, _: Provider) -> None:
        """Every query has a connection of its own."""

    def connect(self, _: Provider) -> OneShot[Any]:
        if isinstance(self._scripts[0], Failed):
            shot: OneShot[Any] = OneShot()
            shot.fail(self._scripts.pop(0))  # type: ignore[arg-type]
            return shot
        return ready(self)

    def send(self, message: Message, sink: Sink) -> None:
        assert len(self.ledger.holds) == 1, "no byte before its hold"
        self.sent.append(b"".join(message))
        self._answering.append((cast(Script, self._scripts.pop(0)), sink))

    def abort(self) -> None: ...
    def close(self) -> None: ...

    def ask(self, path: str = "chat", **fields: Any) -> Scene:
        """Run the query; `headers` may be among the fields."""
        headers, vault = fields.pop("headers", {}), fields.pop("vault", None)
        aliases = {"fast": "loop/m"}

        async def scene() -> None:
            app, _, _ = make_app(self.provider, aliases=aliases)
            app.ledger, app.pool = self.ledger, cast(UpstreamPool, self)
            app.vault = vault
            request = Request()
            request.headers = {b"x-api-key": KEY.encode(), **headers}
            said = {"model": "m", "max_tokens": 9, "messages": [], **fields}
            request.body = json.dumps({k: v for k, v in said.items() if v is not None}).encode()
            client = cast(ClientConnection, self.client)
            start(handle(Query(app, client, request, DIALECTS[path])))
            while self._answering:
                script, sink = self._answering.pop()
                script(sink)
            app.sweeper.stop()

        run(scene())
        return self

    @property
    def ending(self) -> tuple[object, ...]:
        """What was recorded; asserts that it was recorded once, of the query that was held."""
        assert [e.id for e in self.ledger.endings] == [h.id for h in self.ledger.holds]
        match self.ledger.endings:
            case [Settle() as settled]:
                return ("settled", settled.usd, settled.status)
            case [Void() as void]:
                return ("void", void.reason)
            case [Unresolved() as unresolved]:
                return ("unresolved", unresolved.reason, unresolved.status)
        raise AssertionError(f"{len(self.ledger.endings)} endings")

    @property
    def body(self) -> dict[str, Any]:
        """The body that was sent last."""
        told: dict[str, Any] = json.loads(self.sent[-1].partition(b"\r\n\r\n")[2])
        return told


# -- endings --------------------------------------------------------------------------------------

ENDINGS: list[tuple[Script | Failed, tuple[object, ...], int]] = [
    (whole(), ("settled", COST, 200), 200),
    (whole(201), ("settled", COST, 201), 201),
    *((whole(status), ("settled", 0, status), status) for status in (302, 400, 429, 500, 503, 529)),
    *((whole(s), ("unresolved", "upstream_lost", s), s) for s in sorted(LOST_STATUSES)),
    (whole(usage=None), ("unresolved", "usage_missing", 200), 200),
    (whole(body=b"not JSON"), ("unresolved", "usage_missing", 200), 200),
    (whole(body=b"\x1f\x8b", encoded=True), ("unresolved", "usage_encoded", 200), 200),
    (whole(service_tier="flex"), ("unresolved", "unpriced_model", 200), 200),
    (breaks(head=False), ("unresolved", "upstream_reset", 0), 502),
    (breaks(head=True), ("unresolved", "upstream_reset", 200), 502),
    (UNREACHABLE, ("void", "upstream_unreachable"), 502),
    (stream(CHAT_EVENT, CHAT_USAGE + DONE), ("settled", COST, 200), 200),
    (stream(CHAT_EVENT, DONE), ("unresolved", "usage_missing", 200), 200),
    (stream(CHAT_EVENT, end=BROKEN), ("unresolved", "upstream_reset", 200), 200),
    (stream(CHAT_EVENT, CHAT_USAGE, end=BROKEN), ("unresolved", "upstream_reset", 200), 200),
]


@pytest.mark.parametrize(("script", "ending", "status"), ENDINGS)
def test_every_ending_is_recorded_once_and_answered_once(
    script: Script | Failed, ending: tuple[object, ...], status: int
) -> None:
    scene = Scene(script).ask()
    assert scene.ending == ending
    assert scene.client.status == status
    assert sum(said in ("respond", "end") for said in scene.client.said) == 1


@pytest.mark.parametrize("broken", ["read_answer", "write_request", "tap"])
def test_a_defect_of_ours_ends_a_query_all_the_same(
    broken: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise KeyError(broken)

    failing = msgspec.structs.replace(DIALECTS["chat"], **{broken: fail})
    monkeypatch.setitem(DIALECTS, "chat", failing)
    scene = Scene(stream(DONE) if broken == "tap" else whole()).ask()
    sent = broken != "write_request"
    assert scene.ending == (("unresolved", "interrupted", 0) if sent else ("void", "not_sent"))
    assert bool(scene.sent) is sent
    assert scene.client.said == ["respond"] and scene.client.status == 500
    assert scene.ledger.holds[0].id in caplog.text, "the answer says that the log names it"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"headers": {b"x-api-key": b"fk_0_0"}}, 401),
        ({"messages": 5}, 400),
        ({"model": "nobody's"}, 404),
        ({"service_tier": "flex"}, 400),
        ({"headers": {b"farthing-max-cost-usd": b"0"}}, 402),
    ],
)
def test_what_is_refused_is_neither_held_nor_ended(fields: dict[str, Any], status: int) -> None:
    scene = Scene().ask(**fields)
    assert not scene.ledger.holds and not scene.ledger.endings and not scene.sent
    assert (scene.client.said, scene.client.status) == (["respond"], status)


def test_what_the_ledger_refuses_is_neither_sent_nor_ended() -> None:
    scene = Scene()
    scene.ledger.refusal = Refusal("limit_reached", "key:k", "usd")
    scene.ask()
    assert not scene.ledger.endings and not scene.sent
    assert (scene.client.said, scene.client.status) == (["respond"], 402)


@pytest.mark.parametrize("streamed", [True, False])
def test_the_answer_ends_once_its_ending_is_recorded(streamed: bool) -> None:
    scene = Scene(stream(CHAT_EVENT, CHAT_USAGE + DONE) if streamed else whole())
    recorded = scene.ledger.keep_waiting()
    scene.ask(stream_options={"include_usage": True})
    assert scene.ending[0] == "settled"
    before = ["begin", "stream", "stream"] if streamed else []
    assert scene.client.said == before
    recorded.set(None)
    assert scene.client.said == [*before, "end" if streamed else "respond"]


def test_an_answer_tells_a_cost_only_if_it_was_recorded() -> None:
    scene = Scene(whole()).ask()
    assert b"farthing-cost-usd: 0.000027\r\n" in scene.client.headers
    scene = Scene(whole())
    scene.ledger.refuse_endings()
    assert b"farthing-cost-usd" not in scene.ask().client.headers
    assert scene.client.status == 200
    assert b"farthing-cost-usd" not in Scene(whole(502)).ask().client.headers


def test_a_stream_that_breaks_ends_with_the_dialect_s_fault_and_the_connection() -> None:
    client = Scene(stream(CHAT_EVENT, CHAT_EVENT[:-1], end=BROKEN)).ask().client
    assert client.said[-2:] == ["close after", "end"]
    assert client.sent.startswith(CHAT_EVENT + CHAT_EVENT[:-1])
    fault = json.loads(client.sent.rpartition(b"data: ")[2])
    assert fault["error"]["code"] == "upstream_reset"


def test_what_is_kept_of_an_answer_is_bounded() -> None:
    """The ending's room in the journal was reserved before its texts were known."""
    (settled,) = Scene(whole(id="i" * 9999, model="ü" * 9999)).ask().ledger.endings
    assert isinstance(settled, Settle)
    assert (settled.upstream_id, settled.answered_model) == ("i" * TEXT_MOST, "ü" * TEXT_MOST)


@pytest.mark.parametrize(
    ("asked", "served", "usd"),
    [
        ("priority", "priority", 2 * COST),
        ("priority", "default", COST),
        (None, "priority", 2 * COST),
    ],
)
def test_the_tier_that_was_served_is_the_one_that_is_paid(
    asked: str | None, served: str, usd: int
) -> None:
    fields = {} if asked is None else {"service_tier": asked}
    assert Scene(whole(service_tier=served)).ask(**fields).ending == ("settled", usd, 200)


@pytest.mark.parametrize(
    ("asked", "tiers", "times"),
    [
        (None, (), 1),
        (None, ("priority",), 2),
        ("auto", ("priority",), 2),
        ("default", ("priority",), 1),
    ],
)
def test_a_hold_covers_every_tier_that_may_serve_the_query(
    asked: str | None, tiers: tuple[str, ...], times: int
) -> None:
    fields = {} if asked is None else {"service_tier": asked}
    provider = msgspec.structs.replace(LOOP, unasked_tiers=tiers)
    scene = Scene(whole(service_tier="default"), provider=provider).ask(**fields)
    (hold,) = scene.ledger.holds
    assert hold.usd == times * 1000 * hold.tokens
    assert scene.ending == ("settled", COST, 200)


# -- the price cap --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["chat", "messages"])
@settings(deadline=None)
@given(cap=st.integers(0, 30_000_000), wanted=st.integers(1, 50_000))
def test_with_a_price_cap_the_bound_fits_or_the_query_is_refused(
    path: str, cap: int, wanted: int
) -> None:
    headers = {b"farthing-max-cost-usd": money.dollars(cap).encode()}
    scene = Scene(whole()).ask(path, max_tokens=wanted, headers=headers)
    if scene.client.status == 402:
        assert not scene.sent
        # not even one token of output fits beside the input's bound
        (uncapped,) = Scene(whole()).ask(path, max_tokens=wanted).ledger.holds
        assert cap < 1000 * (uncapped.input_tokens + 1)
        return
    (hold,) = scene.ledger.holds
    assert hold.usd <= cap
    assert 1 <= scene.body["max_tokens"] == hold.output_cap <= wanted
    if hold.output_cap < wanted:
        assert hold.usd + 1000 > cap, "no lower than it must be"
        told = b"farthing-output-cap-tokens: %d\r\n" % hold.output_cap
        assert told in scene.client.headers


@pytest.mark.parametrize(("key", "header"), [("0.002", "5"), ("5", "0.002"), (None, "0.002")])
def test_of_two_price_caps_the_smaller_counts(key: str | None, header: str) -> None:
    scene = Scene(whole())
    state = scene.ledger.keys[NEW_KEY.entry.id]
    cap = None if key is None else money.nanodollars(key)
    state.key = msgspec.structs.replace(state.key, max_cost=cap)
    scene.ask(max_tokens=50_000, headers={b"farthing-max-cost-usd": header.encode()})
    assert scene.ledger.holds[0].usd == 2_000_000


@pytest.mark.parametrize("text", [b"", b"a penny", b"-1", b"nan", b"inf", b"1e99", b"\xe9", b"1,5"])
def test_a_price_cap_that_cannot_be_read_is_not_taken_as_none(text: bytes) -> None:
    scene = Scene().ask(headers={b"farthing-max-cost-usd": text})
    assert scene.client.status == 400
    assert b"farthing-error: invalid_header" in scene.client.headers
    assert not scene.ledger.holds


# -- what is sent and held ------------------------------------------------------------------------


def test_a_hold_says_what_was_asked_and_what_it_can_cost() -> None:
    (hold,) = Scene(whole()).ask(model="fast", stream=True).ledger.holds
    assert (hold.provider, hold.model, hold.asked_model) == ("loop", "m", "fast")
    scopes = ("route:fast", "model:loop/m", "provider:loop")
    assert (hold.key, hold.path) == (NEW_KEY.entry.id, (f"key:{NEW_KEY.entry.id}", *scopes))
    assert (hold.dialect, hold.stream, hold.output_cap) == ("chat", True, 9)
    assert hold.tokens == hold.input_tokens + 9
    assert hold.usd == 1000 * hold.tokens
    assert hold.worker == "worker-1-x"


def test_what_is_sent_is_the_provider_s_spelling() -> None:
    other = msgspec.structs.replace(LOOP, output_cap_field="max_completion_tokens")
    scene = Scene(stream(DONE), provider=other)
    body = scene.ask(model="fast", stream=True, max_tokens=None).body
    assert (body["model"], body["max_completion_tokens"]) == ("m", 16_384)
    assert body["stream_options"] == {"include_usage": True}
    silent = msgspec.structs.replace(LOOP, stream_usage=False)
    assert "stream_options" not in Scene(stream(DONE), provider=silent).ask(stream=True).body


def test_a_model_s_name_cannot_end_a_header() -> None:
    client = Scene(whole()).ask(model="loop/m\r\nset-cookie: é").client
    assert b"farthing-model: loop/m??set-cookie:???\r\n" in client.headers


COUNTING = msgspec.structs.replace(LOOP, counts={"messages": "/count"})
COUNT = whole(body=b'{"input_tokens": 20}')
LATE = b'event: message_delta\ndata: {"type":"message_delta","usage":{"output_tokens":7}}\n\n'


def test_the_input_is_counted_first_where_a_stream_may_not_tell_it() -> None:
    scene = Scene(COUNT, stream(LATE), provider=COUNTING).ask("messages", stream=True)
    assert [message.split(b" ")[1] for message in scene.sent] == [b"/v1/count", b"/v1/messages"]
    assert scene.ending == ("settled", COST, 200)


@pytest.mark.parametrize(("path", "streamed"), [("messages", False), ("chat", True)])
def test_nothing_is_counted_where_it_need_not_be(path: str, streamed: bool) -> None:
    scene = Scene(whole(), whole(), provider=COUNTING).ask(path, stream=streamed)
    assert [message.split(b" ")[1] for message in scene.sent] == [f"/v1/{path}".encode()]


def test_a_query_whose_input_cannot_be_counted_is_not_sent() -> None:
    scene = Scene(breaks(head=False), provider=COUNTING).ask("messages", stream=True)
    assert len(scene.sent) == 1
    assert scene.ending == ("void", "upstream_reset")


def test_the_count_asks_for_the_provider_s_name_of_the_model() -> None:
    scene = Scene(COUNT, stream(LATE), provider=COUNTING).ask("messages", model="fast", stream=True)
    assert json.loads(scene.sent[0].partition(b"\r\n\r\n")[2])["model"] == "m"


# -- what the vault is told ------------------------------------------------------------------------


class Listening:
    """A vault that hears what it is told of one query."""

    def __init__(self, refusal: Refused | None = None) -> None:
        self.prompt = self.answer = b""
        self.lineage: tuple[str, ...] = ()
        self.problem: Exception | None = None
        self._refusal = refusal

    def draft(self, query: str, lineage: tuple[str, ...], prompt: bytes) -> Listening:
        if self._refusal is not None:
            raise self._refusal
        self.prompt, self.lineage = prompt, lineage
        return self

    def add(self, piece: bytes) -> None:
        self.answer += piece

    def end(self, ending: Ending, last: Callable[[], bytes], ledger: ListLedger) -> Outcome:
        try:
            self.answer += last()
        except AssertionError as problem:
            self.problem = problem
        return ledger.end(ending)


CROSSED = {"path": "responses", "messages": None, "input": "hello"}
EVENTS = (CHAT_EVENT, CHAT_USAGE, DONE)


@pytest.mark.parametrize(
    ("script", "fields"),
    [
        (whole(), {}),
        (whole(429), {}),
        (whole(502, b"not json"), {}),
        (breaks(head=False), {}),
        (breaks(head=True), {}),
        (stream(*EVENTS), {"stream": True}),
        (stream(CHAT_EVENT, CHAT_EVENT[:9]), {"stream": True}),
        (stream(CHAT_EVENT, end=BROKEN), {"stream": True}),
        (stream(end=BROKEN), {"stream": True}),
        (whole(choices=[{"message": {"content": "w"}}]), CROSSED),
        (whole(200, b"not json"), CROSSED),
        (whole(429, b'{"error":{"message":"slow down"}}'), CROSSED),
        (stream(*EVENTS), {**CROSSED, "stream": True}),
        (stream(CHAT_EVENT, end=BROKEN), {**CROSSED, "stream": True}),
    ],
)
def test_the_vault_hears_what_the_client_sent_and_was_sent(
    script: Script, fields: dict[str, Any]
) -> None:
    vault = Listening()
    scene = Scene(script).ask(vault=vault, **fields)
    assert scene.client.sent and vault.answer == scene.client.sent
    assert b'"max_tokens": 9' in vault.prompt and vault.problem is None
    assert vault.lineage == (f"key:{NEW_KEY.entry.id}",)
    assert len(scene.ledger.endings) == 1


@pytest.mark.parametrize(
    ("script", "fields"),
    [
        (whole(choices=[{"message": {"content": "w"}}]), CROSSED),
        (stream(*EVENTS), {"stream": True}),
        (stream(CHAT_EVENT, end=BROKEN), {"stream": True}),
    ],
)
def test_the_client_is_sent_the_same_whether_a_vault_hears_it_or_not(
    script: Script, fields: dict[str, Any]
) -> None:
    def shape(client: FakeClient) -> tuple[list[str], int, int]:
        return client.said, client.status, len(client.sent)

    heard = Scene(script).ask(vault=Listening(), **fields)
    assert shape(heard.client) == shape(Scene(script).ask(**fields).client)
    assert heard.ending == Scene(script).ask(**fields).ending


def test_what_the_vault_cannot_take_is_not_held_and_not_sent() -> None:
    vault = Listening(Refused("vault_unavailable", "full"))
    scene = Scene(whole()).ask(vault=vault)
    assert scene.client.status == 503 and b"vault_unavailable" in scene.client.headers
    assert not scene.ledger.holds and not scene.sent


def test_a_query_that_was_never_sent_ends_as_ever() -> None:
    assert Scene(UNREACHABLE).ask(vault=Listening()).ending[0] == "void"


def test_of_a_defect_nobody_commits_to_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def defect(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(query_module, "ended", defect)
    vault = Listening()
    scene = Scene(whole()).ask(vault=vault)
    assert vault.problem is not None and scene.client.status == 500
    assert scene.ending[:2] == ("unresolved", "interrupted")


def test_of_a_stream_that_is_open_nothing_is_kept_that_only_its_sending_needed() -> None:
    """Thousands may be open for minutes, and a request may be megabytes."""
    kept: list[Any] = []

    def script(sink: Sink) -> None:
        sink.head(Head(200, b"x: 1\r\n", b"text/event-stream", encoded=False))
        kept.append(sys.getrefcount(scene.sent[0]))
        kept.extend(
            told
            for told in gc.get_objects()
            if isinstance(told, Request | Ask) and MARK in told.body
        )
        for piece in (CHAT_EVENT, CHAT_USAGE + DONE):
            sink.body(piece)
        sink.complete()

    scene = Scene(script)
    scene.ask(stream=True, user=MARK.decode())
    assert MARK in scene.sent[0] and kept == [2], "the list of this test, and the question itself"
    assert scene.ending == ("settled", COST, 200)
