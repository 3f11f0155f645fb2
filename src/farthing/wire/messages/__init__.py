"""The dialect of Anthropic's Messages.

https://docs.anthropic.com/en/api/messages
"""

from farthing.wire.dialect import Dialect
from farthing.wire.messages import versions
from farthing.wire.messages.request import read_request, write_request
from farthing.wire.messages.response import (
    error,
    fault,
    model_list,
    read_answer,
    read_count,
    tap,
)

MESSAGES = Dialect(
    name="messages",
    path="/messages",
    read_request=read_request,
    write_request=write_request,
    read_answer=read_answer,
    read_count=read_count,
    tap=tap,
    error=error,
    fault=fault,
    model_list=model_list,
    users=(("metadata", "user_id"),),
    passed_headers=(versions.HEADER, "anthropic-beta"),
    required_headers=((versions.HEADER, versions.OLDER),),
    check=versions.check,
)
