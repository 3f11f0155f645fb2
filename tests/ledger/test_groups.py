"""Groups: read whole, or passed over by their headers. Their form is held in test_journal.py."""

from __future__ import annotations

import pytest

from farthing.ledger.entry import Config, Entry, encode
from farthing.ledger.groups import HEADER, encode_group, header_at, read_groups, skip_groups

SIZES = [1, 15, 16, 3, 65_536, 2]


def made(number: int) -> Entry:
    return Config(number, "c")


def journal() -> tuple[bytes, list[int], list[int]]:
    """Return groups of some sizes, the offset after each, and the entries before that."""
    content, ends, positions, position = b"", list[int](), list[int](), 0
    for size in SIZES:
        entries = [encode(made(position + n + 1)) for n in range(size)]
        content += encode_group(entries, position + 1, position)
        position += size
        ends.append(len(content))
        positions.append(position)
    return content, ends, positions


CONTENT, ENDS, POSITIONS = journal()


def test_what_was_joined_is_read() -> None:
    found = list(read_groups(CONTENT + bytes(100), 0, 0))
    assert [end for _, end in found] == ENDS
    assert [e for group, _ in found for e in group] == [made(n + 1) for n in range(POSITIONS[-1])]


@pytest.mark.parametrize("count", range(len(SIZES) + 1))
def test_groups_are_passed_over_without_being_read(count: int) -> None:
    until = POSITIONS[count - 1] if count else 0
    passed = list(skip_groups(CONTENT, 0, 0, until))
    starts = [0, *ENDS]
    assert passed == list(zip(starts, ENDS[:count], POSITIONS[:count], strict=False))


def test_nothing_is_passed_over_that_is_not_the_next_group() -> None:
    assert list(skip_groups(CONTENT, 0, 1, 99)) == []
    assert list(skip_groups(CONTENT, 1, 0, 99)) == []
    assert list(skip_groups(CONTENT[: ENDS[0] - 1], 0, 0, 99)) == []
    no_array = bytearray(CONTENT)
    no_array[HEADER.size] = 0xC0
    assert list(skip_groups(bytes(no_array), 0, 0, 99)) == []


def test_a_header_is_found_only_where_one_is() -> None:
    head = header_at(CONTENT, ENDS[0])
    assert head is not None
    assert (head.first, head.durable, head.length) == (2, 1, ENDS[1] - ENDS[0] - HEADER.size)
    assert header_at(CONTENT, 1) is None
    assert header_at(CONTENT[: HEADER.size - 1], 0) is None
