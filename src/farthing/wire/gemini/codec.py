"""The codec of this dialect.

https://ai.google.dev/api/generate-content
"""

from __future__ import annotations

from farthing.wire.codec import Codec
from farthing.wire.gemini.answers import read_response, write_response
from farthing.wire.gemini.calls import VENDOR
from farthing.wire.gemini.problems import read_problem, write_problem
from farthing.wire.gemini.requests import read_request, write_request
from farthing.wire.gemini.stream_reader import Reader
from farthing.wire.gemini.stream_writer import Writer

CODEC = Codec(
    name=VENDOR,
    read_request=read_request,
    write_request=write_request,
    read_response=read_response,
    write_response=write_response,
    stream_reader=Reader,
    stream_writer=Writer,
    read_problem=read_problem,
    write_problem=write_problem,
)
