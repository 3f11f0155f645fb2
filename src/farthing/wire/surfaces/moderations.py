"""The dialect of OpenAI's Moderations: texts and pictures judged, for nothing at some providers.

https://platform.openai.com/docs/api-reference/moderations
"""

from __future__ import annotations

from farthing.wire.dialect import Ask, Dialect
from farthing.wire.embed.openai import EMBEDDINGS
from farthing.wire.splice import first_byte, read_field, read_object, read_parts
from farthing.wire.surfaces.plain import no_count, unread, write_request


def read_request(body: bytes) -> Ask:
    """Read what is judged; bytes bound its tokens, but for pictures.

    Raises:
        Malformed: not a JSON object.
    """
    fields = read_object(body)
    ask = Ask(
        body=body,
        fields=fields,
        model=read_field(fields, "model", str, ""),
        makes_output=False,
    )
    given = fields.get("input")
    if given is not None and first_byte(given) == b"[":
        parts = read_parts(given, object)
        if any(isinstance(part, dict) and part.get("type") != "text" for part in parts):
            ask.unbounded = ("input that is not text",)
    return ask


MODERATIONS = Dialect(
    name="moderations",
    path="/moderations",
    read_request=read_request,
    write_request=write_request,
    read_answer=EMBEDDINGS.read_answer,  # where tokens are counted, they are those of the input
    read_count=no_count,
    tap=unread,
    error=EMBEDDINGS.error,
    fault=EMBEDDINGS.fault,
    model_list=EMBEDDINGS.model_list,
    crosses=False,
    modelless=True,
)
