"""Laws over recorded traffic of the surfaces that cross to nothing."""

from __future__ import annotations

import json
import lzma
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from tests.wire.test_corpus import CORPUS, compact, feed

from farthing.wire import DIALECTS
from farthing.wire.dialect import Answer, Ask, Changes, Dialect
from farthing.wire.surfaces import operation

pytestmark = pytest.mark.skipif(not CORPUS.exists(), reason="no corpus")

# The recorded path of a surface, by its end, and the dialect that it is.
ENDS = {
    "openai.completions": {"/completions": "completions"},
    "cohere.rerank": {"/rerank": "rerank"},
    "openai.images": {"/images/generations": "images", "/images/edits": "image_edits"},
    "openai.moderations": {"/moderations": "moderations"},
    "openai.audio": {
        "/audio/speech": "speech",
        "/audio/transcriptions": "transcriptions",
        "/audio/translations": "translations",
    },
}


def recorded() -> Iterator[tuple[dict[str, Any], Dialect]]:
    with lzma.open(CORPUS, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            path = (row.get("request") or {}).get("path") or ""
            for end, name in ENDS.get(row["surface"], {}).items():
                if path.endswith(end) and "prompts" not in path:
                    yield row, DIALECTS[name]


def answer_of(row: dict[str, Any], dialect: Dialect, ask: Ask) -> Answer:
    told = row["response"]
    if "sse" in told:
        stream = told["sse"].encode()
        passed, answer = feed(dialect.tap(ask), stream, 7)
        assert passed == stream, row["id"]
        assert feed(dialect.tap(ask), stream, len(stream) + 1) == (passed, answer)
        return answer
    return dialect.read_answer(compact(told.get("body")))


def counted(row: dict[str, Any]) -> dict[str, int]:
    """Return what a third party found in the answer, by the names that are ours."""
    usage = row["derived"]["usage"] or {}
    names = {
        "prompt_tokens": "input",
        "completion_tokens": "output",
        "input_tokens": "input",
        "output_tokens": "output_image",
        "seconds": "audio_seconds",
    }
    if row["surface"] == "cohere.rerank" and "prompt_tokens" not in usage:
        names["total_tokens"] = "input"
    return {names[name]: number for name, number in usage.items() if name in names and number}


def test_a_request_goes_on_as_it_came_and_its_answer_is_metered() -> None:
    counts: Counter[str] = Counter()
    for row, dialect in recorded():
        body = (row.get("request") or {}).get("body")
        ask = dialect.read_request(compact(body or {"stream": "sse" in row["response"]}))
        ask.wants_usage = True
        if body is not None:
            counts["requests"] += 1
            assert dialect.write_request(ask, Changes()) == ask.body, row["id"]
            renamed = json.loads(dialect.write_request(ask, Changes(model="n")))
            assert renamed == {**body, "model": "n"}, row["id"]
        usage = answer_of(row, dialect, ask).usage
        if usage is not None:
            counts["metered"] += 1
            for name, number in counted(row).items():
                assert getattr(usage, name) == number, (row["id"], name)
        if row["response"]["status"] < 300:
            counts[f"answers of {dialect.name}"] += 1
            told = row["derived"]["usage"] or {}
            assert (usage is not None) or told.get("type") != "duration", row["id"]
    assert counts["requests"] > 20 and counts["metered"] > 15, counts


def test_recorded_files_and_batches_are_operations() -> None:
    found = 0
    with lzma.open(CORPUS, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            request = row.get("request") or {}
            path = request.get("path") or ""
            vendor = row["provider"] in ("openai", "anthropic", "xai")
            if row["surface"] in ("files", "batches", "anthropic.batches") and vendor:
                path, _, question = path.partition("?")
                version = {b"anthropic-version": b"x"} if row["provider"] == "anthropic" else {}
                kept = operation(
                    request["method"].encode(), path.encode(), question.encode(), version
                )
                assert kept is not None, path
                found += 1
    assert found > 8
