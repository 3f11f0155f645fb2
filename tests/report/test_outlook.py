"""Concentration and forecast."""

from __future__ import annotations

from decimal import Decimal

from tests.support.statements import draft, figures, statement

from farthing.report.outlook import weeks_of


def test_the_forecast_is_between_the_cheapest_and_the_dearest_week() -> None:
    found = figures(statement("shareholder"))
    least, most = (Decimal(found[f"forecast.{take}"]["value"]) for take in ("least", "most"))
    assert 0 < least < Decimal(found["bought.contracted"]["value"]) < most


def test_weeks_that_are_not_over_tell_no_rate() -> None:
    made = draft("shareholder")
    weeks = weeks_of(made)
    assert len(weeks) == 4 and weeks[-1].ends <= made.facts.range.until


def test_one_index_by_provider_and_one_by_model() -> None:
    found = figures(statement("shareholder"))
    assert 10_000 > found["hhi.provider"]["value"] > found["hhi.model"]["value"] > 0
