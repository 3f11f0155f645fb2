"""A stream's events: the canonical model in slices. `codec.py` says in what order they come."""

from __future__ import annotations

import msgspec

from farthing.wire.canon import Citation, Node, Part, Problem, Signature, Stop, Tally, TokenLogprob


class Begin(Node):
    """A stream's first event."""

    dialect: str
    id: str = ""
    model: str = ""
    created: int | None = None
    tally: Tally | None = None
    """What is known of the input already."""


class Open(Node):
    """A part begins; what follows of it comes as More. `part` counts from 0 in its answer."""

    answer: int
    part: int
    content: Part


class More(Node):
    """Some more of an open part."""

    answer: int
    part: int
    text: str = ""
    """More text: of Text, Reasoning or Refusal; of a ToolCall, of its arguments."""
    citation: Citation | None = None
    signature: Signature | None = None
    encrypted: str = ""
    logprobs: list[TokenLogprob] = msgspec.field(default_factory=list)


class Shut(Node):
    """A part is complete; `content` is all of it where the dialect repeats it, else None."""

    answer: int
    part: int
    content: Part | None = None


class Finish(Node):
    """An answer is complete."""

    answer: int
    stop: Stop


class Count(Node):
    """The usage, or more of it; later counts replace earlier ones."""

    tally: Tally


class Fault(Node):
    """The stream breaks off with an error."""

    problem: Problem


class End(Node):
    """The stream is over."""


class Idle(Node):
    """An event that says nothing canonical: a keep-alive, or all of it is in `rest`."""

    type: str = ""


Event = Begin | Open | More | Shut | Finish | Count | Fault | End | Idle
