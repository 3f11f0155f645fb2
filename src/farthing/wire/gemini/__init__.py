"""The dialect of Google's Gemini: generateContent.

https://ai.google.dev/api/generate-content
"""

from farthing.wire.dialect import Dialect
from farthing.wire.gemini.price import (
    VERBS,
    error,
    fault,
    model_list,
    read_answer,
    read_request,
    tap,
    target,
    write_request,
)

GEMINI = Dialect(
    name="gemini",
    path="",
    read_request=read_request,
    write_request=write_request,
    read_answer=read_answer,
    read_count=lambda _: None,  # nobody asks for a count in this dialect
    tap=tap,
    error=error,
    fault=fault,
    model_list=model_list,
    models_path="/v1beta/models",
    told_by=("x-goog-api-key",),
    target=target,
    verbs=VERBS,
)
