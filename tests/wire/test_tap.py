"""Taps: what passes does not depend on how the network cut it, nor does what is read."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.wire import sse
from farthing.wire.chunks import EVENT_END, NEAR, Chunks, unframed
from farthing.wire.dialect import Answer, Tap, Usage
from farthing.wire.tap import WINDOW, FramedTap, Hiding, TailTap, told_last


class Reading(TailTap):
    """Answers with the last event's data, so that these tests need no dialect."""

    def answer(self) -> Answer:
        last = next(self.last_events(b"data:"), b"")
        return Answer(id=last.decode(errors="replace"))


def secret(block: bytes) -> bool:
    return b"secret" in block


def hiding() -> Hiding:
    return Hiding(Reading(), secret, lambda event: sse.data(event).startswith(b"secret"))


def feed(tap: Tap, stream: bytes, cuts: list[int]) -> bytes:
    """Feed a stream in pieces and return all that passed."""
    ends = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    passed = [tap.feed(stream[a:b]) for a, b in itertools.pairwise(ends)]
    return b"".join(passed) + tap.rest()


def every(step: int, stream: bytes) -> list[int]:
    return list(range(0, len(stream), step))


data_lines = st.one_of(
    st.sampled_from(["secret", "secret 2", "no secret", "", "a: b"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=10),
)


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Write a stream of events with one kind of line end, perhaps with a cut last event."""
    end = draw(st.sampled_from(["\n", "\r\n"]))
    told = draw(st.lists(data_lines, max_size=6))
    stream = "".join(f"data: {text}{end}{end}" for text in told).encode()
    tail = draw(st.sampled_from([b"", b"data: cut", b"data: secret", b"data: x\n"]))
    return stream + tail


cuts = st.lists(st.integers(0, 200), max_size=12)


@settings(deadline=None)
@given(streams(), cuts)
def test_a_tap_passes_every_byte_on_at_once(stream: bytes, where: list[int]) -> None:
    tap = Reading()
    assert feed(tap, stream, where) == stream
    assert tap.rest() == b""
    assert Reading().feed(stream) == stream, "nothing is held back until the end"


@settings(deadline=None)
@given(streams(), cuts)
def test_a_hidden_event_never_passes_and_everything_else_does(
    stream: bytes, where: list[int]
) -> None:
    kept = [event for event in sse.events(stream) if not sse.data(event).startswith(b"secret")]
    assert feed(hiding(), stream, where) == b"".join(kept)


@pytest.mark.parametrize("step", [1, 7, 10_000])
@settings(deadline=None)
@given(streams())
def test_what_is_read_does_not_depend_on_the_cuts(step: int, stream: bytes) -> None:
    whole, cut = hiding(), hiding()
    assert feed(whole, stream, []) == feed(cut, stream, every(step, stream))
    assert whole.answer() == cut.answer()


def test_a_hidden_event_is_still_read() -> None:
    tap = hiding()
    assert feed(tap, b"data: x\n\ndata: secret\n\n", []) == b"data: x\n\n"
    assert tap.answer().id == "secret"


def test_no_piece_of_a_hidden_event_is_sent_before_it_is_known() -> None:
    tap = hiding()
    sent = [tap.feed(bytes([byte])) for byte in b"data: secret\n\n"]
    assert set(sent) == {b""}


def test_a_whole_event_is_not_held_back_for_the_next_one() -> None:
    tap = hiding()
    assert tap.feed(b"data: x\n\ndata: secr") == b"data: x\n\n"
    assert tap.feed(b"data: y"[:0]) == b""
    assert tap.feed(b"et\n\ndata: z\n\n") == b"data: z\n\n"


def test_what_is_held_back_comes_at_the_end_once() -> None:
    tap = hiding()
    tap.feed(b"data: cut")
    assert tap.rest() == b"data: cut"
    assert tap.rest() == b""


# -- what is remembered ---------------------------------------------------------------------------


def test_the_first_events_are_those_whole_within_the_head() -> None:
    tap = Reading(head=25)
    feed(tap, b"data: one\n\ndata: two\n\ndata: three\n\n", [3, 12])
    assert list(tap.first_events()) == [b"one", b"two"]


def test_without_a_head_nothing_of_the_start_is_kept() -> None:
    tap = Reading()
    feed(tap, b"data: one\n\n", [])
    assert list(tap.first_events()) == []


@settings(deadline=None)
@given(st.integers(1, 64), st.lists(st.integers(0, 80), max_size=6))
def test_the_head_does_not_depend_on_the_cuts(head: int, where: list[int]) -> None:
    stream = b"".join(b"data: %d\n\n" % number for number in range(10))
    whole, cut = Reading(head=head), Reading(head=head)
    feed(whole, stream, [])
    feed(cut, stream, where)
    assert list(whole.first_events()) == list(cut.first_events())


@pytest.mark.parametrize("size", [1, 1000, 4096, WINDOW, WINDOW + 1, 5 * WINDOW])
def test_the_last_window_is_kept_however_the_stream_is_cut(size: int) -> None:
    filler, last = b"data: %s\n\n" % (b"x" * 90), b"data: last\n\n"
    after = filler * ((WINDOW - len(last)) // len(filler))
    stream = filler * 3000 + last + after
    tap = Reading()
    feed(tap, stream, every(size, stream) if size > 1 else every(97, stream))
    assert b"last" in list(tap.last_events(b"data:"))
    assert list(tap.last_events(b"last")) == [b"last"]


@pytest.mark.parametrize("size", [100, 1000, 16 * 1024])
def test_no_more_than_a_window_and_one_piece_is_remembered(size: int) -> None:
    piece = b"data: %s\n\n" % (b"x" * (size - 8))
    tap = Reading(head=1000)
    for _ in range(3 * WINDOW // size + 10):
        tap.feed(piece)
    remembered = len(tap.last_bytes())
    assert WINDOW <= remembered < WINDOW + size
    assert sum(map(len, list(tap.first_events()))) <= 1000


def test_a_tap_that_read_nothing_answers_nothing() -> None:
    assert Reading().answer() == Answer()
    assert Answer().usage is None
    assert Usage().tokens() == 0


def test_the_last_strings_of_a_name_are_told_the_last_first() -> None:
    data = rb'{"end":null,"end":"one"}{"say":"\"end\":\"no\"","end": "two","at_end":"no"}'
    data += b'{"end":"three"}'
    assert told_last(data, b"end") == ["three"]
    assert told_last(data, b"end", 2) == ["three", "one"]
    assert told_last(data, b"end", 9) == ["three", "one", "two"]


class Leaving(TailTap):
    """Keeps what leaves the window."""

    left = b""
    watches = True

    def passed(self, data: bytes) -> None:
        self.left += data


@pytest.mark.parametrize("step", [1_000, 30_001, 3 * WINDOW])
def test_what_leaves_the_window_and_what_is_in_it_is_the_stream(step: int) -> None:
    stream, tap = bytes(range(256)) * 1_000, Leaving()
    for at in range(0, len(stream), step):
        tap.feed(stream[at : at + step])
    assert tap.left + tap.last_bytes() == stream and len(tap.last_bytes()) >= WINDOW


# -- chunks with their framing ----------------------------------------------------------------


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    ends = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    return [data[a:b] for a, b in itertools.pairwise(ends)]


def feed_framed(tap: FramedTap, chunks: list[bytes], cuts: list[int]) -> tuple[bytes, int]:
    """Feed chunks as a provider's connection does; return what passed, and how often framed."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks if chunk)
    reads, passed, framed = pieces(body, cuts), b"", 0
    content = Chunks()
    for read in reads:
        if read.endswith(EVENT_END) and content.between and tap.framed(read):
            passed += unframed(read)
            framed += 1
        else:
            passed += tap.feed(content.feed(read))
    return passed + tap.rest(), framed


@given(streams(), cuts, st.lists(st.integers(0, 400), max_size=8))
def test_framed_or_not_the_same_passes_and_the_same_is_read(
    stream: bytes, chunked: list[int], read: list[int]
) -> None:
    for made in (hiding, Reading):
        plain, framed = made(), made()
        passed = feed(plain, stream, [])
        assert feed_framed(framed, pieces(stream, chunked), read)[0] == passed
        assert framed.answer() == plain.answer()


@given(st.lists(data_lines, min_size=1, max_size=20), st.integers(1, 4))
def test_whole_events_pass_framed_and_only_they(told: list[str], burst: int) -> None:
    events = [f"data: {text}\n\n".encode() for text in told]
    ends = itertools.accumulate(len(b"%x\r\n%s\r\n" % (len(e), e)) for e in events)
    cuts = list(ends)[burst - 1 :: burst]
    reads = [events[at : at + burst] for at in range(0, len(events), burst)]
    harmless = [read for read in reads if not any(secret(event) for event in read)]
    assert feed_framed(Reading(), events, cuts)[1] == len(reads)
    assert feed_framed(hiding(), events, cuts)[1] == len(harmless)


def test_an_event_that_chunks_cut_is_not_passed_framed_where_one_may_be_hidden() -> None:
    chunks = [b"data: sec", b"ret\n\n"]
    assert feed_framed(hiding(), chunks, []) == (b"", 0)
    assert feed_framed(Reading(), chunks, []) == (b"data: secret\n\n", 1)


def test_the_first_bytes_are_wanted_without_their_framing() -> None:
    tap = Reading(head=10)
    assert feed_framed(tap, [b"data: 1\n\n"] * 3, [14, 28])[1] == 1
    assert tap.first_bytes() == b"data: 1\n\nd"


class Watching(TailTap):
    """Keeps what leaves the window."""

    watches = True

    def __init__(self) -> None:
        super().__init__()
        self.left = b""

    def passed(self, data: bytes) -> None:
        self.left += data

    def answer(self) -> Answer:
        return Answer()


def test_what_leaves_the_window_has_no_framing() -> None:
    events = [b"data: %06d\n\n" % number for number in range(8000)]
    ends = list(itertools.accumulate(len(b"%x\r\n%s\r\n" % (len(e), e)) for e in events))
    tap = Watching()
    assert feed_framed(tap, events, ends[99::100])[1] == 80
    assert tap.left and tap.left + tap.last_bytes() == b"".join(events)


def test_an_event_before_the_nearest_is_found_too() -> None:
    tap = Reading()
    events = [b"data: x\n\n", b"mark: 1\n\n", *[b"none: 1\n\n"] * NEAR]
    feed(tap, b"".join(events), every(100, b"".join(events)))
    assert next(tap.last_events(b"data:")) == b"x"
    assert tap.holds(b"mark") and not tap.holds(b"secret")


class Beginning(Reading):
    """Wants no more of the first bytes than one event."""

    def begun(self) -> bool:
        return any(True for _ in self.first_events())


def test_once_the_first_bytes_say_what_is_wanted_chunks_pass_with_their_framing() -> None:
    tap, chunk = Beginning(head=1000), b"9\r\ndata: 1\n\n\r\n"
    assert not tap.framed(chunk)
    tap.feed(b"data: 1")
    assert not tap.framed(chunk), "the first event is not whole yet"
    tap.feed(b"\n\n")
    assert tap.framed(chunk) and list(tap.first_events()) == [b"1"]
    assert next(tap.last_events(b"data:")) == b"1"


def test_a_word_is_looked_for_in_the_last_bytes_alone_if_that_is_wanted() -> None:
    tap = Reading()
    for data in (b"data: mark\n\n", b"data: %s\n\n" % (b"x" * 100)):
        tap.feed(data)
    assert tap.holds(b"mark") and tap.holds(b"mark", 114) and not tap.holds(b"mark", 113)
    tap.framed(b"9\r\ndata: m\n\n\r\n")
    assert tap.holds(b"data: m", 17) and not tap.holds(b"mark", 120)
