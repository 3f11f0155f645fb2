"""The Converse dialect, both ways."""

from __future__ import annotations

from farthing.wire.codec import Codec
from farthing.wire.converse.answers import read_response, write_response
from farthing.wire.converse.problems import read_problem, write_problem
from farthing.wire.converse.requests import read_request, write_request
from farthing.wire.converse.stream_writer import ConverseStreamWriter
from farthing.wire.converse.streams import ConverseStreamReader
from farthing.wire.converse.unions import NAME

CODEC = Codec(
    name=NAME,
    read_request=read_request,
    write_request=write_request,
    read_response=read_response,
    write_response=write_response,
    stream_reader=ConverseStreamReader,
    stream_writer=ConverseStreamWriter,
    read_problem=read_problem,
    write_problem=write_problem,
)
