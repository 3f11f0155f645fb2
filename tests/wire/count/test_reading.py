"""A count is a whole number that is not negative, in a field of its own."""

import pytest

from farthing.wire.count.reading import count_in


def test_a_count_is_read_off_its_field() -> None:
    read = count_in("n")
    assert (read(b'{"n":0}'), read(b'{"m":[],"n":7}')) == (0, 7)


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"{}", b"\xff", b'{"n":-1}', b'{"n":"1"}', b'{"n":1.5}', b'{"n":null}'),
        *(b'{"m":1}', b'{"n":' + b"[" * 100_000),
    ],
)
def test_anything_else_is_none(body: bytes) -> None:
    assert count_in("n")(body) is None
