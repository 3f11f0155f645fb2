"""Trends, how much hangs on one vendor, and what the next period costs if it goes on so."""

from __future__ import annotations

from farthing import clock
from farthing.report.bought import span_of, trend
from farthing.report.draft import Block, Cell, Draft, facts_list, text
from farthing.report.spans import Slice, period_of

WEEK = 7 * 86_400 * clock.SECOND


def outlook(draft: Draft) -> None:
    """Write the section."""
    blocks = [
        trend(draft),
        facts_list("How much hangs on one vendor", _concentration(draft)),
        text(
            "The Herfindahl-Hirschman index is the sum of the squares of all providers' shares in "
            "percent: 10,000 where there is one alone, 5,000 for two alike, 2,500 for four."
        ),
        *_forecast(draft),
    ]
    draft.section("outlook", "Trend, concentration and forecast", blocks)


def _concentration(draft: Draft) -> list[tuple[str, Cell]]:
    known = draft.where(cost="known")
    return [
        (
            f"Index, by {words}",
            draft.figure(f"hhi.{by}", "points", "concentration", of="cost", by=by, where=known),
        )
        for by, words in {"provider": "provider", "model": "model"}.items()
    ]


def weeks_of(draft: Draft) -> list[Slice]:
    """Return the whole weeks of the period that are over."""
    found = draft.facts.range
    begins = range(found.since, found.until - WEEK + 1, WEEK)
    return [Slice("", begin, begin + WEEK) for begin in begins]


def _forecast(draft: Draft) -> list[Block]:
    weeks = weeks_of(draft)
    if not weeks:
        return [text("There is no forecast: less than a week of the period is over.")]
    asked = {
        "of": "cost", "where": draft.where(cost="known"), "span_days": 7,
        "spans": [span_of(week) for week in weeks], "days": period_of(draft.inputs.period).days,
    }  # fmt: skip
    rows: list[tuple[str, Cell]] = [
        (
            f"As in its {words} week",
            draft.figure(f"forecast.{take}", "USD", "run-rate", take=take, **asked),
        )
        for take, words in {"least": "cheapest", "most": "dearest"}.items()
    ]
    said = (
        "What as many days cost next, if each goes as in the cheapest or the dearest week of these."
    )
    return [facts_list("Forecast for the next period of this length", rows), text(said)]
