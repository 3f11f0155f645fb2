"""What a regulator gets: systems, samples that verify, and a checklist."""

from __future__ import annotations

import base64
import json

from tests.support.statements import draft, figures, month, source, statement

from farthing.evidence.merkle import check_inclusion, leaf_hash
from farthing.evidence.tiles import TreeReader
from farthing.report.aiact import checklist
from farthing.report.regulated import NOT_GIVEN, SAMPLES, regulated, sampled
from farthing.report.view import NAMED


def blocks() -> list[dict[str, object]]:
    return next(s for s in statement()["sections"] if s["id"] == "regulated")["blocks"]  # type: ignore[no-any-return]


def test_samples_are_leaves_with_their_proofs() -> None:
    head, samples = month().log.head, source().samples
    assert len(samples) == SAMPLES
    for sample in samples:
        proof = tuple(base64.b64decode(each) for each in sample.proof)
        leaf = leaf_hash(sample.entry.encode())
        check_inclusion(leaf, sample.leaf, head.size, proof, head.root)
        assert json.loads(sample.entry)["v"] == 1


def test_the_root_chooses_them() -> None:
    found, head = month().facts.range, month().log.head
    reader = TreeReader(month().fetch, head.size)
    again = [s.leaf for s in sampled(reader, head.root, found.first, found.last)]
    other = [s.leaf for s in sampled(reader, b"\0" * 32, found.first, found.last)]
    assert again == [s.leaf for s in source().samples] != other
    assert all(found.first <= leaf <= found.last for leaf in again)
    assert sampled(reader, head.root, 5, 4) == []


def test_what_the_operator_did_not_say_is_not_given() -> None:
    table = next(b for b in blocks() if str(b.get("title", "")).startswith("Systems"))
    rows = {row[0]: row[1:] for row in table["rows"]}  # type: ignore[attr-defined]
    assert rows["openai/gpt-5"] == ["drafts", "deployer", "card held"]
    assert rows["local/smollm2-135m-instruct"] == [NOT_GIVEN] * 3


def test_each_duty_has_its_line_with_figures_of_the_period() -> None:
    """The same that `farthing export ai-act` writes."""
    table = next(b for b in blocks() if b.get("title") == "EU AI Act")
    told, found = checklist(month().facts), figures(statement())
    for row, line in zip(table["rows"], told["lines"], strict=True):  # type: ignore[call-overload]
        assert row[0].startswith(line["article"]) and row[3] == line["not_covered"]
        values = [found[name]["value"] for name in NAMED.findall(row[2])]
        assert values == list(line["figures"].values())
        assert row[2].startswith(line["held"])


def test_without_samples_it_stands_all_the_same() -> None:
    made = draft()
    regulated(made, [])
    assert made.sections[0]["id"] == "regulated"
