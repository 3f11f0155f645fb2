"""What was bought: rows for all that was used, and parts that make the whole."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from tests.report.test_asking import endings
from tests.support.statements import draft, figures, statement

from farthing.report import bought


def test_providers_parts_make_the_whole() -> None:
    found = figures(statement())
    names = {leaf["provider"] for leaf in endings()}
    for column in ("queries", "list", "contracted", "effective"):
        parts = [Decimal(found[f"bought.provider.{name}.{column}"]["value"]) for name in names]
        whole = Decimal(found[f"bought.{column}"]["value"])
        assert whole > 0
        assert sum(parts) == whole
    shares = [Decimal(found[f"bought.provider.{name}.share"]["value"]) for name in names]
    assert abs(sum(shares, Decimal(-1))) < Decimal("0.00001")


def test_costs_fall_from_list_to_contracted_to_effective() -> None:
    found = figures(statement())
    costs = [Decimal(found[f"bought.{column}"]["value"]) for column in bought.COSTS]
    assert costs == sorted(costs, reverse=True) and len(set(costs)) == 3


def test_models_are_told_apart_by_the_version_that_answered() -> None:
    found = figures(statement())
    told = Counter(
        (leaf["provider"], leaf["model"], leaf.get("answered_model", ""))
        for leaf in endings()
        if 200 <= leaf.get("http_status", 0) <= 299
    )
    served = bought.served_of(draft())
    assert {tuple(each) for each in served} == set(told)
    for number, each in enumerate(served[: bought.MODELS_SHOWN], start=1):
        assert found[f"bought.model.{number}.queries"]["value"] == told[each]
    rows = [f"bought.model.{n}" for n in range(1, len(served) + 1)] + ["bought.model.none"]
    assert sum(found[f"{row}.queries"]["value"] for row in rows) == found["bought.queries"]["value"]


def test_the_trend_is_the_cost_of_the_period_cut_into_days() -> None:
    made = statement()
    found = figures(made)
    series = made["summary"]["plots"][0]["series"]
    assert len(series) == 6 and {len(each["figures"]) for each in series} == {30}
    points = [Decimal(found[name]["value"]) for each in series for name in each["figures"]]
    assert sum(points) == Decimal(found["bought.contracted"]["value"])


def test_a_commitment_burns_down_to_what_is_left() -> None:
    found = figures(statement())
    left = [Decimal(found[f"commitment.cmt-a.day.{n}"]["value"]) for n in range(1, 31)]
    assert left == sorted(left, reverse=True) and left[0] < 15_000
    drawn = sum(Decimal(found[f"commitment.cmt-a.{n}.to-date"]["value"]) for n in (1, 2))
    assert left[-1] == 15_000 - drawn
    assert found["commitment.cmt-a.1.usd"]["value"] == "6000"


def test_a_customer_sees_nothing_of_commitments_and_credit() -> None:
    found = figures(statement("customer", "team:search"))
    assert not [name for name in found if name.startswith(("commitment", "credit"))]
    assert found["bought.queries"]["value"] == sum(
        "team:search" in leaf["path"] and leaf["kind"] in ("settle", "void", "unresolved")
        for leaf in endings()
    )
