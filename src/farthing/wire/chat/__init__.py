"""The dialect of OpenAI's Chat Completions, spoken by most providers.

https://platform.openai.com/docs/api-reference/chat
"""

from farthing.wire.chat.deployments import deployment
from farthing.wire.chat.request import read_request, write_request
from farthing.wire.chat.response import error, fault, model_list, read_answer, tap
from farthing.wire.dialect import Dialect

CHAT = Dialect(
    name="chat",
    path="/chat/completions",
    read_request=read_request,
    write_request=write_request,
    read_answer=read_answer,
    read_count=lambda _: None,  # this dialect has no request that counts
    tap=tap,
    error=error,
    fault=fault,
    model_list=model_list,
    users=(("safety_identifier",), ("user",)),
    target=deployment(b"chat/completions"),
    other_paths=("/openai/v1/chat/completions",),
)
