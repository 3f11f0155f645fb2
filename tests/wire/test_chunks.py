"""The framing of bodies in chunks: taken off however the bytes come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from farthing.wire.chunks import Chunks, unframed

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
