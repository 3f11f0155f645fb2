"""A count asked for in one dialect of a provider that counts in another."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from farthing.errors import Malformed
from farthing.wire.canon import JSON
from farthing.wire.codecs import CODECS
from farthing.wire.count.dialects import ALL
from farthing.wire.count.envelopes import ENVELOPES, IDLE
from farthing.wire.dialect import Ask, Usage
from farthing.wire.passage import Passage, decoded
from farthing.wire.severities import severities

READ = {dialect.name: dialect.read_count for dialect in ALL}


class CountTranslation(Passage):
    """One query's crossing: its request is translated, its answer is a number."""

    def __init__(
        self, here: str, there: str, model: str, headers: Mapping[str, str] | None = None
    ) -> None:
        """`model` is the provider's name of the model; `headers` go with the request."""
        self.here, self.there = ENVELOPES[here], ENVELOPES[there]
        self._model = model
        of_here, of_there = self.here.of, self.there.of
        super().__init__(CODECS[of_here], CODECS[of_there], severities(of_here), {}, headers)

    def request(self, ask: Ask, *, strict: bool) -> bytes:
        """Return a client's request in the provider's dialect.

        Raises:
            Malformed: it cannot be read, or not be said there.
            Refused: lossy_crossing; a meaning would be lost, or when strict, a shape.
        """
        told, beside = self.here.open(decoded(ask.body))
        for name in beside:
            self.out.lose(name, "meaning")
        request = CODECS[self.here.of].read_request(told)
        request.model, request.stream = self._model, False
        written = CODECS[self.there.of].write_request(request, self.out)
        kept = self._taken(written)
        self.check(strict=strict)
        return msgspec.json.encode(self.there.wrap(kept, self._model))

    def _taken(self, request: JSON) -> JSON:
        """Return what the provider takes when it counts; what else would count is named."""
        takes = self.there.takes
        if takes is None:
            return request
        for name in request.keys() - takes - IDLE:
            self.out.lose(f"{name}, in a count", "shape")
        return {name: value for name, value in request.items() if name in takes}

    def whole(self, body: bytes, _: Usage | None) -> bytes:
        """Return a provider's count in the client's dialect. Raises Malformed."""
        tokens = READ[self.there.name](body)
        if tokens is None:
            raise Malformed("invalid_field", "It has no count.")
        return msgspec.json.encode(self.here.write(tokens))
