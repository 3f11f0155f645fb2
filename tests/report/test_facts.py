"""The facts of a period, against sums made leaf by leaf, by hand."""

from __future__ import annotations

import json
import random
import shutil
import time
import tracemalloc
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.everything import LATER, everything
from tests.support.evidence import VERIFIER, Log, entries, make_log

from farthing import clock
from farthing.evidence.entries import read_entries
from farthing.evidence.merkle import ProofError
from farthing.evidence.source import source_of
from farthing.ledger.entry import (
    Commitment,
    Config,
    Draw,
    Entry,
    Genesis,
    Hold,
    Key,
    Limit,
    Resolve,
    Settle,
    Tranche,
    Unresolved,
    Void,
    WriteOff,
)
from farthing.ledger.reported import LogKey
from farthing.report.columns import EARLIER
from farthing.report.facts import ENDED, UNKNOWN, Facts, read_facts
from farthing.wire.dialect import Usage

ALWAYS = (0, 2**62)
SECOND = 10**9
JULY = int(datetime(2026, 7, 1, tzinfo=UTC).timestamp()) * SECOND
OCTOBER = int(datetime(2026, 10, 1, tzinfo=UTC).timestamp()) * SECOND
MS = 10**6


def facts_of(log: Log, since: int = 0, until: int = 2**62) -> Facts:
    return read_facts(read_entries(source_of(str(log.folder)), VERIFIER), since, until)


def leaves(log: Log) -> list[dict[str, Any]]:
    reader = log.reader
    return [json.loads(reader.entry(index)) for index in range(reader.size)]


def nano(dollars: str) -> int:
    return int(Decimal(dollars) * SECOND)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    groups = everything(5, steps=1_500)
    made = [entry for each in groups for entry in each if not isinstance(entry, LogKey)]
    return make_log(tmp_path_factory.mktemp("log"), made)  # their keys are no keys to publish with


def test_every_column_is_what_the_leaves_say(log: Log) -> None:
    facts, said = facts_of(log), leaves(log)
    endings = [leaf for leaf in said if leaf["kind"] in ENDED]
    assert len(facts) == len(endings) > 100
    assert facts.index.tolist() == [n for n, leaf in enumerate(said) if leaf["kind"] in ENDED]
    assert [facts.kinds[code] for code in facts.kind] == [ENDED[leaf["kind"]] for leaf in endings]
    for name in ("key", "provider", "model", "answered_model", "asked_model", "dialect",
                 "price_book", "finish"):  # fmt: skip
        told = [facts.names[code] for code in getattr(facts, name)]
        assert told == [leaf.get(name, "") for leaf in endings], name
    for name in ("http_status", "first_byte_us", "total_us", "stream", "unpriced", "hold", "entry"):
        assert getattr(facts, name).tolist() == [leaf.get(name, 0) for leaf in endings], name
    for name in ("at", "began"):
        times = [datetime.fromisoformat(leaf[name]).timestamp() for leaf in endings]
        assert (getattr(facts, name) / SECOND).tolist() == pytest.approx(times, abs=1e-6)
    for name in ("org", "team", "project"):
        scopes = [dict(reversed([s.split(":", 1) for s in leaf["path"]])) for leaf in endings]
        assert [facts.name(n) for n in getattr(facts, name)] == [s.get(name, "") for s in scopes]
    for meter in Usage.__struct_fields__:
        used = [leaf.get("usage", {}).get(meter, 0) for leaf in endings]
        assert facts.usage[meter].tolist() == used, meter


def test_money_is_exact_and_the_unknown_is_not_zero(log: Log) -> None:
    facts, said = facts_of(log), leaves(log)
    endings = [leaf for leaf in said if leaf["kind"] in ENDED]
    costs = [nano(leaf["cost_usd"]) if "cost_usd" in leaf else UNKNOWN for leaf in endings]
    assert facts.cost.tolist() == costs and UNKNOWN in costs
    listed = [nano(leaf["list_usd"]) if "list_usd" in leaf else cost
              for leaf, cost in zip(endings, costs, strict=True)]  # fmt: skip
    assert facts.list_cost.tolist() == listed
    assert facts.held.tolist() == [nano(leaf["held_usd"]) for leaf in endings]
    saved: Counter[str] = Counter()
    for leaf in said:
        if leaf["kind"] == "draw":
            saved[leaf["id"]] += nano(leaf["usd"]) - nano(leaf.get("effective", "0"))
    effective = [cost - saved[leaf["id"]] if cost >= 0 else UNKNOWN
                 for leaf, cost in zip(endings, costs, strict=True)]  # fmt: skip
    assert facts.effective.tolist() == effective and sum(saved.values()) > 0


