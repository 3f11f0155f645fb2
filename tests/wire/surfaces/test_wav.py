"""The longest a sound can be: known for samples as they are, and for nothing else."""

from __future__ import annotations

import io
import wave

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.wire.surfaces.wav import LEAST_SECONDS, most_seconds


def sound(seconds: int, rate: int = 16_000, channels: int = 1, width: int = 2) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(channels)
        written.setsampwidth(width)
        written.setframerate(rate)
        written.writeframes(bytes(seconds * rate * channels * width))
    return file.getvalue()


@pytest.mark.parametrize("rate", [8000, 16_000, 48_000])
@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_sound_is_never_longer_than_its_bytes_allow(rate: int, width: int, channels: int) -> None:
    most = most_seconds(sound(30, rate, channels, width))
    assert most is not None and most >= 30


def test_the_shortest_is_billed_as_ten_seconds_by_some() -> None:
    assert most_seconds(sound(1, 8000, 1, 1)) == LEAST_SECONDS


PLAIN = sound(1)


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"ID3\x04" + bytes(99),
        b"OggS" + bytes(99),
        PLAIN[:30],
        PLAIN.replace(b"RIFF", b"RF64"),
        PLAIN.replace(b"data", b"junk"),
        PLAIN[:20] + b"\x55\0" + PLAIN[22:],  # MP3 inside
        PLAIN[:24] + bytes(4) + PLAIN[28:],  # no samples a second
        PLAIN[:28] + b"\1\0\0\0" + PLAIN[32:],  # a byte a second
        PLAIN[:32] + b"\1\0" + PLAIN[34:],  # frames of another size
        PLAIN[:34] + b"\4\0" + PLAIN[36:],  # compressed samples
        PLAIN[:12] + PLAIN[12:36] + PLAIN[12:],  # two formats
        PLAIN[:12] + PLAIN[36:],  # none
    ],
)
def test_what_is_not_plain_has_no_bound(file: bytes) -> None:
    assert most_seconds(file) is None


@given(st.binary(max_size=80))
def test_no_bytes_make_a_sound_longer_than_they_are(noise: bytes) -> None:
    assert most_seconds(noise) is None, "there is no room for a format and samples"
    most = most_seconds(PLAIN[:36] + noise)
    assert most is None or most == LEAST_SECONDS
