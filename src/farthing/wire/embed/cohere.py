"""Cohere's embeddings.

https://docs.cohere.com/reference/embed
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from farthing.errors import FarthingError
from farthing.wire.canon import JSON, Problem
from farthing.wire.chat.response import fault, model_list
from farthing.wire.crossing import Crossing, Severity
from farthing.wire.dialect import Answer, Ask, Changes, Dialect, Usage
from farthing.wire.embed.canon import FLOAT, Input, Request, Response, Vector
from farthing.wire.embed.codec import (
    EmbedCodec,
    kinds_of,
    lose_titles,
    read_kinds,
    read_word,
    texts_of,
    told_in,
)
from farthing.wire.embed.tap import no_stream
from farthing.wire.splice import is_null, read_field, read_object, rebuild
from farthing.wire.take import Taker

NAME = "cohere-embeddings"

# The encodings, by the dialect's words. What its base64 is of is not documented, so it is nobody
# else's.
KINDS = {
    **{kind: kind for kind in (FLOAT, "int8", "uint8", "binary", "ubinary")},
    "base64": "base64, as this vendor's",
}
TASKS = {
    "search_query": "query",
    "search_document": "document",
    "classification": "classification",
    "clustering": "clustering",
}
# The nearest of what another dialect can say.
NEAREST = {"question": "search_query", "fact": "search_query", "code": "search_query"}
CUTS = {"NONE": "none", "START": "start", "END": "end"}

# Every text is for something here. One whose purpose is not told is taken for a document.
USUAL_TASK = "search_document"

SEVERITIES: dict[str, Severity] = {
    "embedding_types": "meaning",
    "images": "meaning",
    "input_type": "meaning",
    "inputs": "meaning",
    "priority": "hint",
    "texts": "meaning",
}
# What an answer repeats, and how it says what was used.
ECHOES = frozenset({"images", "meta", "response_type", "texts"})

Count = Annotated[int, msgspec.Meta(ge=0)] | None


class _Billed(msgspec.Struct):
    input_tokens: Count = None
    images: Count = None
    image_tokens: Count = None


class _Meta(msgspec.Struct):
    billed_units: _Billed | None = None


class _Answer(msgspec.Struct):
    id: str | None = None
    meta: _Meta | None = None


class _Part(msgspec.Struct):
    type: str = ""


class _Content(msgspec.Struct):
    content: list[_Part] = []


_decode = msgspec.json.Decoder(_Answer).decode


# -- what decides the price -----------------------------------------------------------------------


def read_ask(body: bytes) -> Ask:
    """Read what decides a request's price: the length of its texts.

    Raises:
        Malformed: not a JSON object, or a field that decides the price is of a wrong type.
    """
    fields = read_object(body)
    model = read_field(fields, "model", str, "")
    return Ask(
        body=body, fields=fields, model=model, makes_output=False, unbounded=media_in(fields)
    )


def media_in(fields: dict[str, msgspec.Raw]) -> tuple[str, ...]:
    """Return what of the input is no text, and so has no bound."""
    found = [] if is_null(fields.get("images", msgspec.Raw())) else ["`images`"]
    for item in read_field(fields, "inputs", list[_Content], []):
        found += [f"content part `{part.type}`" for part in item.content if part.type != "text"]
    return tuple(found)


def write_ask(ask: Ask, changes: Changes) -> bytes:
    """Return the request to send: the client's bytes but for the model's name."""
    new = {} if changes.model is None else {"model": msgspec.json.encode(changes.model)}
    return rebuild(ask.body, ask.fields, new)


def read_answer(body: bytes) -> Answer:
    """Read a whole answer. Images that were billed have no price here: then it is unknown."""
    try:
        told = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Answer()
    billed = (told.meta.billed_units if told.meta else None) or _Billed()
    known = billed.input_tokens is not None and not (billed.images or billed.image_tokens)
    usage = Usage(input=billed.input_tokens or 0) if known else None
    return Answer(usage=usage, id=told.id or "")


def error(problem: FarthingError, request_id: str) -> bytes:
    """Render an error as this dialect's clients expect it."""
    told = {"id": request_id, "message": problem.message, "code": problem.code}
    return msgspec.json.encode(told)


COHERE_EMBEDDINGS = Dialect(
    name=NAME,
    version="/v2",
    path="/embed",
    read_request=read_ask,
    write_request=write_ask,
    read_answer=read_answer,
    read_count=lambda _: None,  # nobody asks for a count in this dialect
    tap=no_stream,
    error=error,
    fault=fault,
    model_list=model_list,
    family="embeddings",
)


# -- the codec ------------------------------------------------------------------------------------


def read_request(told: JSON) -> Request:
    """Read a request. Raises Malformed when it is no object."""
    taker = Taker(told, "request")
    request = read_fields(taker, NAME)
    request.model = taker.take("model", str, "")
    return request


