"""What most surfaces have in common: a request of which only the model's name is changed."""

from __future__ import annotations

from typing import Annotated

import msgspec

from farthing.wire.dialect import Answer, Ask, Changes, Tap
from farthing.wire.splice import rebuild

Count = Annotated[int, msgspec.Meta(ge=0)] | None


def write_request(ask: Ask, changes: Changes) -> bytes:
    """Return the request to send: the client's bytes but for the model's name."""
    if ask.form is not None:
        form = ask.form
        return form.body if changes.model is None else form.replaced("model", changes.model)
    new = {} if changes.model is None else {"model": msgspec.json.encode(changes.model)}
    return rebuild(ask.body, ask.fields, new)


def no_count(_: bytes) -> int | None:
    """Nobody asks for a count of tokens here."""
    return None


def no_usage(_: bytes) -> Answer:
    """Read an answer that says nothing of its usage, such as sound or a file."""
    return Answer()


class Unread:
    """Passes a stream on that says nothing of its usage."""

    def feed(self, data: bytes) -> bytes:
        """Pass the bytes on."""
        return data

    def rest(self) -> bytes:
        """Nothing is held back."""
        return b""

    def answer(self) -> Answer:
        """Nothing is known."""
        return Answer()


def unread(_: Ask) -> Tap:
    """Return a tap that finds nothing."""
    return Unread()
