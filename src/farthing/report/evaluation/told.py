"""What the process that runs the framework is told, and what it tells: a line of JSON each."""

from __future__ import annotations

import msgspec

from farthing.ledger.evaluation import Score


class Told(msgspec.Struct, frozen=True):
    """The first line of its standard input. The pipe then stays open: its end means stop."""

    task: str
    """"FILE.py" or "FILE.py@NAME", absolute."""
    arguments: dict[str, str]
    """The task's own arguments, as they were written."""
    model: str
    """As the gateway's clients name it."""
    address: str
    """The gateway's."""
    key: str
    tag: str
    """What its queries are counted under."""
    folder: str
    """Where the framework writes its log."""
    limit: int | None
    """How many samples; all of them unless said."""
    epochs: int | None
    at_once: int
    """Queries it has open at once."""
    max_tokens: int | None
    """The output cap of its queries, instead of the task's."""


class Began(msgspec.Struct, frozen=True, tag="began"):
    """The task was read, and its samples are known."""

    task: str
    version: str
    dataset_sha256: str
    samples: int
    epochs: int


class Sampled(msgspec.Struct, frozen=True, tag="sampled"):
    """A sample ended, well or not."""

    good: bool


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """The framework has written its log, and this is what the log says."""

    log: str
    """Its path."""
    completed: int
    calls: int
    scores: list[Score]
    reason: str
    """Why it is not complete, in the framework's words."""


class Broke(msgspec.Struct, frozen=True, tag="broke"):
    """It could not be run."""

    reason: str


Said = Began | Sampled | Ended | Broke

encode = msgspec.json.Encoder().encode
decode_said = msgspec.json.Decoder(Said).decode
