"""Performance in a statement is what `farthing performance` tells of the same leaves."""

from __future__ import annotations

from tests.support.statements import draft, figures, month, statement

from farthing.report.bought import served_of
from farthing.report.performance import CLASSES, performance


def test_classes_and_shares_are_those_of_the_performance_report() -> None:
    found, told = figures(statement()), performance(month().facts).whole
    for name in CLASSES:
        assert found[f"performance.class.{name}"]["value"] == told.classes[name].count
    available = found["performance.availability"]
    assert abs(float(available["value"]) - (told.availability.rate or 0)) < 1e-6
    cut = found["performance.cut"]
    assert told.truncated.count > 0 and abs(float(cut["value"]) - (told.truncated.rate or 0)) < 1e-6
    low, high = (float(edge) for edge in available["interval"])
    assert low < float(available["value"]) < high


def test_percentiles_are_those_of_the_performance_report() -> None:
    found = figures(statement())
    groups = {group.name: group for group in performance(month().facts, "model").groups}
    models = list(dict.fromkeys((s.provider, s.model) for s in served_of(draft())))
    for number, (_, model) in enumerate(models, start=1):
        group = groups[model]
        for name, told in (
            ("whole", group.latency),
            ("first", group.first_event),
            ("pace", group.throughput),
        ):
            assert told.p95 is not None
            figure = found[f"performance.{name}.{number}.p95"]
            assert (figure["value"], figure["n"]) == (told.p95.value, told.n)
            expected = None if told.p95.low is None else [told.p95.low, told.p95.high]
            assert figure.get("interval") == expected


def test_a_shareholder_gets_no_section_on_it() -> None:
    assert not [name for name in figures(statement("shareholder")) if name.startswith("perf")]
