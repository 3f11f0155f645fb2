"""A query for embeddings between two dialects: its request there, its answer back."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from farthing.errors import Malformed
from farthing.wire.dialect import Ask, Usage
from farthing.wire.embed.canon import Request
from farthing.wire.embed.codecs import CODECS
from farthing.wire.passage import Passage, decoded


class EmbedTranslation(Passage):
    """One query's crossing."""

    def __init__(
        self, here: str, there: str, model: str, headers: Mapping[str, str] | None = None
    ) -> None:
        """`model` is the provider's name of the model: some speak by it."""
        self.here, self.there = CODECS[here], CODECS[there]
        super().__init__(self.here, self.there, self.here.severities, {}, headers)
        self._model = model
        self._asked = Request(dialect=here)

    def request(self, ask: Ask, *, strict: bool) -> bytes:
        """Return a client's request in the provider's dialect.

        Raises:
            Malformed: it cannot be read, or asks for nothing.
            Refused: lossy_crossing; a meaning would be lost, or when strict, a shape.
        """
        self._asked = self.here.read_request(decoded(ask.body))
        self._asked.model = self._model
        told = self.there.write_request(self._asked, self.out)
        self.check(strict=strict)
        if not any(item.text or item.tokens for item in self._asked.inputs):
            raise Malformed("invalid_field", "The request has no text to embed.")
        return msgspec.json.encode(told)

    def whole(self, body: bytes, usage: Usage | None) -> bytes:
        """Return a provider's answer in the client's dialect. Raises Malformed."""
        response = self.there.read_response(decoded(body))
        response.usage = usage
        response.rest = {k: v for k, v in response.rest.items() if k not in self.there.echoes}
        response.model = response.model or self._model
        return msgspec.json.encode(self.here.write_response(response, self._asked, self.back))
