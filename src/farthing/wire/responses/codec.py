"""The codec of this dialect."""

from farthing.wire.codec import Codec
from farthing.wire.responses.answers import read_response, write_response
from farthing.wire.responses.forms import NAME
from farthing.wire.responses.problems import read_problem, write_problem
from farthing.wire.responses.requests import read_request, write_request
from farthing.wire.responses.stream_writer import Writer
from farthing.wire.responses.streams import Reader

CODEC = Codec(
    name=NAME,
    read_request=read_request,
    write_request=write_request,
    read_response=read_response,
    write_response=write_response,
    stream_reader=Reader,
    stream_writer=Writer,
    read_problem=read_problem,
    write_problem=write_problem,
)
