"""The page of what dialects can say to each other, found by having the codecs say it."""

from __future__ import annotations

import msgspec

from farthing.wire.canon import (
    CacheMark,
    Citation,
    Format,
    Media,
    Part,
    Reasoning,
    Request,
    Signature,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from farthing.wire.codecs import CODECS
from farthing.wire.count.envelopes import ENVELOPES
from farthing.wire.crossing import Crossing, Loss
from farthing.wire.embed.bedrock import NAME as BEDROCK
from farthing.wire.embed.canon import Input
from farthing.wire.embed.canon import Request as EmbedRequest
from farthing.wire.embed.codecs import CODECS as EMBED_CODECS
from farthing.wire.embed.gemini_codec import UNASKED
from farthing.wire.severities import HINTS, MEANINGS

PNG = "iVBORw0KGgo="
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
ASK = Turn(role="user", parts=[Text(text="x")])
TOOL = Tool(name="f", description="d", schema=SCHEMA)
CALL = Turn(role="assistant", parts=[ToolCall(id="call_1", name="f", arguments='{"a":"b"}')])


def asking(*parts: Part, **fields: object) -> Request:
    """Return a request with some parts in its last user turn."""
    turns = [Turn(role="user", parts=[Text(text="x"), *parts])]
    base = Request(dialect="none", model="m", turns=turns, output_cap=4096)
    return msgspec.structs.replace(base, **fields)


def answering(*parts: Part, error: bool = False) -> Request:
    """Return a request with a tool's result."""
    result = ToolResult(call="call_1", name="f", parts=list(parts), error=error)
    turns = [ASK, CALL, Turn(role="tool", parts=[result])]
    return asking(turns=turns, tools=[TOOL])


def after(*parts: Part) -> Request:
    """Return a request with an earlier answer."""
    return asking(turns=[ASK, Turn(role="assistant", parts=list(parts)), ASK])


FEATURES: dict[str, Request] = {
    "text, and system text first": asking(turns=[Turn(role="system", parts=[Text(text="s")]), ASK]),
    "system text among the turns": asking(
        turns=[ASK, Turn(role="system", parts=[Text(text="s")]), ASK]
    ),
    "a cache mark": asking(Text(text="y", cache=CacheMark())),
    "an image, as data": asking(Media(kind="image", data=PNG, mime="image/png")),
    "an image, by its address": asking(Media(kind="image", url="https://example.com/a.png")),
    "sound": asking(Media(kind="audio", data="UklGRg==", mime="audio/wav")),
    "a PDF": asking(Media(kind="document", data="JVBERi0=", mime="application/pdf", name="a.pdf")),
    "a film": asking(Media(kind="video", data="AAAA", mime="video/mp4")),
    "a tool, its call and its result": answering(Text(text="y")),
    "a result that is an error": answering(Text(text="y"), error=True),
    "an image in a result": answering(Media(kind="image", data=PNG, mime="image/png")),
    "a tool of free text": asking(tools=[Tool(name="f", custom=True)]),
    "a tool that must be called": asking(tools=[TOOL], choice=ToolChoice(mode="required")),
    "one tool that must be called": asking(tools=[TOOL], choice=ToolChoice(mode="named", name="f")),
    "no tool may be called": asking(tools=[TOOL], choice=ToolChoice(mode="none")),
    "one call at a time": asking(tools=[TOOL], parallel_calls=False),
    "an answer by a schema": asking(
        format=Format(kind="schema", schema=SCHEMA, name="n", strict=True)
    ),
    "an answer in any JSON": asking(format=Format(kind="json")),
    "an effort of thinking": asking(thinking=Thinking(enabled=True, effort="low")),
    "a budget of thinking": asking(thinking=Thinking(enabled=True, budget=2048)),
    "another vendor's thoughts": after(
        Reasoning(text="hm", signature=Signature(value="s", vendor="another")), Text(text="y")
    ),
    "citations of an earlier answer": after(
        Text(text="y", citations=[Citation(url="https://example.com", title="t", start=0, end=1)])
    ),
    "temperature": asking(temperature=0.5),
    "top-p": asking(top_p=0.5),
    "top-k": asking(top_k=5),
    "stop sequences": asking(stop=["END"]),
    "several answers": asking(answers=2),
    "a seed": asking(seed=1),
    "penalties": asking(frequency_penalty=0.5, presence_penalty=0.5),
    "log-probabilities": asking(logprobs=2),
    "the client's user": asking(user="u"),
    "metadata": asking(metadata={"k": "v"}),
}


# -- embeddings and counts ------------------------------------------------------------------------


def embedding(*inputs: Input, **fields: object) -> EmbedRequest:
    """Return a request for embeddings; of one text unless said."""
    given = list(inputs) or [Input(text="x")]
    base = EmbedRequest(dialect="none", model="m", inputs=given, task="document")
    return msgspec.structs.replace(base, **fields)


EMBED_FEATURES: dict[str, EmbedRequest] = {
    "one text": embedding(),
    "several texts": embedding(Input(text="x"), Input(text="y")),
    "tokens": embedding(Input(tokens=[1, 2])),
    "a number of dimensions": embedding(dimensions=256),
    "floats": embedding(kinds=["float"]),
    "base64 of floats": embedding(kinds=["base64"]),
    "8-bit integers": embedding(kinds=["int8"]),
    "bits, packed": embedding(kinds=["ubinary"]),
    "for a document": embedding(task="document"),
    "for a query": embedding(task="query"),
    "for similarity": embedding(task="similarity"),
    "for nothing that was said": embedding(task=""),
    "a title": embedding(Input(text="x", title="t")),
    "a long text is refused": embedding(cut="none"),
    "a long text is cut at its end": embedding(cut="end"),
    "the client's user": embedding(user="u"),
}
# A column for each form: by InvokeModel the model's name decides it.
EMBED_COLUMNS = {name: (name, "m") for name in EMBED_CODECS if name != BEDROCK}
EMBED_COLUMNS |= {
    "Titan v1": (BEDROCK, "titan-embed-text-v1"),
    "Titan v2": (BEDROCK, "titan-embed-text-v2:0"),
    "Cohere on Bedrock": (BEDROCK, "cohere.embed-english-v3"),
}
WHERE = {
    "embeddings": "`POST /v1/embeddings`",
    "gemini-batch-embeddings": "`POST /v1beta/models/{model}:batchEmbedContents`",
    "gemini-embeddings": "`POST /v1beta/models/{model}:embedContent`",
    "cohere-embeddings": "`POST /v2/embed`",
    "bedrock-embeddings": "`POST /model/{model}/invoke`, of models with `embed` in their name",
    "counting": "`POST /v1/messages/count_tokens`",
    "responses-counting": "`POST /v1/responses/input_tokens`",
    "gemini-counting": "`POST /v1beta/models/{model}:countTokens`",
    "converse-counting": "`POST /model/{model}/count-tokens`",
}


def embed_losses(request: EmbedRequest, there: str, model: str) -> set[Loss]:
    """Return what a request for embeddings loses in a dialect."""
    crossing = Crossing("none", there)
    EMBED_CODECS[there].write_request(msgspec.structs.replace(request, model=model), crossing)
    # That a long text is cut there unasked is told below, once for all.
    return {loss for loss in crossing.losses if loss.what != UNASKED}


def embed_weight(feature: str, there: str, model: str) -> str:
    """Return the worst loss of a feature in a dialect; "kept" for none. Purposes, which all
    requests have, count where they are the feature."""
    losses = embed_losses(EMBED_FEATURES[feature], there, model)
    if not feature.startswith("for "):
        losses -= embed_losses(embedding(), there, model)
    worst = max((WEIGHT[loss.severity] for loss in losses), default=0)
    return ("kept", "hint", "shape", "**meaning**")[worst]


def embeddings_section() -> str:
    """What every dialect of embeddings, and of counts, can say."""
    rows = "\n".join(
        f"| {name} | {' | '.join(embed_weight(name, *to) for to in EMBED_COLUMNS.values())} |"
        for name in EMBED_FEATURES
    )
    places = {name: f"| {name} | {where} |" for name, where in WHERE.items()}
    embeds = "\n".join(places[name] for name in EMBED_CODECS)
    counts = "\n".join(f"{places[e.name]} {e.of} |" for e in ENVELOPES.values())
    return f"""
## Embeddings

Embeddings cross among themselves.

| dialect | where |
|---|---|
{embeds}

| | {" | ".join(EMBED_COLUMNS)} |
|---|{"---|" * len(EMBED_COLUMNS)}
{rows}

- Where nothing is said of long texts, they are refused; Google's models cut them, which is a hint
  on every translation to them (`{UNASKED}`).
- `embeddings` has no word for a purpose; one in `input_type`, as several providers that speak it
  want it, is read. Cohere's models need one: without, a text is taken for a document.
- Titan's form is of one text: send several as several queries.
- Images and other media have no bound yet and are refused, in every dialect.
- Usage is the answer's own. Where it tells none it is a header's
  (`x-amzn-bedrock-input-token-count`), or the provider's count beforehand (Google's older models).
  Where nothing tells it, the query's cost stays held at its maximum, as always.

## Counting tokens

A count asked for in one dialect is asked of the model's provider in its own, at no cost. The answer
is one number: the details that some give beside it stay on their own dialect.

| dialect | where | counts requests of |
|---|---|---|
{counts}

What is lost is what the request counted would lose in the table at the top. Settings that no count
depends on (a cap, a temperature) are left out where an endpoint does not take them. A provider
that does not count is named with `unsupported_crossing`.
"""


WEIGHT = {"": 0, "hint": 1, "shape": 2, "meaning": 3}


def weight(request: Request, there: str) -> str:
    """Return the worst loss of a request in a dialect; "kept" for none."""
    crossing = Crossing("none", there)
    CODECS[there].write_request(request, crossing)
    worst = max((WEIGHT[loss.severity] for loss in crossing.losses), default=0)
    return ("kept", "hint", "shape", "**meaning**")[worst]


def dialects_page() -> str:
    """What every dialect can say."""
    names = list(CODECS)
    rows = "\n".join(
        f"| {feature} | {' | '.join(weight(request, there) for there in names)} |"
        for feature, request in FEATURES.items()
    )
    fields = "\n".join(
        f"| {name} | {_listed(HINTS[name])} | {_listed(MEANINGS[name])} |" for name in names
    )
    return f"""# Dialects

A request in one dialect for a model whose provider speaks another is translated. What a column's
dialect cannot say of a request is lost as a

- **hint**: left out and named in `farthing-losses`; the answer is the same without it;
- **shape**: left out or approximated, and named; refused with `farthing-strict: true`;
- **meaning**: refused with 400 (`lossy_crossing`), as the answer would be to another question.

Whatever the client's dialect, the table is the same: all are read into one model first. "Kept" is
for requests as they are here; a rarer form of the same (a schema that a vendor's subset cannot say,
a document type it does not read) can weigh more, and is named.

| | {" | ".join(names)} |
|---|{"---|" * len(names)}
{rows}

Between requests of the same dialect nothing is lost: their bytes pass.

## Fields of one dialect alone

A field that another dialect has no word for is a shape, but for these:

| dialect | hints | meanings |
|---|---|---|
{fields}
{embeddings_section()}"""


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
