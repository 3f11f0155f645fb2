"""The codecs of Google's embeddings, of one content and of several."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from farthing.wire.canon import JSON
from farthing.wire.crossing import Crossing, Severity
from farthing.wire.embed.canon import (
    FLOAT,
    MISSING,
    SEVERAL,
    WHOLE,
    Input,
    Request,
    Response,
    Vector,
)
from farthing.wire.embed.codec import EmbedCodec, kinds_of, lose_rest, told_in
from farthing.wire.embed.gemini import BATCH, MODELS, NAME, parts_of
from farthing.wire.gemini.problems import read_problem, write_problem
from farthing.wire.take import Taker

TASKS = {
    "RETRIEVAL_QUERY": "query",
    "RETRIEVAL_DOCUMENT": "document",
    "SEMANTIC_SIMILARITY": "similarity",
    "CLASSIFICATION": "classification",
    "CLUSTERING": "clustering",
    "QUESTION_ANSWERING": "question",
    "FACT_VERIFICATION": "fact",
    "CODE_RETRIEVAL_QUERY": "code",
}
# Fields, in both spellings that the provider reads.
TASK = ("taskType", "task_type")
LENGTH = ("outputDimensionality", "output_dimensionality")

# What becomes of a text that is too long, whose client said nothing of it.
UNASKED = "too long a text is cut"

SEVERITIES: dict[str, Severity] = {
    "content": "meaning",
    "embedContentConfig": "meaning",
    "requests": "meaning",
    **dict.fromkeys((*TASK, *LENGTH), "meaning"),
}


def read_one(told: JSON) -> Request:
    """Read a request for one embedding. Raises Malformed when it is no object."""
    taker = Taker(told, "request")
    return _read([taker], Request(dialect=NAME))


def read_batch(told: JSON) -> Request:
    """Read a request for several. Raises Malformed when it is no object."""
    taker = Taker(told, "request")
    rows = taker.objects("requests")
    request = _read([Taker(row) for row in rows or []], Request(dialect=BATCH))
    request.form += "" if rows is not None else " none"
    request.rest = taker.left
    return request


def _read(rows: list[Taker], request: Request) -> Request:
    """Read the requests for one embedding each; what all say alike is the whole request's."""
    words = []
    for name in TASK:
        told = _shared(rows, name, lambda value: isinstance(value, str) and value in TASKS)
        if told is not None:
            request.task = TASKS[told]  # type: ignore[assignment]
            words.append(name)
    for name in LENGTH:
        length = _shared(rows, name, lambda value: type(value) is int)
        if length is not None:
            request.dimensions = length
            words.append(name)
    model = _shared(rows, "model", lambda value: isinstance(value, str))
    if model is not None:
        request.model = model.removeprefix(MODELS)
        words.append("model" if model.startswith(MODELS) else "bare-model")
    request.inputs = [_read_input(row) for row in rows]
    request.form = " ".join(words)
    return request


def _shared(rows: list[Taker], name: str, fits: Callable[[Any], bool]) -> Any:
    """Take a field that every row has with the same value; None, and it stays, otherwise."""
    values = [row.left.get(name) for row in rows]
    if not values or not fits(values[0]) or any(value != values[0] for value in values):
        return None
    for row in rows:
        del row.left[name]
    return values[0]


def _read_input(row: Taker) -> Input:
    """Read one text. A content that says more than that, such as a role, stays in `rest` too."""
    content = row.left.get("content")
    texts = [part.get("text") for part in parts_of(content)]
    found = Input(title=row.take("title", str, ""), rest=row.left)
    if not texts or not all(isinstance(text, str) for text in texts):
        found.form = MISSING
        return found
    found.text = "".join(map(str, texts))
    found.form = WHOLE if len(texts) == 1 else SEVERAL
    if content == {"parts": [{"text": found.text}]}:
        del row.left["content"]
        found.form = ""
    return found


def write_one(request: Request, crossing: Crossing) -> JSON:
    """Write a request for one embedding."""
    if len(request.inputs) > 1:
        crossing.lose("more than one input", "meaning")
    rows = _write(request, crossing)
    return rows[0] if rows else {}


def write_batch(request: Request, crossing: Crossing) -> JSON:
    """Write a request for several."""
    out: JSON = {"requests": _write(request, crossing)}
    if crossing.same:
        return ({} if "none" in request.form.split() else out) | request.rest
    crossing.rest(request)
    return out


