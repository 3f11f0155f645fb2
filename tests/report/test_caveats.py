"""What a statement does not show is in each of them, word for word."""

from __future__ import annotations

import re

import pytest
from tests.support.statements import EDITIONS, statement

from farthing.report.caveats import CAVEATS
from farthing.report.draft import encode


@pytest.mark.parametrize(("edition", "scope"), EDITIONS)
def test_it_is_in_every_edition(edition: str, scope: str) -> None:
    section = next(s for s in statement(edition, scope)["sections"] if s["id"] == "caveats")
    assert section["blocks"] == [{"type": "notes", "notes": list(CAVEATS)}]


@pytest.mark.parametrize(("edition", "scope"), EDITIONS)
def test_no_conformity_is_claimed(edition: str, scope: str) -> None:
    said = encode(statement(edition, scope)).decode()
    for denied in ("claims conformity with no law", "No claim of conformity is made"):
        said = said.replace(denied, "")
    assert not re.search(r"\b(complian|compliant|conform|certified|complies)", said, re.IGNORECASE)
