"""Recorded embeddings and counts: what is read is written back, and each crosses to the others."""

from __future__ import annotations

import json
import lzma
from collections import Counter
from typing import Any

import pytest
from tests.wire.test_corpus import CORPUS, compact

from farthing.errors import Refused
from farthing.wire import DIALECTS
from farthing.wire.codecs import CODECS as ANSWERS
from farthing.wire.count.envelopes import ENVELOPES
from farthing.wire.count.translate import CountTranslation
from farthing.wire.crossing import Crossing
from farthing.wire.dialect import Changes
from farthing.wire.embed.canon import Request
from farthing.wire.embed.codecs import CODECS

pytestmark = pytest.mark.skipif(not CORPUS.exists(), reason="no corpus")

EMBEDDING = {
    "openai.embeddings": "embeddings",
    "gemini.embeddings": "gemini-batch-embeddings",
    "cohere.embed": "cohere-embeddings",
}
COUNTING = {
    "anthropic.count_tokens": "counting",
    "openai.responses.input_tokens": "responses-counting",
    "gemini.countTokens": "gemini-counting",
    "bedrock.count_tokens": "converse-counting",
}

# Counts that only the vendor of their tools can take.
OWN_TOOLS = {"pydantic_ai-6dd50902fb52", "pydantic_ai-af622520ed4f"}


def rows_of(surfaces: dict[str, str]) -> list[tuple[str, dict[str, Any]]]:
    with lzma.open(CORPUS, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [(surfaces[r["surface"]], r) for r in rows if r["surface"] in surfaces]


def said(counts: Counter[str]) -> str:
    return ", ".join(f"{number} {what}" for what, number in sorted(counts.items()))


def body_of(row: dict[str, Any]) -> dict[str, Any] | None:
    body = (row.get("request") or {}).get("body")
    return body if isinstance(body, dict) else None


def test_recorded_embeddings_come_back_as_they_were(capsys: pytest.CaptureFixture[str]) -> None:
    counts: Counter[str] = Counter()
    for name, row in rows_of(EMBEDDING):
        codec, same = CODECS[name], Crossing(name, name)
        if (body := body_of(row)) is not None:
            assert codec.write_request(codec.read_request(body), same) == body, row["id"]
            ask = DIALECTS[name].read_request(compact(body))
            assert DIALECTS[name].write_request(ask, Changes()) == compact(body), row["id"]
            counts[f"{name} requests"] += 1
        told, status = row["response"].get("body"), row["response"]["status"]
        if status >= 400:
            problem = codec.read_problem(status, told)
            assert codec.write_problem(problem, same) == told, row["id"]
            counts[f"{name} errors"] += 1
        elif isinstance(told, dict):
            response = codec.read_response(told)
            assert codec.write_response(response, Request(dialect=name), same) == told, row["id"]
            assert response.vectors
            usage = DIALECTS[name].read_answer(compact(told)).usage
            counts[f"{name} answers{'' if usage else ' without usage'}"] += 1
    with capsys.disabled():
        print(
            f"\n  corpus | embeddings | {', '.join(f'{n} {w}' for w, n in sorted(counts.items()))}"
        )
    assert sum(counts.values()) > 30
    assert counts["gemini-batch-embeddings answers without usage"] == 1, "what is counted for"


def test_recorded_counts_come_back_and_cross_to_every_other(
    capsys: pytest.CaptureFixture[str],
) -> None:
    counts: Counter[str] = Counter()
    for name, row in rows_of(COUNTING):
        told = row["response"].get("body")
        if row["response"]["status"] < 400:
            assert DIALECTS[name].read_count(compact(told)) is not None, row["id"]
            counts["counts"] += 1
        body = body_of(row)
        assert body is not None
        ask = DIALECTS[name].read_request(compact(body))
        assert DIALECTS[name].write_request(ask, Changes()) == compact(body)
        request, beside = ENVELOPES[name].open(body)
        assert not beside
        read = ANSWERS[ENVELOPES[name].of].read_request(request)
        assert read.turns, row["id"]
        if row["id"] in OWN_TOOLS:
            for there in ENVELOPES.keys() - {name}:
                with pytest.raises(Refused):
                    CountTranslation(name, there, "m").request(ask, strict=False)
                counts["refused, of a vendor's own tools"] += 1
            continue
        for there in ENVELOPES.keys() - {name}:
            crossed = CountTranslation(name, there, "m").request(ask, strict=False)
            again, _ = ENVELOPES[there].open(json.loads(crossed))
            found = ANSWERS[ENVELOPES[there].of].read_request(again)
            assert len(found.tools) >= len(read.tools), row["id"]
            counts["crossings"] += 1
    with capsys.disabled():
        print(f"\n  corpus | counts | {said(counts)}")
    assert counts["crossings"] > 20