def _write(request: Request, crossing: Crossing) -> list[JSON]:
    words = crossing.form(request).split()
    shared: JSON = {}
    task = next((word for word, task in TASKS.items() if task == request.task), None)
    if task is not None:
        shared[next((w for w in words if w in TASK), TASK[0])] = task
    if request.dimensions is not None:
        shared[next((w for w in words if w in LENGTH), LENGTH[0])] = request.dimensions
    if request.model and "bare-model" in words:
        shared["model"] = request.model
    elif request.model:
        shared["model"] = MODELS + request.model
    if not crossing.same:
        _lose(request, crossing)
    return [shared | _write_input(item, crossing) for item in request.inputs]


def _write_input(item: Input, crossing: Crossing) -> JSON:
    out: JSON = {"title": item.title} if item.title else {}
    if item.form != MISSING:
        out["content"] = {"parts": [{"text": item.text}]}
    if item.tokens is not None:
        crossing.lose("input as tokens", "meaning")
    if crossing.source in (NAME, BATCH):
        return out | item.rest  # of the same vendor's other form it is this one's too
    lose_rest(item, crossing)
    return out


def _lose(request: Request, crossing: Crossing) -> None:
    """Name what this dialect has no word for. Texts that are too long are cut, unasked."""
    if crossing.source in (NAME, BATCH):
        return
    kinds_of(request, crossing, {FLOAT: FLOAT})
    if request.cut in ("none", "start"):
        crossing.lose("truncation", "shape")
    elif not request.cut:
        crossing.lose(UNASKED, "hint")
    if request.user:
        crossing.lose("user", "hint")
    crossing.rest(request)


def read_response_one(told: JSON) -> Response:
    """Read one embedding. Raises Malformed when it is none."""
    taker = Taker(told, "answer")
    row = taker.maybe("embedding", dict)
    response = Response(dialect=NAME, form="one" if row is not None else "")
    response.vectors = [_read_vector(row)] if row is not None else []
    response.rest = taker.left
    return response


def read_response_batch(told: JSON) -> Response:
    """Read several embeddings. Raises Malformed when there are none."""
    taker = Taker(told, "answer")
    rows = taker.objects("embeddings")
    response = Response(dialect=BATCH, form="many" if rows is not None else "")
    response.vectors = [_read_vector(row) for row in rows or []]
    response.rest = taker.left
    return response


def _read_vector(row: JSON) -> Vector:
    taker = Taker(row, "embedding")
    values = taker.maybe("values", list)
    return Vector(values={} if values is None else {FLOAT: values}, rest=taker.left)


def write_response_one(response: Response, request: Request, crossing: Crossing) -> JSON:
    """Write one embedding."""
    rows = _write_vectors(response, request, crossing)
    out = {"embedding": rows[0]} if rows else {}
    return out | _write_rest(response, crossing)


def write_response_batch(response: Response, request: Request, crossing: Crossing) -> JSON:
    """Write several embeddings."""
    rows = _write_vectors(response, request, crossing)
    out = {"embeddings": rows} if response.form != "" or not crossing.same else {}
    return out | _write_rest(response, crossing)


def _write_vectors(response: Response, request: Request, crossing: Crossing) -> list[JSON]:
    if crossing.same:
        return [
            ({"values": v.values[FLOAT]} if v.values else {}) | v.rest for v in response.vectors
        ]
    return [{"values": values[FLOAT]} for _, values in told_in(response, request)]


def _write_rest(response: Response, crossing: Crossing) -> JSON:
    if crossing.same:
        return response.rest
    crossing.rest(response)
    if response.usage is None:
        return {}
    return {"usageMetadata": {"promptTokenCount": response.usage.tokens()}}


ECHOES = frozenset({"usageMetadata"})

CODEC = EmbedCodec(
    name=NAME,
    read_request=read_one,
    write_request=write_one,
    read_response=read_response_one,
    write_response=write_response_one,
    read_problem=read_problem,
    write_problem=write_problem,
    severities=SEVERITIES,
    echoes=ECHOES,
)
BATCH_CODEC = EmbedCodec(
    name=BATCH,
    read_request=read_batch,
    write_request=write_batch,
    read_response=read_response_batch,
    write_response=write_response_batch,
    read_problem=read_problem,
    write_problem=write_problem,
    severities=SEVERITIES,
    echoes=ECHOES,
)
