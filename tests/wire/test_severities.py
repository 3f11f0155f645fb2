"""What is lost with a field: a hint, a shape or a meaning, by the dialect it is in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from farthing.errors import Refused
from farthing.wire import DIALECTS
from farthing.wire.codecs import CODECS
from farthing.wire.severities import HINTS, MEANINGS, severities
from farthing.wire.translate import Translation


def test_every_dialect_is_there_and_no_field_is_both() -> None:
    assert HINTS.keys() == MEANINGS.keys() == CODECS.keys()
    for name in CODECS:
        assert not set(HINTS[name]) & set(MEANINGS[name])
        assert len(severities(name)) == len(HINTS[name]) + len(MEANINGS[name])


def test_a_dialect_nobody_knows_has_none() -> None:
    assert severities("nobody") == {}


def losses(there: str, **fields: Any) -> tuple[str, ...]:
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}], **fields}
    translation = Translation("chat", there)
    translation.request(DIALECTS["chat"].read_request(json.dumps(body).encode()), strict=False)
    return translation.losses()


@pytest.mark.parametrize("there", sorted(CODECS.keys() - {"chat"}))
def test_a_field_weighs_the_same_whichever_dialect_it_goes_to(there: str) -> None:
    assert losses(there, system_fingerprint="x") == ("hint system_fingerprint",)
    assert losses(there, unheard_of=1) == ("shape unheard_of",)
    with pytest.raises(Refused, match="`search_parameters`"):
        losses(there, search_parameters={"mode": "on"})
