"""The canonical model: requests, answers and streams that belong to no vendor.

A codec reads its dialect into these nodes and writes them back. Two rules keep everything:

- A node *takes* the keys it understands; what is left of the object it was read from (unknown
  keys, nulls, values of another type than expected) stays in `rest`, is written back on the same
  dialect, and is a named loss on any other.
- Where a dialect has several spellings of one thing, `form` remembers which one was read. It
  matters to that dialect alone, and to others never.

So `write(read(x)) == x` as JSON, for each dialect. Text is text; tool arguments are text that
should be JSON; binary data is base64 text, as on every wire.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from farthing.wire.dialect import Usage

JSON = dict[str, Any]


class Node(msgspec.Struct, kw_only=True):
    """What every node has."""

    rest: JSON = {}
    form: str = ""


# -- content ------------------------------------------------------------------------------------


class Citation(Node):
    """Where a piece of an answer comes from."""

    url: str = ""
    title: str = ""
    quoted: str = ""
    start: int | None = None
    """Where in the text it begins, in characters; None when the dialect does not say."""
    end: int | None = None


class CacheMark(Node):
    """Everything up to here may be cached."""

    ttl: str = ""
    """ "5m", "1h", or "" for the provider's default."""


class Signature(Node):
    """A vendor's seal on reasoning or on a call; it goes back to that vendor alone."""

    value: str
    vendor: str
    """The dialect it was read in."""


class Text(Node):
    """Text."""

    text: str
    citations: list[Citation] = []
    cache: CacheMark | None = None
    signature: Signature | None = None


MediaKind = Literal["image", "audio", "document", "video"]


class Media(Node):
    """An image, sound, document or film: its data, or where it is."""

    kind: MediaKind
    data: str = ""
    """Base64; or text, when `mime` is text/plain and `form` says so."""
    url: str = ""
    file: str = ""
    """The id of a file that was uploaded to the provider."""
    mime: str = ""
    """Such as "image/png"; "" when the dialect does not say."""
    name: str = ""
    detail: str = ""
    """How closely to look at an image: "low", "high", "auto", or ""."""
    cache: CacheMark | None = None


class ToolCall(Node):
    """The model asks the client to run a tool."""

    id: str
    name: str
    arguments: str = ""
    """JSON as text, just as the model wrote it; "" while a stream has not told any."""
    custom: bool = False
    """Whether the arguments are free text, of a tool that takes such."""
    cache: CacheMark | None = None
    signature: Signature | None = None


class ToolResult(Node):
    """What a tool answered."""

    call: str
    """The id of the call."""
    name: str = ""
    """The tool's name, where the dialect repeats it."""
    parts: list[Part] = []
    error: bool = False
    cache: CacheMark | None = None


class Reasoning(Node):
    """What the model thought before it answered."""

    text: str = ""
    summary: bool = False
    """Whether the text is a summary, not the thoughts themselves."""
    encrypted: str = ""
    """Thoughts that only the vendor can read."""
    id: str = ""
    signature: Signature | None = None


class Refusal(Node):
    """The model declines, in its own words."""

    text: str


class Opaque(Node):
    """A part that this dialect has and the canonical model has not; `rest` is all of it."""

    type: str


Part = Text | Media | ToolCall | ToolResult | Reasoning | Refusal | Opaque


# -- requests -----------------------------------------------------------------------------------


Role = Literal["system", "developer", "user", "assistant", "tool"]


class Turn(Node):
    """One message."""

    role: Role
    parts: list[Part] = []
    name: str = ""


class Tool(Node):
    """A function that the model may call; one of another kind is Opaque in `Request.tools`."""

    name: str
    description: str = ""
    schema: JSON | None = None
    """JSON Schema of the arguments; None when none was given."""
    strict: bool | None = None
    custom: bool = False
    cache: CacheMark | None = None


class ToolChoice(Node):
    """Whether the model may, must or must not call a tool."""

    mode: Literal["auto", "required", "none", "named"]
    name: str = ""


class Format(Node):
    """What shape the answer's text must have."""

    kind: Literal["text", "json", "schema"]
    schema: JSON | None = None
    name: str = ""
    strict: bool | None = None


class Thinking(Node):
    """How much to think; what was not said is None or ""."""

    enabled: bool | None = None
    budget: int | None = None
    """Tokens."""
    effort: str = ""
    """ "minimal", "low", "medium", "high", or a vendor's own word."""
    summary: str = ""


class Request(Node):
    """A query. Sampling settings that were not sent are None."""

    dialect: str
    """The dialect it was read in: `rest` and `form` are that dialect's."""
    model: str = ""
    turns: list[Turn] = []
    """All messages, system text in its place among them."""
    tools: list[Tool | Opaque] = []
    choice: ToolChoice | None = None
    parallel_calls: bool | None = None
    format: Format | None = None
    thinking: Thinking | None = None
    stream: bool = False
    output_cap: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: list[str] = []
    answers: int | None = None
    """How many answers to give (n)."""
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logprobs: int | None = None
    """How many alternatives to tell for each token, 0 for none beside it; None: no
    log-probabilities."""
    user: str = ""
    """The client's id of its own user."""
    metadata: dict[str, str] = {}


# -- answers ------------------------------------------------------------------------------------


StopKind = Literal[
    "end",  # it had said everything
    "length",  # the cap, or the context, was reached
    "stop_sequence",
    "tool_calls",
    "refusal",  # the model declined
    "filter",  # a filter of the provider's cut it off
    "pause",  # the provider paused it; ask again to go on
    "error",
    "other",
]


class Stop(Node):
    """Why an answer ended."""

    kind: StopKind
    told: str = ""
    """The dialect's own word."""
    sequence: str = ""
    """Which stop sequence it was."""


class TokenLogprob(Node):
    """A token's log-probability, and its likeliest alternatives."""

    token: str
    logprob: float
    bytes: list[int] | None = None
    top: list[TokenLogprob] = []


class Answer(Node):
    """One of a response's answers."""

    parts: list[Part] = []
    stop: Stop | None = None
    logprobs: list[TokenLogprob] = []


class Tally(Node):
    """What was used, in disjoint counts; `rest` is the usage object as it was read, whole."""

    usage: Usage | None = None


class Response(Node):
    """A whole answer."""

    dialect: str
    id: str = ""
    model: str = ""
    created: int | None = None
    """Seconds since the Unix epoch."""
    answers: list[Answer] = []
    tally: Tally | None = None


class Problem(Node):
    """A provider's error."""

    dialect: str
    status: int
    message: str
    kind: str = ""
    """The dialect's word for its kind."""
    code: str = ""
