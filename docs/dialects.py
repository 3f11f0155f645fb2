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
from farthing.wire.crossing import Crossing
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
"""


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