def test_draws_belong_to_the_ending_that_they_pay_for(log: Log) -> None:
    facts, said = facts_of(log), leaves(log)
    drawn = [(n, leaf) for n, leaf in enumerate(said) if leaf["kind"] == "draw"]
    assert facts.draws.index.tolist() == [n for n, _ in drawn]
    for row, (_, leaf) in zip(facts.draws.row, drawn, strict=True):
        assert said[facts.index[row]]["id"] == leaf["id"]
    assert [facts.name(n) for n in facts.draws.source] == [leaf["source"] for _, leaf in drawn]
    assert facts.draws.usd.sum() == sum(nano(leaf["usd"]) for _, leaf in drawn)


def test_a_query_that_ended_twice_counts_once(log: Log) -> None:
    facts, said = facts_of(log), leaves(log)
    ids = np.array([said[index]["id"] for index in facts.index])
    last = {id_: row for row, id_ in enumerate(ids)}
    assert np.flatnonzero(~facts.superseded).tolist() == sorted(last.values())
    assert facts.superseded.any()
    for row in np.flatnonzero(facts.resolves >= 0):
        old = facts.resolves[row]
        assert ids[old] == ids[row] and facts.superseded[old] and old < row
    assert (facts.of("unresolved") | ~facts.superseded).all()


def test_what_ends_no_query_is_told_as_it_stands(log: Log) -> None:
    facts, said = facts_of(log), leaves(log)
    others = [(n, leaf) for n, leaf in enumerate(said) if leaf["kind"] not in {*ENDED, "draw"}]
    assert facts.others == others and facts.earlier == []
    beyond = facts_of(log, LATER, 2**62)
    late = [(n, leaf) for n, leaf in others if leaf["at"] >= clock.iso(LATER)]
    assert beyond.others == late and {"revoke", "evaluation"} <= {leaf["kind"] for _, leaf in late}
    assert beyond.earlier + beyond.others == others


def test_periods_divide_the_log(log: Log) -> None:
    whole = facts_of(log)
    cut = [0, 100 * SECOND, 150 * SECOND, 900 * SECOND, 2**62]
    parts = [facts_of(log, *period) for period in pairwise(cut)]
    assert np.concatenate([part.index for part in parts]).tolist() == whole.index.tolist()
    assert sum(part.list_cost.sum() for part in parts) == whole.list_cost.sum()
    assert [part.range.last + 1 for part in parts[:-1]] == [part.range.first for part in parts[1:]]
    assert parts[-1].range.last == whole.range.size - 1 and whole.range.first == 0


def test_facts_of_nothing(log: Log) -> None:
    facts = facts_of(log, 2**61, 2**62)
    assert len(facts) == 0 and facts.others == [] and facts.draws.usd.sum() == 0
    assert (facts.range.first, facts.range.last) == (log.head.size, log.head.size - 1)
    assert set(facts.usage) == set(Usage.__struct_fields__)


def query(number: int, began: int, *endings: Entry) -> list[Entry]:
    hold = Hold(
        began, f"q{number}", "k1", ("key:k1", "team:b", "team:a", "org:o"), "p", "m", "m",
        "chat", False, 9_000, 20, 10, 10, "book", "w",
    )  # fmt: skip
    return [hold, *endings]


def test_a_query_belongs_to_the_period_it_ended_in(tmp_path: Path) -> None:
    usage = Usage(1, output=2)
    log = make_log(tmp_path, [
        Genesis(JULY - 90 * SECOND, "one"),
        *query(1, JULY - 70 * SECOND, Settle(JULY - MS, "q1", 5, usage, 200, 1, 2)),
        *query(2, JULY - 60 * SECOND, Settle(JULY, "q2", 7, usage, 200, 1, 2)),
        *query(3, OCTOBER - 2 * MS, Settle(OCTOBER - MS, "q3", 11, usage, 200, 1, 2)),
        *query(4, OCTOBER - MS, Settle(OCTOBER, "q4", 13, usage, 200, 1, 2)),
        # It waited while the ledger was away, or the clock was set back.
        *query(5, OCTOBER - 9 * MS, Settle(OCTOBER - 8 * MS, "q5", 17, usage, 200, 1, 2)),
        *query(6, OCTOBER, Void(OCTOBER + MS, "q6", "not_sent")),
    ])  # fmt: skip
    facts = facts_of(log, JULY, OCTOBER)
    assert facts.index.tolist() == [2, 3, 5] and facts.cost.tolist() == [7, 11, 17]
    assert facts.began.tolist() == [JULY - 60 * SECOND, OCTOBER - 2 * MS, OCTOBER - 9 * MS]
    assert (facts.range.first, facts.range.last, facts.range.size) == (2, 5, 7)
    assert facts.name(facts.team[0]) == "b"  # the first of its path


