"""OpenAI's embeddings, spoken by most providers that have any.

https://platform.openai.com/docs/api-reference/embeddings
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from farthing.wire.canon import JSON
from farthing.wire.chat.deployments import deployment
from farthing.wire.chat.problems import read_problem, write_problem
from farthing.wire.chat.response import error, fault, model_list
from farthing.wire.crossing import Crossing, Severity
from farthing.wire.dialect import Answer, Ask, Changes, Dialect, Usage
from farthing.wire.embed.canon import BASE64, FLOAT, Input, Request, Response, Vector
from farthing.wire.embed.codec import (
    EmbedCodec,
    kinds_of,
    lose_rest,
    lose_titles,
    read_word,
    told_in,
)
from farthing.wire.embed.tap import no_stream
from farthing.wire.splice import first_byte, is_null, read_field, read_object, rebuild
from farthing.wire.stated import stated_usd
from farthing.wire.take import Taker

NAME = "embeddings"
KINDS = {FLOAT: FLOAT, BASE64: BASE64}

# A field that the dialect's inventor lacks, and others who speak it need; the words of both.
# https://docs.voyageai.com/reference/embeddings-api https://docs.nvidia.com/nim/nemo-retriever
TASK = "input_type"
TASKS = {
    "query": "query",
    "document": "document",
    "passage": "document",
    "search_query": "query",
    "search_document": "document",
    "classification": "classification",
    "clustering": "clustering",
}

# The encodings and lengths that others who speak the dialect can be asked for, and nobody else.
SEVERITIES: dict[str, Severity] = {
    "encoding_format": "meaning",
    "input": "meaning",
    "messages": "meaning",
    "output_dimension": "meaning",
    "output_dtype": "meaning",
    "provider": "hint",
    "metadata": "hint",
    "user": "hint",
    "service_tier": "hint",
}

Count = Annotated[int, msgspec.Meta(ge=0)] | None


class _Usage(msgspec.Struct):
    prompt_tokens: Count = None
    completion_tokens: Count = None


class _Answer(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    usage: _Usage | None = None


_decode = msgspec.json.Decoder(_Answer).decode


# -- what decides the price -----------------------------------------------------------------------


def read_ask(body: bytes) -> Ask:
    """Read what decides a request's price: the length of its input.

    Raises:
        Malformed: not a JSON object.
    """
    fields = read_object(body)
    model = read_field(fields, "model", str, "")
    unbounded = () if _plain(fields) else ("an `input` that is neither text nor tokens",)
    return Ask(body=body, fields=fields, model=model, makes_output=False, unbounded=unbounded)


def _plain(fields: dict[str, msgspec.Raw]) -> bool:
    """Whether the input is text or tokens alone; some providers take images, in objects."""
    if not is_null(fields.get("messages", msgspec.Raw())):
        return False
    given = fields.get("input", msgspec.Raw())
    if first_byte(given) != b"[":
        return first_byte(given) != b"{"
    return not any(
        first_byte(item) == b"{" for item in read_field(fields, "input", list[msgspec.Raw], [])
    )


def write_ask(ask: Ask, changes: Changes) -> bytes:
    """Return the request to send: the client's bytes but for the model's name."""
    new = {} if changes.model is None else {"model": msgspec.json.encode(changes.model)}
    return rebuild(ask.body, ask.fields, new)


def read_answer(body: bytes) -> Answer:
    """Read a whole answer. Output that was counted has no price here, so its usage is unknown."""
    try:
        told = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Answer()
    usage = told.usage or _Usage()
    known = usage.prompt_tokens is not None and not usage.completion_tokens
    return Answer(
        usage=Usage(input=usage.prompt_tokens or 0) if known else None,
        model=told.model or "",
        id=told.id or "",
        stated=stated_usd(body),
    )


EMBEDDINGS = Dialect(
    name=NAME,
    path="/embeddings",
    read_request=read_ask,
    write_request=write_ask,
    read_answer=read_answer,
    read_count=lambda _: None,  # nobody asks for a count in this dialect
    tap=no_stream,
    error=error,
    fault=fault,
    model_list=model_list,
    target=deployment(b"embeddings"),
    other_paths=("/openai/v1/embeddings",),
    family="embeddings",
)


# -- the codec ------------------------------------------------------------------------------------


def read_request(told: JSON) -> Request:
    """Read a request. Raises Malformed when it is no object."""
    taker = Taker(told, "request")
    request = Request(dialect=NAME)
    request.model = taker.take("model", str, "")
    request.inputs, request.form = _read_inputs(taker.left)
    request.dimensions = taker.maybe("dimensions", int)
    if kind := read_word(taker, "encoding_format", KINDS):
        request.kinds = [kind]
    spelled = taker.left.get(TASK)
    request.task = read_word(taker, TASK, TASKS)
    if request.task:
        request.form += f" {spelled}"
    if taker.left.get("user"):  # an empty one stays as it came
        request.user = taker.take("user", str, "")
    request.rest = taker.left
    return request


def _read_inputs(left: JSON) -> tuple[list[Input], str]:
    """Take the inputs, and how they were spelled: one text, one array of tokens, or many."""
    given = left.get("input")
    many = given if isinstance(given, list) and not _is_tokens(given) else [given]
    if not all(isinstance(item, str) or _is_tokens(item) for item in many):
        return [], "none"
    left.pop("input", None)
    inputs = [Input(text=i) if isinstance(i, str) else Input(tokens=i) for i in many]
    return inputs, "many" if many is given else "one"


def _is_tokens(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(type(item) is int for item in value)


def write_request(request: Request, crossing: Crossing) -> JSON:
    """Write a request."""
    inputs = [i.text if i.tokens is None else i.tokens for i in request.inputs]
    many, _, task = crossing.form(request).partition(" ")
    out: JSON = {}
    if many != "none":
        out["input"] = inputs[0] if len(inputs) == 1 and many in ("", "one") else inputs
    if request.model:
        out["model"] = request.model
    if request.dimensions is not None:
        out["dimensions"] = request.dimensions
    if request.user:
        out["user"] = request.user
    if crossing.same:
        return out | _same(request, task) | request.rest
    out["encoding_format"] = FLOAT
    kinds_of(request, crossing, {FLOAT: FLOAT})
    _lose(request, crossing)
    return out


def _same(request: Request, task: str) -> JSON:
    out: JSON = {"encoding_format": request.kinds[0]} if request.kinds else {}
    return out | ({TASK: task} if task else {})


def _lose(request: Request, crossing: Crossing) -> None:
    """Name what this dialect has no word for. It refuses texts that are too long."""
    if request.task:
        crossing.lose("task", "shape")
    if request.cut in ("start", "end"):
        crossing.lose("truncation", "shape")
    lose_titles(request, crossing)
    for item in request.inputs:
        lose_rest(item, crossing)
    crossing.rest(request)


def read_response(told: JSON) -> Response:
    """Read an answer. Raises Malformed when it is none."""
    taker = Taker(told, "answer")
    response = Response(dialect=NAME, id=taker.take("id", str, ""))
    response.model = taker.take("model", str, "")
    rows = taker.objects("data") or []
    found = [(row.get("index"), number, row) for number, row in enumerate(rows)]
    # In their inputs' order, as their indices tell where they are numbers.
    found.sort(key=lambda row: row[0] if type(row[0]) is int else row[1])
    response.vectors = [_read_vector(row) for _, _, row in found]
    response.form = " ".join(str(number) for _, number, _ in found)
    response.rest = taker.left
    return response


def _read_vector(row: JSON) -> Vector:
    """Read one of the `data`, whose encoding shows in its type."""
    taker = Taker(row, "embedding")
    given = taker.left.pop("embedding", None)
    kind = BASE64 if isinstance(given, str) else FLOAT
    return Vector(values={kind: given}, rest=taker.left)


def write_response(response: Response, request: Request, crossing: Crossing) -> JSON:
    """Write an answer."""
    if crossing.same:
        return _write_same(response)
    kind = (request.kinds or [FLOAT])[0]
    rows = [
        {"object": "embedding", "index": index, "embedding": values[kind]}
        for index, (_, values) in enumerate(told_in(response, request))
    ]
    out: JSON = {"object": "list", "data": rows, "model": response.model}
    if response.usage is not None:
        tokens = response.usage.tokens()
        out["usage"] = {"prompt_tokens": tokens, "total_tokens": tokens}
    crossing.rest(response)
    return out


def _write_same(response: Response) -> JSON:
    rows = [v.rest | {"embedding": next(iter(v.values.values()))} for v in response.vectors]
    places = [int(number) for number in response.form.split()]
    data = [row for _, row in sorted(zip(places, rows, strict=True), key=lambda pair: pair[0])]
    named = {"id": response.id, "model": response.model}
    return {"data": data} | {k: v for k, v in named.items() if v} | response.rest


CODEC = EmbedCodec(
    name=NAME,
    read_request=read_request,
    write_request=write_request,
    read_response=read_response,
    write_response=write_response,
    read_problem=read_problem,
    write_problem=write_problem,
    severities=SEVERITIES,
    echoes=frozenset({"object", "usage", "created"}),
)
