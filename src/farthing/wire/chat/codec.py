"""The codec of this dialect: it reads it into the canonical model, and writes it from there."""

from __future__ import annotations

from farthing.wire.chat.answers import read_response, write_response
from farthing.wire.chat.hearing import Hearing
from farthing.wire.chat.problems import read_problem, write_problem
from farthing.wire.chat.reading import NAME, read_request
from farthing.wire.chat.speaking import Speaking
from farthing.wire.chat.writing import write_request
from farthing.wire.codec import Codec

CODEC = Codec(
    name=NAME,
    read_request=read_request,
    write_request=write_request,
    read_response=read_response,
    write_response=write_response,
    stream_reader=Hearing,
    stream_writer=Speaking,
    read_problem=read_problem,
    write_problem=write_problem,
)
