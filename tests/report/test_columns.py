"""Facts are rows of equal length, and say what their codes mean."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
from tests.support.evidence import VERIFIER, entries, make_log

from farthing.evidence.entries import read_entries
from farthing.evidence.source import source_of
from farthing.report.columns import Facts
from farthing.report.facts import read_facts


def test_all_columns_have_a_row_for_each_ending(tmp_path: Path) -> None:
    log = make_log(tmp_path, entries(300))
    facts = read_facts(read_entries(source_of(str(log.folder)), VERIFIER), 0, 2**62)
    columns = [value for value in msgspec.structs.asdict(facts).values()
               if isinstance(value, np.ndarray)]  # fmt: skip
    assert {len(column) for column in [*columns, *facts.usage.values()]} == {len(facts)} == {299}
    assert len(columns) == sum("Integers" in str(kind) or "Codes" in str(kind)
                               or "Flags" in str(kind) or "uint8" in str(kind)
                               for name, kind in Facts.__annotations__.items()
                               if name != "usage")  # fmt: skip


def test_kinds_and_names_are_told_by_their_codes(tmp_path: Path) -> None:
    log = make_log(tmp_path, entries(5))
    facts = read_facts(read_entries(source_of(str(log.folder)), VERIFIER), 0, 2**62)
    assert facts.of("settled").all() and not facts.of("void", "unresolved").any()
    assert facts.name(0) == "" and {facts.name(code) for code in facts.key} == {"k1"}
