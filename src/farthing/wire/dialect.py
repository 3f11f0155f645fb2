"""What a dialect is: the functions that know one vendor's spelling, and what they read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from farthing.errors import FarthingError
from farthing.wire.form import Form, is_form, read_form
from farthing.wire.framing import Framing, SseFraming


class Usage(msgspec.Struct, frozen=True, array_like=True, gc=False):
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
    input_image: int = 0
    output_image: int = 0
    characters: int = 0
    """Characters of text that were spoken."""
    audio_seconds: int = 0
    """Seconds of sound that were transcribed."""
    search_units: int = 0
    """Searches of a reranker, as its provider counts them."""

    def tokens(self) -> int:
        """All tokens, in and out."""
        cached = self.cache_read + self.cache_write + self.cache_write_1h
        media = self.input_audio + self.output_audio + self.input_image + self.output_image
        return self.input + cached + self.output + media


TOKENS = ("input", "output")


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
    buys: str = ""
    """What it buys that is billed later, whatever else of its dialect is free."""
    default_cap: int | None = None
    """The output cap set where the client set none, in a dialect that has one of its own."""
    prompts: int = 1
    """How many prompts it has, each of which has the model's window to itself."""
    extra_input: int = 0
    """Input tokens that may be counted beyond the body's bytes (a text that is read many times)."""
    made_images: int = 0
    """How many images are made; the provider's data say how many tokens one can have."""
    meters: tuple[str, ...] = TOKENS
    """The meters that bill it, each of which must have a price."""
    most: Usage = Usage()
    """The most it can use of meters that are not tokens."""
    usage: Usage | None = None
    """What it uses, where the request says so and the answer does not."""
    form: Form | None = None
    """The body as a form, where it is one."""
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
    stated: int | None = None
    """What it says that was billed, in nanodollars, where its provider says that."""
    finish: str = ""
    """Why it ended, in the words of `canon.StopKind`; empty where it does not say."""


class Tap(Protocol):
    """Reads a copy of one stream while it passes."""

    def feed(self, data: bytes) -> bytes:
        """Take bytes from the provider; return the bytes that go to the client now."""

    def rest(self) -> bytes:
        """Return the bytes that are still held back, at the stream's end."""

    def answer(self) -> Answer:
        """Return what the stream said of itself so far."""


class Operation(msgspec.Struct, frozen=True):
    """One thing that can be done with what a provider keeps: its files, its batches."""

    method: bytes
    tail: str
    """What follows the dialect's path, as a regular expression."""
    buys: str = ""
    """What it buys that is billed later and has no bound; "" for nothing."""


class Target(msgspec.Struct, frozen=True):
    """What a path says of a query."""

    model: str
    stream: bool | None = None
    """None where the body says it."""
    operation: Operation | None = None
    tail: str = ""
    """What follows the dialect's path, and the question after it, as the client wrote them."""


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
    models_path: str = ""
    """Where its clients ask for the list of models, if not at /v1/models."""
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
    operations: tuple[Operation, ...] = ()
    """What can be done below its path, in a dialect that is not one query."""
    modelless: bool = False
    """Whether a request may name no model: then it goes to a provider by its name."""
    opaque: bool = False
    """Whether an answer may be sound or a file, which is passed on as it comes."""
    read_form: Callable[[Form], Ask] | None = None
    """Reads a request whose body is a form. Raises Malformed."""
    told_by: tuple[str, ...] = ()
    """Headers, beside those passed on, by which its clients are known where no path tells."""
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

    def read(self, body: bytes, kind: bytes, target: Target | None) -> Ask:
        """Read a request of some content type. Raises Malformed."""
        if target is not None and target.operation is not None:
            buys = target.operation.buys
            return Ask(body=body, fields={}, model="", makes_output=False, buys=buys)
        if self.read_form is None or not is_form(kind):
            return self.read_request(body)
        form = read_form(body, kind)
        ask = self.read_form(form)
        ask.form = form
        return ask

    def streams(self, status: int, kind: bytes) -> bool:
        """Whether an answer of a status and a content type is passed on as it comes."""
        if status >= 300:
            return False
        unread = self.opaque and status == 200 and not kind.startswith(b"application/json")
        return unread or kind.startswith(self.stream_type)
