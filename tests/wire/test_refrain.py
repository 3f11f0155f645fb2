"""Events that differ in their text alone become what translating each would make of them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.wire import DIALECTS
from farthing.wire.refrain import HOPES, Refrain
from farthing.wire.translate import Translation

encode = msgspec.json.encode


def chunk(delta: dict[str, Any], **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return b"data: %s\n\n" % encode({"id": "c", "model": "m", "choices": [choice | more]})


def block(kind: str, **more: Any) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), encode({"type": kind, **more}))


def said(text: str, here: str, there: str = "chat") -> bytes:
    if there == "chat":
        return chunk({"content": text})
    return block("content_block_delta", index=0, delta={"type": "text_delta", "text": text})


START = {
    "chat": chunk({"role": "assistant", "content": ""}),
    "messages": block("message_start", message={"id": "m", "model": "m"})
    + block("content_block_start", index=0, content_block={"type": "text", "text": ""}),
}
OTHERS = {
    "chat": [
        chunk({"content": "cut"}, finish_reason="length"),
        chunk({"reasoning_content": "why"}),
        chunk({"content": "with", "refusal": "no"}),
        chunk({"tool_calls": [{"index": 0, "id": "1", "function": {"name": "f"}}]}),
        chunk({"content": "two"}, index=1),
        chunk({"content": ""}),
        b"data: [DONE]\n\n",
        b": a comment\n\n",
        b"\n\n",
        chunk({"content": "x"}).replace(b"\n\n", b"\r\n\r\n"),
        chunk({"content": "X"}).replace(b"X", b"\xff"),
        chunk({"content": "X"}).replace(b"X", b"\x01"),
        chunk({"content": "X"}).replace(b"X", b"\x7f"),
    ],
    "messages": [
        block("content_block_stop", index=0),
        block("content_block_start", index=1, content_block={"type": "text", "text": ""}),
        block("content_block_delta", index=1, delta={"type": "text_delta", "text": "1"}),
        block("ping"),
        block(
            "content_block_delta",
            index=0,
            delta={
                "type": "citations_delta",
                "citation": {
                    "type": "web_search_result_location", "url": "u", "title": "t",
                    "cited_text": "c", "encrypted_index": "e",
                },
            },
        ),
        block("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 3}),
        block("message_stop"),
    ],
}  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from(["a", " b", '"', "\\", "\n", "content", "m", "assistant", "é", "\u00a0", "0"]),
    st.text(max_size=6),
)


def crossed(stream: list[bytes], here: str, there: str) -> tuple[bytes, object, object]:
    translation = Translation(here, there)
    ask = DIALECTS[there].read_request(b'{"model":"m","stream":true}')
    ask.wants_usage = True
    tap = translation.tap(DIALECTS[there].tap(ask), usage=True)
    passed = b"".join(map(tap.feed, stream)) + tap.rest()
    return passed, tap.answer(), translation.losses()


@pytest.mark.parametrize("pair", [("messages", "chat"), ("chat", "messages"), ("gemini", "chat")])
@given(data=st.data())
def test_what_passes_is_what_translating_each_event_makes(
    pair: tuple[str, str], data: st.DataObject
) -> None:
    here, there = pair
    texts = TEXTS.map(lambda text: said(text, here, there))
    events = data.draw(
        st.lists(st.one_of(texts, texts, st.sampled_from(OTHERS[there])), max_size=12)
    )
    stream = [START[there], *events]
    with pytest.MonkeyPatch.context() as patch:
        found = crossed(stream, here, there)
        patch.setattr(Refrain, "again", lambda *_: None)
        assert found == crossed(stream, here, there)


def counting(patch: pytest.MonkeyPatch) -> list[bytes]:
    """What is said again from now on."""
    told: list[bytes] = []
    again = Refrain.again

    def counted(refrain: Refrain, raw: bytes) -> bytes | None:
        found = again(refrain, raw)
        if found is not None:
            told.append(found)
        return found

    patch.setattr(Refrain, "again", counted)
    return told


@pytest.mark.parametrize(("pair", "learnt"), [(("messages", "chat"), 2), (("chat", "messages"), 1)])
def test_all_but_the_first_text_is_said_again(
    pair: tuple[str, str], learnt: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In Messages the first one begins a block, too."""
    here, there = pair
    told = counting(monkeypatch)
    crossed([START[there], *(said(f" word {n}", *pair) for n in range(50))], here, there)
    assert len(told) == 50 - learnt and b" word 49" in told[-1]


@pytest.mark.parametrize("here", ["responses", "gemini", "converse"])
def test_a_writer_that_remembers_texts_is_told_each(
    here: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = counting(monkeypatch)
    crossed([START["chat"], *(said(f" word {n}", here) for n in range(50))], here, "chat")
    assert not told


def test_a_citation_stands_where_the_texts_before_it_end() -> None:
    """What was said again counts towards its place."""
    cited = OTHERS["messages"][4]
    texts = [said(f" word {n}", "chat", "messages") for n in range(5)]
    passed, _, _ = crossed([START["messages"], *texts, cited], "chat", "messages")
    assert b'"end_index":35' in passed


def test_events_that_each_have_something_of_their_own_are_given_up_on() -> None:
    class Writer:
        def again(self, _: str) -> None:
            raise AssertionError("nothing comes again")

    class Reader:
        TEXT_KEY = b'"content":'

    refrain = Refrain(Reader(), Writer())
    from farthing.wire.events import More

    for number in range(HOPES + 3):
        raw = chunk({"content": "x", "pad": number})
        assert refrain.again(raw) is None
        refrain.learn(raw, [More(answer=0, part=0, text="x")], b'"x"')
    assert not refrain._known
