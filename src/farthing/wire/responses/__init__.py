"""The dialect of OpenAI's Responses API.

https://platform.openai.com/docs/api-reference/responses
"""

from farthing.wire.chat.response import model_list
from farthing.wire.dialect import Dialect
from farthing.wire.responses.request import read_request, write_request
from farthing.wire.responses.response import error, fault, read_answer, tap

RESPONSES = Dialect(
    name="responses",
    path="/responses",
    read_request=read_request,
    write_request=write_request,
    read_answer=read_answer,
    read_count=lambda _: None,  # nobody asks for a count in this dialect
    tap=tap,
    error=error,
    fault=fault,
    model_list=model_list,
    users=(("safety_identifier",), ("user",)),
    other_paths=("/openai/v1/responses", "/openai/responses"),
)
