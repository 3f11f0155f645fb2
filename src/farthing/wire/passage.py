"""What every translation of a query has: two sides, what is lost on the way, and errors back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn, Protocol

import msgspec

from farthing.errors import Malformed, Refused
from farthing.wire.canon import JSON, Problem
from farthing.wire.crossing import Crossing, Loss, Severity
from farthing.wire.dialect import Answer, Ask, Tap, Usage


class Side(Protocol):
    """What a passage needs of a codec."""

    @property
    def name(self) -> str:
        """The dialect."""

    @property
    def read_problem(self) -> Callable[[int, Any], Problem]:
        """Reads an error."""

    @property
    def write_problem(self) -> Callable[[Problem, Crossing], JSON]:
        """Writes one."""


class Translated(Protocol):
    """A translation, as a query uses it."""

    def request(self, ask: Ask, *, strict: bool) -> bytes:
        """Return a client's request in the provider's dialect. Raises Malformed, Refused."""

    def whole(self, body: bytes, usage: Usage | None) -> bytes:
        """Return a provider's whole answer in the client's dialect. Raises Malformed.

        `usage` is what was read of the answer, or beside it.
        """

    def problem(self, status: int, body: bytes) -> bytes:
        """Return a provider's error in the client's dialect, whatever it is."""

    def tap(self, tap: Tap, *, usage: bool) -> Tap:
        """Return what translates a stream; `tap` reads its usage, which goes on if `usage`."""

    def losses(self) -> tuple[str, ...]:
        """Return what was lost so far, both ways, each as "severity name"."""


class Passage:
    """A query's way between two dialects: `there` is the provider's side, `here` its client's."""

    def __init__(
        self,
        here: Side,
        there: Side,
        of_here: Mapping[str, Severity],
        of_there: Mapping[str, Severity],
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """The severities are those of each side's fields; `headers` go with the request."""
        self._here, self._there = here, there
        self.out = Crossing(here.name, there.name, of_here, headers)
        self.back = Crossing(there.name, here.name, of_there)

    def check(self, *, strict: bool) -> None:
        """Refuse a request that lost too much.

        Raises:
            Refused: lossy_crossing; a meaning would be lost, or when strict, a shape.
        """
        refused = {"meaning", "shape"} if strict else {"meaning"}
        if lost := sorted(loss.what for loss in self.out.losses if loss.severity in refused):
            raise _lossy(lost, self.out, strict=strict)

    def losses(self) -> tuple[str, ...]:
        """Return what was lost so far, both ways, each as "severity name"."""
        return tuple(
            f"{loss.severity} {loss.what}"
            for loss in sorted(self.out.losses | {_answered(loss) for loss in self.back.losses})
        )

    def problem(self, status: int, body: bytes) -> bytes:
        """Return a provider's error in the client's dialect, whatever it is."""
        try:
            told = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            told = body.decode("utf-8", "replace")
        problem = self._there.read_problem(status, told)
        return msgspec.json.encode(self._here.write_problem(problem, self.back))

    def tap(self, tap: Tap, *, usage: bool) -> Tap:
        """Return what refuses a stream that nobody asked for: it cannot be translated."""
        return _NoStream(tap)


class _NoStream:
    """Takes no stream."""

    def __init__(self, tap: Tap) -> None:
        self._tap = tap

    def feed(self, data: bytes) -> NoReturn:
        """Raises Malformed."""
        raise Malformed("invalid_field", "The answer is a stream, which was not asked for.")

    def rest(self) -> bytes:
        """Nothing is held back."""
        return b""

    def answer(self) -> Answer:
        """Return what the stream said of itself so far."""
        return self._tap.answer()


def decoded(body: bytes) -> Any:
    """Return decoded JSON.

    Raises:
        Malformed: it is none.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(
            "invalid_json", f"The body is not JSON that can be read: {error}."
        ) from None


def _answered(loss: Loss) -> Loss:
    return Loss(f"answer.{loss.what}", loss.severity)


def _lossy(lost: Iterable[str], crossing: Crossing, *, strict: bool) -> Refused:
    names = ", ".join(f"`{name}`" for name in lost)
    why = ", and the request asks for a strict translation" if strict else ""
    return Refused(
        "lossy_crossing",
        f"The model's provider speaks {crossing.target}, which cannot say {names} of this "
        f"{crossing.source} request{why}. Leave it out, or choose a model whose provider speaks "
        f"{crossing.source}.",
    )
