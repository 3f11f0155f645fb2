"""Paths that name a deployment."""

from __future__ import annotations

import pytest

from farthing.wire import DIALECTS
from farthing.wire.dialect import Target


@pytest.mark.parametrize(
    ("name", "path", "model"),
    [
        ("chat", b"/openai/deployments/mine/chat/completions", "mine"),
        ("chat", b"/openai/deployments/acme%2Fgpt%2D5/chat/completions", "acme/gpt-5"),
        ("embeddings", b"/openai/deployments/mine/embeddings", "mine"),
    ],
)
def test_the_path_says_the_model_and_the_body_whether_to_stream(
    name: str, path: bytes, model: str
) -> None:
    target = DIALECTS[name].target
    assert target is not None
    assert target(path) == Target(model, None)


@pytest.mark.parametrize(
    "path",
    [
        b"/openai/deployments/mine/embeddings",
        b"/openai/deployments/a/b/chat/completions",
        b"/openai/deployments//chat/completions",
        b"/v1/openai/deployments/mine/chat/completions",
        b"/openai/deployments/mine/chat/completions/x",
    ],
)
def test_another_path_is_none_of_chat(path: bytes) -> None:
    target = DIALECTS["chat"].target
    assert target is not None
    assert target(path) is None
