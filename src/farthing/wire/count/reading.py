"""Read a count off an answer."""

from __future__ import annotations

from collections.abc import Callable

import msgspec


def count_in(field: str) -> Callable[[bytes], int | None]:
    """Return what reads the count in a field of an answer; None when there is none."""
    decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

    def read(body: bytes) -> int | None:
        try:
            told = decode(body)
            number = msgspec.json.decode(told[field], type=int)
        except (KeyError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        return number if number >= 0 else None

    return read
