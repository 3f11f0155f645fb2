"""Why recorded answers ended: the tap, which keeps little, reads what a whole reading finds."""

from __future__ import annotations

import base64
import json
import lzma
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from tests.wire.test_corpus import CORPUS, compact, feed
from tests.wire.test_corpus_crossing import SURFACES, streamed

from farthing.errors import Malformed
from farthing.wire import DIALECTS
from farthing.wire.codecs import CODECS
from farthing.wire.events import End, Finish
from farthing.wire.fold import fold

pytestmark = pytest.mark.skipif(not CORPUS.exists(), reason="no corpus")


def rows() -> Iterator[tuple[dict[str, Any], str]]:
    with lzma.open(CORPUS, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if row["response"]["status"] < 400 and (name := SURFACES.get(row["surface"])):
                yield row, name


def read(row: dict[str, Any], name: str) -> tuple[str, list[str]] | None:
    """Return what is read for the ledger, and what the canonical model has of each answer."""
    told, dialect = row["response"], DIALECTS[name]
    if isinstance(told.get("body"), dict):
        whole = CODECS[name].read_response(told["body"])
        finish = dialect.read_answer(compact(told["body"])).finish
    elif "sse" in told or "eventstream_base64" in told:
        events = streamed(row, name)
        whole = fold(e for e in events if not isinstance(e, End))
        if not any(isinstance(e, Finish) for e in events):
            whole.answers = []
        raw = base64.b64decode(told.get("eventstream_base64", "")) or told["sse"].encode()
        ask = dialect.read_request(compact({"stream": True}))
        ask.choices = max(1, len(whole.answers))
        finish = feed(dialect.tap(ask), raw, 700)[1].finish
    else:
        return None
    stops = [answer.stop for answer in whole.answers if answer.stop is not None]
    return finish, [s.kind for s in stops if s.told or s.kind != "other"]  # else it was not told


def test_why_an_answer_ended_is_what_a_whole_reading_finds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table: Counter[tuple[str, str, str]] = Counter()
    wrong = []
    for row, name in rows():
        try:
            found = read(row, name)
        except Malformed:
            continue
        if found is None:
            continue
        finish, kinds = found
        expected = "length" if "length" in kinds else kinds[0] if kinds else ""
        how = "whole" if "body" in row["response"] else "stream"
        table[name, how, finish or "not told"] += 1
        if finish != expected:
            wrong.append((row["id"], name, how, finish, expected))
    with capsys.disabled():
        for name, how in sorted({key[:2] for key in table}):
            told = {finish: n for (*of, finish), n in sorted(table.items()) if of == [name, how]}
            counts = ", ".join(f"{n:,} {finish}" for finish, n in told.items())
            print(f"\n  corpus | why {name} ended, {how:<26} | {counts}", end="  ")
    assert not wrong, "\n".join(map(str, wrong))
