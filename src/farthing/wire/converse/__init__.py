"""The dialect of Amazon Bedrock's Converse and ConverseStream.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from farthing.wire.chat.response import model_list
from farthing.wire.converse.price import (
    STREAM_TYPE,
    VERBS,
    FrameFraming,
    error,
    fault,
    read_answer,
    read_request,
    tap,
    target,
    write_request,
)
from farthing.wire.dialect import Dialect

CONVERSE = Dialect(
    name="converse",
    path="",
    read_request=read_request,
    write_request=write_request,
    read_answer=read_answer,
    read_count=lambda _: None,  # nobody asks for a count in this dialect
    tap=tap,
    error=error,
    fault=fault,
    model_list=model_list,
    framing=FrameFraming,
    stream_type=STREAM_TYPE,
    target=target,
    verbs=VERBS,
)
