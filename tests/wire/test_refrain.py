"""Events that differ in their text alone become what translating each would make of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.wire import DIALECTS
from farthing.wire.refrain import HOPES, Refrain
from farthing.wire.translate import Translation, _CrossingTap

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
        *[
            chunk({"content": "X"}).replace(b"X", spelt)
            for spelt in [rb"\u00e9", rb"\ud83d\ude00", rb"\/", rb"\ud83d", rb"\x", b"\\", rb"\\"]
        ],
        *[
            chunk({"content": "X"}).replace(b'"X"', said)
            for said in [rb'"a\","b"', rb'",\"', b'","b', rb'"\\"', rb'"\\","n":"', b'",b"']
        ],
        chunk({"content": "padded"}).replace(b"}\n\n", b',"obfuscation":"aB3"}\n\n'),
        chunk({"content": "padded"}).replace(b"}\n\n", b',"obfuscation":"a"}\n\n'),
        chunk({"content": ',"obfuscation":"a"}'}),
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


TOLD = st.one_of(
    TEXTS, TEXTS, st.sampled_from([',"', "\\", ',\\"', '","', '\\"', ",", '",', "", "x"])
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
    texts = TOLD.map(lambda text: said(text, here, there))
    others = st.sampled_from(OTHERS[there])
    events = data.draw(st.lists(st.one_of(texts, texts, texts, others), max_size=12))
    stream = [START[there], *events]
    block = b"".join(stream)
    cut = data.draw(st.integers(0, len(block)))
    with pytest.MonkeyPatch.context() as patch:
        one_by_one = crossed(stream, here, there)
        at_once = crossed([block[:cut], block[cut:]], here, there)
        patch.setattr(Refrain, "learn", lambda *_: None)
        assert one_by_one == at_once == crossed(stream, here, there)


def counting(patch: pytest.MonkeyPatch) -> list[bytes]:
    """What is translated as if nothing had been before, from now on."""
    told: list[bytes] = []
    other = _CrossingTap._other

    def counted(tap: _CrossingTap, raw: bytes) -> bytes:
        told.append(raw)
        return other(tap, raw)

    patch.setattr(_CrossingTap, "_other", counted)
    return told


CUTS: list[Callable[[list[bytes]], list[bytes]]] = [
    lambda events: events,
    lambda events: [b"".join(events)],
    lambda events: [b"".join(events)[at : at + 999] for at in range(0, 99_999, 999)],
]


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize(("pair", "learnt"), [(("messages", "chat"), 2), (("chat", "messages"), 1)])
def test_all_but_the_first_text_is_said_again(
    pair: tuple[str, str],
    learnt: int,
    cut: Callable[[list[bytes]], list[bytes]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In Messages the first one begins a block, too."""
    there = pair[1]
    told = counting(monkeypatch)
    texts = ["plain", 'with "quotes"', "a line\n", "\\", "é"] * 200
    start = START[there]
    crossed(
        cut([start, said("a", *pair), said("b", *pair), *(said(t, *pair) for t in texts)]), *pair
    )
    assert len(told) == start.count(b"data:") + learnt


def test_an_event_of_another_kind_parts_two_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    told = counting(monkeypatch)
    texts = [said(f"w{n}", "messages") for n in range(50)]
    stream = [START["chat"], *texts, chunk({"reasoning_content": "why"}), *texts]
    passed, _, _ = crossed([b"".join(stream)], "messages", "chat")
    assert passed.count(b"w49") == 2
    assert len(told) == 3 + 3  # it, the next that begins a block, and one to learn from again


def test_padding_of_random_length_does_not_part_them(monkeypatch: pytest.MonkeyPatch) -> None:
    told = counting(monkeypatch)
    texts = [
        said(f"w{n}", "messages").replace(b"}\n\n", b',"obfuscation":"%s"}\n\n' % (b"x" * (n % 9)))
        for n in range(50)
    ]
    crossed([START["chat"], b"".join(texts)], "messages", "chat")
    assert len(told) == 3


@pytest.mark.parametrize("here", ["responses", "gemini", "converse"])
def test_a_writer_that_remembers_texts_is_told_each(
    here: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = counting(monkeypatch)
    crossed([START["chat"], *(said(f" word {n}", here) for n in range(50))], here, "chat")
    assert len(told) == 51


@pytest.mark.parametrize("cut", CUTS[:2])
def test_a_citation_stands_where_the_texts_before_it_end(
    cut: Callable[[list[bytes]], list[bytes]],
) -> None:
    """What was said again counts towards its place."""
    cited = OTHERS["messages"][4]
    texts = [said(f" word {n}", "chat", "messages") for n in range(5)]
    passed, _, _ = crossed(cut([START["messages"], *texts, cited]), "chat", "messages")
    assert b'"end_index":35' in passed


def test_two_events_in_a_read_are_not_one_with_a_long_text() -> None:
    texts = [said(f"w{n}", "messages") for n in range(9)]
    passed, _, _ = crossed([START["chat"], *texts[:3], b"".join(texts[3:])], "messages", "chat")
    assert b"content_block_delta" in passed and b"choices" not in passed
    assert passed.count(b'"text":"w') == 9


def test_a_text_with_a_field_behind_it_is_not_one_text() -> None:
    texts = [said(f"w{n}", "messages") for n in range(3)]
    more = chunk({"content": "X"}).replace(b'"X"', b'"a","n":"b"')
    for stream in ([*texts, more], [b"".join([*texts, more])]):
        passed, _, _ = crossed([START["chat"], *stream], "messages", "chat")
        assert passed.endswith(b'"text":"a"}}\n\n')


def test_of_many_texts_one_that_is_none_is_alone_at_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    told = counting(monkeypatch)
    half = chunk({"content": "X"}).replace(b"X", rb"\ud83d")
    texts = [said(f"w{n}", "messages") for n in range(9)]
    passed, _, _ = crossed([START["chat"], b"".join([*texts, half, *texts])], "messages", "chat")
    assert passed.count(b'"text":"w') == 18 and passed.count(b"\n\n") == 20
    assert told[3:] == [half[:-2], *told[4:]] and len(told) < 6


def test_events_that_each_have_something_of_their_own_are_given_up_on() -> None:
    class Writer:
        def again(self, _: int) -> None:
            raise AssertionError("nothing comes again")

    class Reader:
        TEXT_KEY = b'"content":'

    refrain = Refrain(Reader(), Writer())
    from farthing.wire.events import More

    for number in range(HOPES + 3):
        raw = chunk({"content": "x", "pad": number})
        assert refrain.alone(raw) is None and refrain.again(raw) == (b"", 0)
        refrain.learn(raw, [More(answer=0, part=0, text="x")], b'"x"')
    assert not refrain._known
