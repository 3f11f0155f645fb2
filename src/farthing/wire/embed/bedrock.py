"""Embeddings by Amazon Bedrock's InvokeModel: Titan's form of one text, Cohere's of several.

A client's body shows which form it has; to the provider the model's name decides.
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html
"""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import unquote

import msgspec

from farthing.errors import Refused
from farthing.wire.canon import JSON
from farthing.wire.chat.response import fault, model_list
from farthing.wire.converse.price import error
from farthing.wire.converse.problems import read_problem, write_problem
from farthing.wire.crossing import Crossing, Severity
from farthing.wire.dialect import Answer, Ask, Changes, Dialect, Target, Usage
from farthing.wire.embed import cohere
from farthing.wire.embed.canon import FLOAT, Input, Request, Response, Vector
from farthing.wire.embed.codec import (
    EmbedCodec,
    kinds_of,
    lose_titles,
    read_kinds,
    texts_of,
    told_in,
)
from farthing.wire.embed.tap import no_stream
from farthing.wire.splice import is_null, read_object
from farthing.wire.take import Taker

NAME = "bedrock-embeddings"
TITAN = "titan"

# Titan's binary has a number for each dimension; what others call so has one for eight of them.
KINDS = {FLOAT: FLOAT, "binary": "binary, as Titan's"}
# The first version takes a text and nothing else.
FIRST = re.compile(r"titan-embed-(g1-)?text-(v1|0[12])")

SEVERITIES: dict[str, Severity] = {
    **cohere.SEVERITIES,
    "embeddingTypes": "meaning",
    "inputImage": "meaning",
    "inputText": "meaning",
}
NO_FORM = "a body that is neither of Titan's text embeddings nor of Cohere's Embed"

# Other models are invoked by the same path: all names of embedding models say what they are.
_target = re.compile(rb"/model/([^/]*embed[^/]*)/invoke", re.IGNORECASE)

Count = Annotated[int, msgspec.Meta(ge=0)] | None


class _Answer(msgspec.Struct, rename="camel"):
    input_text_token_count: Count = None
    embedding: msgspec.Raw = msgspec.Raw()
    embeddings: msgspec.Raw = msgspec.Raw()


_decode = msgspec.json.Decoder(_Answer).decode


# -- what decides the price -----------------------------------------------------------------------


def target(path: bytes) -> Target | None:
    """Read the model off a path."""
    found = _target.fullmatch(path)
    return Target(unquote(found[1].decode("latin-1")), False) if found else None


def read_ask(body: bytes) -> Ask:
    """Read what decides a request's price; its model stands in the path.

    Raises:
        Malformed: not a JSON object, or a field that decides the price is of a wrong type.
    """
    fields = read_object(body)
    unbounded = cohere.media_in(fields)
    if not is_null(fields.get("inputImage", msgspec.Raw())):
        unbounded += ("`inputImage`",)
    if not fields.keys() & {"inputText", "inputImage", "texts", "images", "inputs"}:
        unbounded += (NO_FORM,)
    return Ask(body=body, fields=fields, model="", makes_output=False, unbounded=unbounded)


def write_ask(ask: Ask, _: Changes) -> bytes:
    """Return the request to send: the client's bytes."""
    return ask.body


def read_answer(body: bytes) -> Answer:
    """Read a whole answer. Cohere's tells its usage in a header alone."""
    try:
        told = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Answer()
    count = told.input_text_token_count
    return Answer() if count is None else Answer(usage=Usage(input=count))


def read_counted(body: bytes, tokens: int) -> Answer:
    """Read a whole answer whose usage a header told, if it has any embedding."""
    try:
        told = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Answer()
    served = any(bytes(raw)[:1] in (b"[", b"{") for raw in (told.embedding, told.embeddings))
    return Answer(usage=Usage(input=tokens)) if served else Answer()


BEDROCK_EMBEDDINGS = Dialect(
    name=NAME,
    path="",
    read_request=read_ask,
    write_request=write_ask,
    read_answer=read_answer,
    read_count=lambda _: None,  # nobody asks for a count in this dialect
    tap=no_stream,
    error=error,
    fault=fault,
    model_list=model_list,
    target=target,
    family="embeddings",
    read_counted=read_counted,
    usage_header="x-amzn-bedrock-input-token-count",
)


# -- the codec ------------------------------------------------------------------------------------


def read_request(told: JSON) -> Request:
    """Read a request in either form. Raises Malformed when it is no object."""
    taker = Taker(told, "request")
    if "inputText" not in taker.left:
        return cohere.read_fields(taker, NAME)
    request = Request(dialect=NAME, form=TITAN, rest=taker.left)
    text = taker.maybe("inputText", str)
    request.inputs = [] if text is None else [Input(text=text)]
    request.dimensions = taker.maybe("dimensions", int)
    request.kinds = read_kinds(taker, "embeddingTypes", KINDS)
    return request


