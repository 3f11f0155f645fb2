"""Times of leaves, as the standard library reads them."""

from __future__ import annotations

from datetime import datetime

import pytest

from farthing import clock
from farthing.report.times import moment


@pytest.mark.parametrize(
    "text", ["1970-01-01T00:00:00.000Z", "2026-11-23T18:05:09.250Z", "2028-02-29T23:59:59.999Z"]
)
def test_to_the_millisecond(text: str) -> None:
    found = moment(text)
    assert clock.iso(found) == text
    assert found == round(datetime.fromisoformat(text).timestamp() * 1000) * 10**6
