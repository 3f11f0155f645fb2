"""The longest that a sound can be, by its bytes: known for plain WAV, and for nothing else.

A compressed file can be silent for hours in a few bytes, and a container can claim any length. Of
samples as they are (PCM) each second has its bytes. http://soundfile.sapp.org/doc/WaveFormat/
"""

from __future__ import annotations

import struct

# Decoders look for DTS, AC-3 and the like inside such a file; none has fewer than 32 kbit a second.
BYTES_A_SECOND = 4000
# What the shortest sound is billed as, where that is most. https://console.groq.com/docs/speech-to-text
LEAST_SECONDS = 10

PCM = 1
SAMPLE_BITS = (8, 16, 24, 32)
FORMAT = struct.Struct("<HHIIHH")


def most_seconds(sound: bytes) -> int | None:
    """Return how many seconds a file has at most; None where its bytes do not say."""
    if sound[:4] != b"RIFF" or sound[8:12] != b"WAVE":
        return None
    place, plain = 12, False
    while place + 8 <= len(sound):
        name, size = (
            sound[place : place + 4],
            int.from_bytes(sound[place + 4 : place + 8], "little"),
        )
        if name == b"data":
            return _seconds(sound) if plain else None
        if name == b"fmt ":
            if plain or not _is_plain(sound[place + 8 : place + 8 + size]):
                return None
            plain = True
        place += 8 + size + size % 2
    return None


def _seconds(sound: bytes) -> int:
    return max(LEAST_SECONDS, -(-len(sound) // BYTES_A_SECOND) + 1)


def _is_plain(told: bytes) -> bool:
    """Whether a format is PCM and says nothing that contradicts itself."""
    if len(told) < FORMAT.size:
        return False
    tag, channels, rate, a_second, a_frame, bits = FORMAT.unpack_from(told)
    frame = channels * bits // 8
    return (
        tag == PCM
        and bits in SAMPLE_BITS
        and frame == a_frame > 0
        and rate * frame == a_second >= BYTES_A_SECOND
    )