def write_request(request: Request, crossing: Crossing) -> JSON:
    """Write a request in the form that its model takes.

    Raises:
        Refused: unsupported_crossing; the model is neither of Titan's nor of Cohere's.
    """
    if crossing.same:
        return _same(request, crossing)
    name = request.model.lower()
    if "titan-embed-text" in name or "titan-embed-g1-text" in name:
        return _write_titan(request, crossing, first=FIRST.search(name) is not None)
    if "cohere.embed" in name:
        return _write_cohere(request, crossing)
    raise Refused(
        "unsupported_crossing",
        f"{request.model!r} has a form of its own by InvokeModel. Requests for embeddings are "
        "translated to the forms of Titan's text embeddings and of Cohere's Embed alone; name one "
        "of these, or send the model's own form to /model/{model}/invoke.",
    )


def _same(request: Request, crossing: Crossing) -> JSON:
    if request.form != TITAN:
        return cohere.write_fields(request, crossing)
    words = {kind: word for word, kind in KINDS.items()}
    out: JSON = {"inputText": request.inputs[0].text} if request.inputs else {}
    if request.kinds:
        out["embeddingTypes"] = [words[kind] for kind in request.kinds]
    if request.dimensions is not None:
        out["dimensions"] = request.dimensions
    return out | request.rest


def _write_cohere(request: Request, crossing: Crossing) -> JSON:
    out = cohere.write_fields(request, crossing)
    if out.get("embedding_types") == [FLOAT]:
        del out["embedding_types"]  # which older models would not know
    if not request.cut:
        del out["truncate"]  # a text that is too long is refused here unless told otherwise
    return out


def _write_titan(request: Request, crossing: Crossing, *, first: bool) -> JSON:
    """Write Titan's form: one text. It refuses one that is too long."""
    texts = texts_of(request, crossing)
    if len(texts) > 1:
        crossing.lose("more than one input", "meaning")
    out: JSON = {"inputText": texts[0] if texts else ""}
    kinds = kinds_of(request, crossing, {FLOAT: FLOAT} if first else KINDS)
    if kinds != [FLOAT]:
        out["embeddingTypes"] = kinds
    if request.dimensions is not None and first:
        crossing.lose("dimensions", "meaning")
    elif request.dimensions is not None:
        out["dimensions"] = request.dimensions
    if request.task:
        crossing.lose("task", "shape")
    if request.cut in ("start", "end"):
        crossing.lose("truncation", "shape")
    if request.user:
        crossing.lose("user", "hint")
    lose_titles(request, crossing)
    crossing.rest(request)
    return out


def read_response(told: JSON) -> Response:
    """Read an answer in either form. Raises Malformed when it is none."""
    taker = Taker(told, "answer")
    response = Response(dialect=NAME)
    if "embedding" not in taker.left and "embeddingsByType" not in taker.left:
        response.id = taker.take("id", str, "")
        response.vectors, response.form = cohere.read_vectors(taker)
        response.rest = taker.left
        return response
    values = {KINDS.get(k, k): v for k, v in taker.take("embeddingsByType", dict, {}).items()}
    if "embedding" in taker.left:
        values[FLOAT] = taker.left["embedding"]
    response.vectors, response.form = [Vector(values=values)], TITAN
    response.rest = told  # whole: its floats may stand there twice
    return response


def write_response(response: Response, request: Request, crossing: Crossing) -> JSON:
    """Write an answer in the form of its request."""
    if crossing.same:
        return response.rest if response.form == TITAN else cohere.write_same(response)
    crossing.rest(response)
    rows = [values for _, values in told_in(response, request)]
    if request.form == TITAN:
        return _answer_titan(rows[0], response)
    by_type = bool(request.kinds)
    return {
        "id": response.id,
        "texts": [item.text for item in request.inputs],
        "embeddings": cohere.columns(rows) if by_type else [row[FLOAT] for row in rows],
        "response_type": "embeddings_by_type" if by_type else "embeddings_floats",
    }


def _answer_titan(values: JSON, response: Response) -> JSON:
    words = {kind: word for word, kind in KINDS.items()}
    out: JSON = {"embedding": values[FLOAT]} if FLOAT in values else {}
    out["embeddingsByType"] = {words[kind]: value for kind, value in values.items()}
    if response.usage is not None:
        out["inputTextTokenCount"] = response.usage.tokens()
    return out


CODEC = EmbedCodec(
    name=NAME,
    read_request=read_request,
    write_request=write_request,
    read_response=read_response,
    write_response=write_response,
    read_problem=read_problem,
    write_problem=write_problem,
    severities=SEVERITIES,
    echoes=cohere.ECHOES | {"embedding", "embeddingsByType", "inputTextTokenCount"},
)
