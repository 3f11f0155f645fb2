"""The codec of Messages."""

from farthing.wire.codec import Codec
from farthing.wire.messages.answers import read_response, write_response
from farthing.wire.messages.parts import DIALECT
from farthing.wire.messages.problems import read_problem, write_problem
from farthing.wire.messages.requests import read_request, write_request
from farthing.wire.messages.stream_reader import Reader
from farthing.wire.messages.stream_writer import stream_writer

CODEC = Codec(
    name=DIALECT,
    read_request=read_request,
    write_request=write_request,
    read_response=read_response,
    write_response=write_response,
    stream_reader=Reader,
    stream_writer=stream_writer,
    read_problem=read_problem,
    write_problem=write_problem,
)
