"""Each dialect asks for an operation that OpenTelemetry knows, or for one of its own."""

from __future__ import annotations

import pytest

from farthing.wire import DIALECTS
from farthing.wire.operations import operation


@pytest.mark.parametrize(
    ("dialect", "name"),
    [
        ("chat", "chat"),
        ("messages", "chat"),
        ("responses", "chat"),
        ("converse", "chat"),
        ("gemini", "generate_content"),
        ("completions", "text_completion"),
        ("rerank", "rerank"),
        ("unheard-of", "unheard-of"),
    ],
)
def test_what_a_dialect_asks_for(dialect: str, name: str) -> None:
    assert operation(dialect) == name


def test_all_that_embeds_is_embeddings() -> None:
    embedding = [name for name in DIALECTS if name.endswith("embeddings")]
    assert len(embedding) == 5 and {operation(name) for name in embedding} == {"embeddings"}
