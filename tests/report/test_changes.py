"""Silent changes of what answers: when, from what to what, and whether it went back."""

from __future__ import annotations

from pathlib import Path

from tests.report.conftest import BEGIN, SECOND, facts_in
from tests.support.evidence import make_log

from farthing.ledger.entry import Entry, Genesis, Hold, Settle
from farthing.report.changes import Change, changes
from farthing.wire.dialect import Usage


def answered(number: int, model: str, told: str, provider: str = "p") -> list[Entry]:
    at = BEGIN + number * SECOND
    hold = Hold(at, f"q{number}", "k", ("key:k",), provider, model, model, "chat", True, 9, 9, 1, 1,
                "b", "w")  # fmt: skip
    return [hold, Settle(at, f"q{number}", 5, Usage(output=1), 200, 1, 2, "", told)]


def found(root: Path, *told: tuple[str, ...]) -> list[Change]:
    entries: list[Entry] = [Genesis(BEGIN, "one")]
    for number, each in enumerate(told, start=1):
        entries += answered(number, *each)
    facts = facts_in(make_log(root, entries))
    return changes(facts, facts.of("settled"))


def test_a_model_that_stays_has_not_changed(tmp_path: Path) -> None:
    assert found(tmp_path, ("m", "m-1"), ("n", "n-1"), ("m", "m-1"), ("m", ""), ("n", "n-1")) == []


def test_a_change_is_told_with_its_first_leaf(tmp_path: Path) -> None:
    (change,) = found(
        tmp_path, ("m", "m-1"), ("n", "n-1"), ("m", ""), ("m", "m-2"), ("n", "n-1"), ("m", "m-2")
    )
    assert change == Change(provider="p", model="m", before="m-1", after="m-2", leaf=4,
                            at="2026-07-01T00:00:04.000Z", back=None, answers=2)  # fmt: skip


def test_one_that_goes_back_is_told_to(tmp_path: Path) -> None:
    told = [("m", name) for name in ("m-1", "m-2", "m-2", "m-1", "m-2", "m-3")]
    second, third = found(tmp_path, *told)
    assert (second.after, second.leaf, second.back, second.answers) == ("m-2", 2, 4, 3)
    assert (third.before, third.after, third.leaf, third.back) == ("m-2", "m-3", 6, None)


def test_models_of_one_name_at_two_providers_are_two(tmp_path: Path) -> None:
    assert (
        found(tmp_path, ("m", "m-1", "north"), ("m", "m-2", "south"), ("m", "m-1", "north")) == []
    )


def test_no_answer_no_change(tmp_path: Path) -> None:
    assert found(tmp_path) == []
