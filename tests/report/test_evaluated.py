"""Evaluations in a statement are what their entries say, as the log has them."""

from __future__ import annotations

from typing import Any

from tests.report.conftest import EVALUATIONS, Told
from tests.support.statements import inputs

from farthing.money import dollars
from farthing.report.asking import Asking
from farthing.report.draft import Draft
from farthing.report.evaluated import evaluated as tables
from farthing.report.plot import PAPER
from farthing.report.view import view_of


def drafted(told: Told, edition: str = "regulator", scope: str = "") -> Draft:
    return Draft(Asking(told.facts), inputs(edition, scope))


def test_figures_are_the_entries_own(evaluated: Told) -> None:
    made = drafted(evaluated)
    tables(made)
    for number, entry in enumerate(EVALUATIONS, start=1):
        named = {name: made.figures[f"evaluation.{number}.{name}"]["value"]
                 for name in ("samples", "epochs", "completed", "data", "cost")}  # fmt: skip
        assert named == {
            "samples": entry.samples, "epochs": entry.epochs, "completed": entry.completed,
            "data": entry.dataset_sha256, "cost": dollars(entry.usd),
        }  # fmt: skip
        for place, score in enumerate(entry.scores, start=1):
            figure = made.figures[f"evaluation.{number}.score.{place}"]
            assert figure["value"] == score.value
            assert figure.get("interval") == ([score.low, score.high] if score.low else None)
            assert made.figures[f"evaluation.{number}.score.{place}.n"]["value"] == score.n
            leaf = evaluated.leaves[figure["range"][0]]
            assert (leaf["kind"], leaf["id"]) == ("evaluation", entry.id)


def seen(told: Told) -> list[list[list[str]]]:
    """The cells of both tables, as a reader sees them."""
    made = drafted(told)
    made.section("performance", "Performance", tables(made))
    document: dict[str, Any] = {
        "figures": list(made.figures.values()), "sections": made.sections,
        "summary": {"tiles": [], "plots": [], "notes": []},
    }  # fmt: skip
    blocks = view_of(document, PAPER)["sections"][0]["blocks"]
    return [[[cell["value"] for cell in row] for row in block["rows"]] for block in blocks]


def test_a_reader_sees_how_far_each_came(evaluated: Told) -> None:
    runs, scores = seen(evaluated)
    data = "ab" * 8 + "…"
    assert runs == [
        ["arithmetic, 2", "fast", "p/m", "complete", "3 × 2: 6", data, "$0.000162"],
        ["arithmetic, 2", "fast", "p/m", "partial", "3 × 2: 4", data,
         "$0.000054, and at most $0.000500 for 2 queries"],
        ["spelling", "p/m", "nobody", "failed", "0 × 0: 0", "none", "$0"],
    ]  # fmt: skip
    assert scores[0] == ["arithmetic", "accuracy, by exact", "0.833333", "Wilson's, 95 %", "6"]
    assert scores[1][2:] == ["0.8", "no interval applies", "0"]


def test_a_customer_is_told_of_none(evaluated: Told) -> None:
    assert tables(drafted(evaluated, "customer", "key:k1")) == []
