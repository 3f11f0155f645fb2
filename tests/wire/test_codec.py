"""The contract of codecs: what every reader and writer has."""

from __future__ import annotations

import inspect

import pytest

from farthing.wire.codec import Codec, StreamReader, StreamWriter
from farthing.wire.codecs import CODECS
from farthing.wire.crossing import Crossing

every_codec = pytest.mark.parametrize("codec", CODECS.values(), ids=lambda codec: codec.name)


def methods(protocol: type) -> list[str]:
    return [name for name, _ in inspect.getmembers(protocol, inspect.isfunction) if name[0] != "_"]


@every_codec
def test_readers_and_writers_have_all_that_the_contract_names(codec: Codec) -> None:
    reader, writer = codec.stream_reader(), codec.stream_writer(Crossing("none", codec.name))
    assert all(callable(getattr(reader, name)) for name in methods(StreamReader))
    assert all(callable(getattr(writer, name)) for name in methods(StreamWriter))


@every_codec
def test_each_stream_has_a_reader_of_its_own(codec: Codec) -> None:
    assert codec.stream_reader() is not codec.stream_reader()


@every_codec
def test_a_reader_that_heard_nothing_holds_nothing_back(codec: Codec) -> None:
    assert codec.stream_reader().rest() == []
