"""The dialect of rerankers: documents put in the order of their use for a question.

Cohere's, which other providers speak too; some of them count tokens, Cohere itself searches.
https://docs.cohere.com/reference/rerank
"""

from __future__ import annotations

import msgspec

from farthing.wire.chat.response import error, fault, model_list
from farthing.wire.dialect import Answer, Ask, Dialect, Usage
from farthing.wire.splice import read_field, read_object
from farthing.wire.surfaces.plain import Count, no_count, unread, write_request

# A unit is one query with up to a hundred documents; one of more than 500 tokens, the question
# included, counts as several. https://cohere.com/pricing
UNIT_DOCUMENTS = 100
DOCUMENT_TOKENS = 500

# Tokens of a provider's template around a question and a document; as for any query.
PAIR_TOKENS = 1024


class _Units(msgspec.Struct):
    search_units: Count = None
    input_tokens: Count = None


class _Meta(msgspec.Struct):
    billed_units: _Units | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: Count = None
    completion_tokens: Count = None
    total_tokens: Count = None
    search_units: Count = None


class _Answer(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    meta: _Meta | None = None
    usage: _Usage | None = None


_decode = msgspec.json.Decoder(_Answer).decode


def read_request(body: bytes) -> Ask:
    """Read what decides a request's price: how many documents, and the question put to each.

    Raises:
        Malformed: not a JSON object, or the documents are no array.
    """
    fields = read_object(body)
    question = len(fields.get("query", b""))
    documents = [len(raw) for raw in read_field(fields, "documents", list[msgspec.Raw], [])]
    room = max(1, DOCUMENT_TOKENS - question)
    pieces = sum(1 + length // room for length in documents)
    return Ask(
        body=body,
        fields=fields,
        model=read_field(fields, "model", str, ""),
        makes_output=False,
        extra_input=len(documents) * (question + PAIR_TOKENS),
        most=Usage(search_units=max(1, -(-pieces // UNIT_DOCUMENTS))),
    )


def read_answer(body: bytes) -> Answer:
    """Read a whole answer: it counts searches or tokens, or its usage is unknown."""
    try:
        told = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Answer()
    units = (told.meta and told.meta.billed_units) or _Units()
    return Answer(
        usage=_usage(units, told.usage or _Usage()), model=told.model or "", id=told.id or ""
    )


def _usage(units: _Units, usage: _Usage) -> Usage | None:
    searches = units.search_units if units.search_units is not None else usage.search_units
    if searches is not None:
        return Usage(search_units=searches)
    if usage.completion_tokens:
        return None
    told = (usage.total_tokens, usage.prompt_tokens, units.input_tokens)
    tokens = next((count for count in told if count is not None), None)
    return None if tokens is None else Usage(input=tokens)


RERANK = Dialect(
    name="rerank",
    path="/rerank",
    other_paths=("/v2/rerank",),
    read_request=read_request,
    write_request=write_request,
    read_answer=read_answer,
    read_count=no_count,
    tap=unread,
    error=error,
    fault=fault,
    model_list=model_list,
    crosses=False,
)