def test_what_is_decided_later_is_a_fact_of_then(tmp_path: Path) -> None:
    log = make_log(tmp_path, [
        Genesis(JULY - 9, "one"),
        *query(1, JULY, Unresolved(JULY + MS, "q1", "usage_missing", 200, 5)),
        *query(2, JULY, Unresolved(JULY + MS, "q2", "worker_lost"),
               WriteOff(JULY + 2 * MS, "ann", "q2", "unbilled")),
        Resolve(OCTOBER, "ann", "q1", 300, "invoice"),
    ])  # fmt: skip
    summer = facts_of(log, JULY, OCTOBER)
    assert summer.superseded.tolist() == [False, True, False]
    assert summer.cost.tolist() == [UNKNOWN, UNKNOWN, 0]
    assert summer.resolves.tolist() == [-1, -1, 1]
    assert [summer.name(code) for code in summer.reason] == ["usage_missing", "worker_lost", ""]
    autumn = facts_of(log, OCTOBER, 2**62)
    assert autumn.kinds[autumn.kind[0]] == "resolved"
    assert (autumn.cost.tolist(), autumn.resolves.tolist()) == ([300], [EARLIER])


def test_a_commitment_makes_a_cost_cheaper_than_it_says(tmp_path: Path) -> None:
    tranche = Tranche(1_000, 500, JULY, OCTOBER)
    log = make_log(tmp_path, [
        Genesis(JULY - 9, "one"),
        Key(JULY - 8, "ann", "k1", "n", b""),
        Limit(JULY - 8, "ann", "key:k1", "usd", 10**10),
        Commitment(JULY - 7, "ann", "c1", "p", JULY, OCTOBER, (tranche,), 100_000),
        *query(1, JULY, Settle(JULY + MS, "q1", 90, Usage(1), 200, 1, 2, list_usd=100),
               Draw(JULY + MS, "q1", "credit:t1", 40, 40),
               Draw(JULY + MS, "q1", "commitment:c1/1", 90, 45)),
        Config(JULY + 2 * MS, "digest"),
    ])  # fmt: skip
    facts = facts_of(log, JULY, OCTOBER)
    assert (facts.list_cost[0], facts.cost[0], facts.effective[0]) == (100, 90, 45)
    assert [leaf["kind"] for _, leaf in facts.earlier] == ["genesis", "key", "limit", "commitment"]
    assert [(n, leaf["kind"]) for n, leaf in facts.others] == [(7, "config")]


def test_a_leaf_too_long_for_a_bundle_is_of_its_neighbours_time(tmp_path: Path) -> None:
    tranches = tuple(Tranche(n + 1, 1, JULY, OCTOBER) for n in range(2_000))
    log = make_log(tmp_path, [
        Genesis(JULY, "one"), Commitment(JULY, "ann", "c1", "p", JULY, OCTOBER, tranches),
    ])  # fmt: skip
    assert "leaf_sha256" in facts_of(log, JULY, OCTOBER).others[1][1]


def test_quotes_in_a_text_do_not_pass_for_a_leafs_own(tmp_path: Path) -> None:
    nasty = '","at":"2001-01-01T00:00:00.000Z","held_usd":"1","kind":"draw"'
    log = make_log(tmp_path, [
        Genesis(JULY, "one"), Config(JULY + MS, nasty),
        *query(1, JULY, Settle(JULY + MS, "q1", 5, Usage(1), 200, 1, 2, nasty, nasty)),
    ])  # fmt: skip
    facts = facts_of(log, JULY, OCTOBER)
    assert len(facts) == 1 and facts.name(facts.answered_model[0]) == nasty
    assert facts.others[1][1]["digest"] == nasty


def test_a_changed_cost_is_found_by_who_has_the_key(log: Log, tmp_path: Path) -> None:
    folder = tmp_path / "log"
    shutil.copytree(log.folder, folder)
    path = folder / "tile/entries/001"
    data, draw = bytearray(path.read_bytes()), random.Random(1)
    place = draw.choice([n for n in range(len(data)) if data.startswith(b'"cost_usd":"0.0000', n)])
    data[place + 18] = ord("7") if data[place + 18] != ord("7") else ord("8")
    path.write_bytes(data)
    changed = Log(folder, log.journal)
    with pytest.raises(ProofError):
        facts_of(changed, 10**6 * SECOND, 2**62)  # wherever in the log it is
    unchecked = read_facts(read_entries(source_of(str(folder)), None), *ALWAYS)
    assert not unchecked.range.verified


def test_progress_is_told_by_bundles(log: Log) -> None:
    told: list[tuple[int, int]] = []
    entries = read_entries(source_of(str(log.folder)), None)
    read_facts(entries, *ALWAYS, progress=lambda *step: told.append(step))
    assert told == [(n + 1, entries.bundles) for n in range(entries.bundles)]


@pytest.mark.soak
def test_a_hundred_thousand_queries_are_read_in_seconds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = make_log(tmp_path, entries(100_001))
    tracemalloc.start()
    facts_of(log)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    began = time.process_time()
    facts = facts_of(log)
    seconds = time.process_time() - began
    with capsys.disabled():
        told = f"{seconds * 10:.1f} s of CPU and {most / 10**5:.0f} MB"
        print(f"\n  facts | a million leaves: {told}", end=" ")
    assert len(facts) == 100_000
    # A million in 15 s and 500 MB, with room for a machine that does other work.
    assert seconds < 4 and most < 50 * 10**6
