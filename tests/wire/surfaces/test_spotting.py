"""The usage behind an image: found whatever the size of the event and the cuts of the network."""

from __future__ import annotations

import pytest

from farthing.wire.dialect import Answer, Usage
from farthing.wire.surfaces.images import read_answer
from farthing.wire.surfaces.spotting import KEPT, SpottingTap

USAGE = b'{"input_tokens":5,"output_tokens":7,"input_tokens_details":{"image_tokens":2}}'
IMAGE = b"A" * 200_000
LAST = b'data: {"type":"x.completed","b64_json":"%s","usage": %s}\n\n' % (IMAGE, USAGE)
FIRST = b'data: {"type":"x.partial","b64_json":"%s","usage":null}\n\n' % IMAGE


@pytest.mark.parametrize("step", [1, 7, 100, 65536, 10**6])
def test_it_is_found_behind_any_image_and_any_cut(step: int) -> None:
    stream = (FIRST + LAST)[-100_000 if step == 1 else 0 :]
    tap = SpottingTap(read_answer)
    passed = b"".join(tap.feed(stream[i : i + step]) for i in range(0, len(stream), step))
    assert passed + tap.rest() == stream
    assert tap.answer().usage == Usage(input=3, input_image=2, output_image=7)


def test_the_last_one_counts() -> None:
    tap = SpottingTap(read_answer)
    tap.feed(LAST)
    tap.feed(LAST.replace(b'_tokens":7', b'_tokens":9'))
    assert tap.answer().usage == Usage(input=3, input_image=2, output_image=9)


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        b"data: {}",
        b'data: {"usage":null}',
        b'data: {"usage":{"input_tokens":5',
        b'data: {"usage":"x"}',
        b'data: {"prompt":"\\"usage\\":{\\"input_tokens\\":5,\\"output_tokens\\":7}"}',
        b'data: {"usage":{"x":"' + b"y" * KEPT + b'","input_tokens":5,"output_tokens":7}}',
    ],
)
def test_what_is_none_is_none(stream: bytes) -> None:
    tap = SpottingTap(read_answer)
    tap.feed(stream)
    assert tap.answer() == Answer()
