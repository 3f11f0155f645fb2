"""The framing of bodies in chunks: taken off however the bytes come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from farthing.wire.chunks import Chunks, last_content, unframed, whole_until

# Content that looks like framing, too.
CONTENT = st.lists(st.text("\r\n0a1 x", min_size=1, max_size=20).map(str.encode), max_size=12)


def framed(pieces: list[bytes], extension: bytes = b"") -> bytes:
    return b"".join(b"%X%s\r\n%s\r\n" % (len(p), extension, p) for p in pieces)


@given(CONTENT, st.sampled_from([b"", b";a=b"]), st.lists(st.integers(1, 9), min_size=1))
def test_content_is_the_same_however_it_comes(
    pieces: list[bytes], extension: bytes, sizes: list[int]
) -> None:
    body = framed(pieces, extension) + b"0\r\n\r\n"
    chunks, content, at, turn = Chunks(), b"", 0, 0
    while at < len(body):
        size = sizes[turn % len(sizes)]
        content += chunks.feed(body[at : at + size])
        at, turn = at + size, turn + 1
    assert content == b"".join(pieces)


@given(CONTENT)
def test_whole_chunks_are_read_at_once(pieces: list[bytes]) -> None:
    assert unframed(framed(pieces)) == b"".join(pieces)


def test_it_says_whether_a_chunk_begins_next() -> None:
    chunks = Chunks()
    told = [chunks.between]
    for byte in b"2\r\nhi\r\n0\r\n\r\n":
        chunks.feed(bytes([byte]))
        told.append(chunks.between)
    assert [at for at, between in enumerate(told) if between] == [0, 7]


def test_nothing_behind_the_last_chunk_is_content() -> None:
    chunks = Chunks()
    assert chunks.feed(b"2\r\nhi\r\n0\r\nx-trailer: 1\r\n\r\n") == b"hi"
    assert chunks.feed(b"2\r\nho\r\n") == b"" and not chunks.between


EVENTS = [b"d\r\ndata: %05d\n\n\r\n" % number for number in range(50)]
STREAM = b"".join(EVENTS)


def test_whole_chunks_are_found_in_what_came() -> None:
    assert whole_until(STREAM + b"0\r\n\r\n", 2) == len(STREAM) - 2 * len(EVENTS[0])
    assert whole_until(STREAM + EVENTS[0][:5]) == len(STREAM)
    assert whole_until(STREAM) == 0, "nothing says that a chunk ends there"
    assert whole_until(EVENTS[0] + b"0\r\n\r\n", 2) == 0
    assert whole_until(b"20\r\nno event at all") == 0


def test_the_last_content_is_that_of_the_last_chunks() -> None:
    whole = unframed(STREAM)
    for most in range(20, 2 * len(STREAM), 7):
        found = last_content(STREAM, most)
        assert whole.endswith(found) and len(found) + 40 > min(most * 13 // 18, len(whole))
    odd = b"data: " + b"\n\n\r\n" * 9
    framed = b"%x\r\n%s\r\n" % (len(odd), odd)
    assert last_content(framed, 20) == odd


def test_what_is_taken_at_once_is_whole_chunks_and_nothing_else() -> None:
    """Each of these is cut from what could pass for whole chunks; the long way tells the same."""
    crlf = b"3\r\na\r\n"  # a content that is a line end short of its size
    for data, content, between in (
        (b"1\r\na\r\n", b"a", True),
        (b"1\r\na\r\n2\r\nbc\r\n", b"abc", True),
        (b"1\r\na\r\n0\r\n\r\n", b"a", False),
        (b"1\r\na\r\n0\r\n\r\n1\r\nb\r\n", b"a", False),
        (b"0\r\n\r\n", b"", False),
        (crlf, b"a\r\n", False),
        (crlf + b"\r\n", b"a\r\n", True),
        (b"3;a=b\r\nabc\r\n", b"abc", True),
        (b"1\r\na\r\n2\r\nb", b"ab", False),
        (b"1\r\na\r\n2", b"a", False),
        (b"1\r\na", b"a", False),
    ):
        chunks = Chunks()
        assert (chunks.feed(data), chunks.between) == (content, between), data


@given(CONTENT, CONTENT)
def test_a_stream_is_read_on_the_same_after_whole_chunks(
    first: list[bytes], then: list[bytes]
) -> None:
    chunks = Chunks()
    told = (
        chunks.feed(framed(first)),
        chunks.feed(framed(then)[:-1]),
        chunks.feed(b"\n"[: len(then)]),
    )
    assert b"".join(told) == b"".join(first + then) and chunks.between


CRLF_EVENTS = [b"%x\r\ndata: %05d\r\n\r\n\r\n" % (15, number) for number in range(50)]


def test_events_whose_lines_end_in_carriage_returns_are_found_too() -> None:
    stream = b"".join(CRLF_EVENTS)
    assert whole_until(stream + b"0\r\n\r\n", 2) == len(stream) - 2 * len(CRLF_EVENTS[0])
    assert unframed(stream).endswith(last_content(stream, 200))
    assert 100 < len(last_content(stream, 200)) < 250