def read_fields(taker: Taker, dialect: str) -> Request:
    """Read all of a request but its model; what is left goes on in its `rest`."""
    request = Request(dialect=dialect, rest=taker.left)
    texts = taker.strings("texts")
    request.inputs = [Input(text=text) for text in texts or []]
    request.form = "texts" if texts is not None else ""
    request.kinds = read_kinds(taker, "embedding_types", KINDS)
    request.task = read_word(taker, "input_type", TASKS)
    request.dimensions = taker.maybe("output_dimension", int)
    request.cut = read_word(taker, "truncate", CUTS)
    return request


def write_request(request: Request, crossing: Crossing) -> JSON:
    """Write a request."""
    out: JSON = {"model": request.model} if request.model else {}
    return out | write_fields(request, crossing)


def write_fields(request: Request, crossing: Crossing) -> JSON:
    """Write all of a request but its model."""
    out: JSON = {}
    texts = texts_of(request, crossing)
    if texts or not crossing.same or "texts" in request.form:
        out["texts"] = texts
    if kinds := kinds_of(request, crossing, KINDS) if request.kinds or not crossing.same else []:
        out["embedding_types"] = kinds
    if request.dimensions is not None:
        out["output_dimension"] = request.dimensions
    if request.cut:
        out["truncate"] = next(word for word, cut in CUTS.items() if cut == request.cut)
    words = {task: word for word, task in TASKS.items()}
    if crossing.same:
        return out | ({"input_type": words[request.task]} if request.task else {}) | request.rest
    # Unless told otherwise a text that is too long is cut here, which nobody would notice.
    out.setdefault("truncate", "NONE")
    out["input_type"] = words.get(request.task) or _nearest(request, crossing)
    if request.user:
        crossing.lose("user", "hint")
    lose_titles(request, crossing)
    crossing.rest(request)
    return out


def _nearest(request: Request, crossing: Crossing) -> str:
    """Return the nearest purpose there is, and name that it is another."""
    word = NEAREST.get(request.task, USUAL_TASK)
    crossing.lose(f"task (taken for {word})", "shape")
    return word


def read_response(told: JSON) -> Response:
    """Read an answer. Raises Malformed when it is none."""
    taker = Taker(told, "answer")
    response = Response(dialect=NAME, id=taker.take("id", str, ""))
    response.vectors, response.form = read_vectors(taker)
    response.rest = taker.left
    return response


def read_vectors(taker: Taker) -> tuple[list[Vector], str]:
    """Take the embeddings, by encoding or in floats alone, and how they were spelled."""
    given = taker.left.pop("embeddings", None)
    if isinstance(given, list):
        return [Vector(values={FLOAT: numbers}) for numbers in given], "floats"
    columns = {
        kind: column
        for kind, column in (given.items() if isinstance(given, dict) else ())
        if isinstance(column, list)
    }
    rows = zip(*columns.values(), strict=False)
    names = [KINDS.get(kind, kind) for kind in columns]
    return [Vector(values=dict(zip(names, row, strict=True))) for row in rows], "by type"


def write_response(response: Response, request: Request, crossing: Crossing) -> JSON:
    """Write an answer."""
    if crossing.same:
        return write_same(response)
    out: JSON = {"id": response.id, "texts": [item.text for item in request.inputs]}
    out["embeddings"] = columns([values for _, values in told_in(response, request)])
    out["response_type"] = "embeddings_by_type"
    out["meta"] = {"api_version": {"version": "2"}}
    if response.usage is not None:
        out["meta"]["billed_units"] = {"input_tokens": response.usage.tokens()}
    crossing.rest(response)
    return out


def columns(rows: list[JSON]) -> JSON:
    """Return embeddings by encoding, in this dialect's words."""
    words = {kind: word for word, kind in KINDS.items()}
    kinds = rows[0] if rows else {}
    return {words.get(kind, kind): [row[kind] for row in rows] for kind in kinds}


def write_same(response: Response) -> JSON:
    """Write an answer of this dialect back."""
    rows = [vector.values for vector in response.vectors]
    told = [row[FLOAT] for row in rows] if response.form == "floats" else columns(rows)
    named = {"id": response.id} if response.id else {}
    return {"embeddings": told} | named | response.rest


def read_problem(status: int, body: Any) -> Problem:
    """Read an error's body, whatever it is."""
    problem = Problem(dialect=NAME, status=status, message="")
    if not isinstance(body, dict):
        problem.form, problem.rest = "body", {"body": body}
        problem.message = body if isinstance(body, str) else ""
        return problem
    taker = Taker(body)
    problem.message = taker.take("message", str, "")
    problem.rest = taker.left
    return problem


def write_problem(problem: Problem, crossing: Crossing) -> JSON:
    """Write an error's body."""
    if not crossing.same:
        crossing.rest(problem, "error", {})
        return {"message": problem.message or "The provider gave no reason."}
    if problem.form:
        body: JSON = problem.rest["body"]
        return body
    return ({"message": problem.message} if problem.message else {}) | problem.rest


CODEC = EmbedCodec(
    name=NAME,
    read_request=read_request,
    write_request=write_request,
    read_response=read_response,
    write_response=write_response,
    read_problem=read_problem,
    write_problem=write_problem,
    severities=SEVERITIES,
    echoes=ECHOES,
)
