"""What a dialect is: the functions that know one vendor's spelling, and what they read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from farthing.errors import FarthingError
from farthing.wire.framing import Framing, SseFraming


class Usage(msgspec.Struct, frozen=True, array_like=True):
    """What one answer consumed, in disjoint counts: no token is in two of them.

    `reasoning` is the exception, by intent: it names the part of `output` spent on reasoning.
    """

    input: int = 0
    """Input tokens that no cache served or stored."""
    cache_read: int = 0
    cache_write: int = 0
    """Input tokens stored for the cache's usual lifetime."""
    cache_write_1h: int = 0
    output: int = 0
    reasoning: int = 0
    input_audio: int = 0
    output_audio: int = 0
    web_searches: int = 0

    def tokens(self) -> int:
        """All tokens, in and out."""
        cached = self.cache_read + self.cache_write + self.cache_write_1h
        return self.input + cached + self.input_audio + self.output + self.output_audio


class Ask(msgspec.Struct):
    """What a request says that decides where it goes and what it can cost."""

    body: bytes
    fields: dict[str, msgspec.Raw]
    """The request's top level: each value as the client's own bytes."""
    model: str
    stream: bool = False
    wants_usage: bool = True
    """Whether a stream's usage goes to the client; when not, it is asked for and hidden."""
    output_cap: int | None = None
    """The client's cap on output tokens; None when it set none."""
    makes_output: bool = True
    """Whether tokens of output are made, and billed; embeddings make none."""
    free: bool = False
    """Whether the provider bills nothing for it."""
    least_output: int = 1
    """The smallest cap the request still makes sense with (a reasoning budget, say)."""
    choices: int = 1
    """How many answers are asked for at once; each may use the whole cap."""
    extra_output: int = 0
    """Output tokens that may be billed beyond the cap (rejected predictions)."""
    cache_marks: bool = False
    """Whether the request can make the provider write to a cache at a price of its own."""
    tools: bool = False
    images: int = 0
    opaque_bytes: int = 0
    """Bytes of the body that are images: their tokens are bounded by number, not by length."""
    opaque: tuple[tuple[str, str], ...] = ()
    """Content whose tokens no bytes bound (a document, a sound): its kind, and the client's words.
    The model's window bounds it, where nothing but its tokens is billed."""
    counted_input: int | None = None
    """The input's tokens as the provider counted them beforehand, where it was asked to."""
    options: Mapping[str, str] = {}
    """Options that select a price, such as {"service_tier": "priority"}."""
    open_tier: bool = False
    """Whether the request leaves its service tier to the provider's account."""
    unbounded: tuple[str, ...] = ()
    """What is asked for whose cost has no upper bound yet, in the client's words."""
    headers: Mapping[str, str] = {}
    """Headers that are the dialect's own: those that go to the provider with it."""


class Changes(msgspec.Struct):
    """What must differ between the client's request and the one that is sent."""

    model: str | None = None
    """The provider's name for the model, when it is not what the client wrote."""
    output_cap: int | None = None
    """The cap to set, when it is not the client's own."""
    output_cap_field: str = ""
    """The field the provider reads the cap from, where a dialect has more than one."""
    ask_usage: bool = False
    """Ask for the usage at the end of a stream."""


class Answer(msgspec.Struct):
    """What farthing reads from an answer: enough to price it and to find it again."""

    usage: Usage | None = None
    """None when the answer carries none: it is unknown then, not zero."""
    model: str = ""
    """The model that answered, as the provider names it."""
    id: str = ""
    options: Mapping[str, str] = {}
    """Options that select a price, as served (a priority request may be served as default)."""


class Tap(Protocol):
    """Reads a copy of one stream while it passes."""

    def feed(self, data: bytes) -> bytes:
        """Take bytes from the provider; return the bytes that go to the client now."""

    def rest(self) -> bytes:
        """Return the bytes that are still held back, at the stream's end."""

    def answer(self) -> Answer:
        """Return what the stream said of itself so far."""


class Target(msgspec.Struct, frozen=True):
    """What a path says of a query."""

    model: str
    stream: bool | None = None
    """None where the body says it."""


def _as_it_is(_: int, body: bytes) -> bytes:
    return body


class Dialect(msgspec.Struct, frozen=True):
    """One vendor's way to ask and to answer."""

    name: str
    path: str
    """Where clients post their queries, after the version."""
    read_request: Callable[[bytes], Ask]
    """Raises Malformed."""
    write_request: Callable[[Ask, Changes], bytes]
    read_answer: Callable[[bytes], Answer]
    read_count: Callable[[bytes], int | None]
    """Reads a count of input tokens; None when it is none."""
    tap: Callable[[Ask], Tap]
    error: Callable[[FarthingError, str], bytes]
    """Renders an error and a request id as the body of an answer."""
    fault: Callable[[FarthingError, str], bytes]
    """Renders an error as the last event of a stream that has begun."""
    model_list: Callable[[list[str]], bytes]
    framing: Callable[[], Framing] = SseFraming
    stream_type: bytes = b"text/event-stream"
    """The content type of its streams."""
    target: Callable[[bytes], Target | None] | None = None
    """Reads what a path says, in a dialect that puts model and streaming there."""
    verbs: tuple[str, str] = ("", "")
    """What stands for {verb} in a provider's path: for a whole answer, and for a stream."""
    crosses: bool = True
    """Whether it can be translated: whether it has a codec."""
    users: tuple[tuple[str, ...], ...] = ()
    """Where a request may name its end user: fields, each within the one before."""
    family: str = "answers"
    """The dialects it can be translated to and from: those of its family."""
    version: str = "/v1"
    """What stands before `path`."""
    write_counting: Callable[[Ask], bytes] | None = None
    """Writes what has a provider count the input of a request whose whole answer may not tell
    it; None where every whole answer does."""
    read_counted: Callable[[bytes, int], Answer] | None = None
    """Reads a whole answer that does not tell its usage: the input's tokens were counted
    beforehand, or `usage_header` told them."""
    usage_header: str = ""
    """The header of an answer that tells its input's tokens, where its body may not."""
    passed_headers: tuple[str, ...] = ()
    """The client's headers that are this dialect's own and go on to the provider."""
    required_headers: tuple[tuple[str, str], ...] = ()
    """Headers the provider must get, with the value used when the client sent none."""
    other_paths: tuple[str, ...] = ()
    """Whole paths that clients may post to as well."""
    check: Callable[[Ask], None] | None = None
    """Refuses what the client's version of the dialect has no more, where no provider would.
    Raises Malformed."""
    reworded: Callable[[int, bytes], bytes] = _as_it_is
    """Rewrites a provider's error (its status, its body) where what is around it has errors of
    another shape."""
