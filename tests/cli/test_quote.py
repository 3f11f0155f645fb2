"""Quotes: the price on every model that could take a request, before it is sent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Cli, values

from farthing import money

SETTINGS = """
[providers.cheap]
base_url = "https://cheap.example/v1"
auth = "none"
dialects = { chat = "/chat/completions" }
models = ["small", "unpriced"]

[providers.dear]
base_url = "https://dear.example/v1"
api_key_env = "DEAR_KEY"
dialects = { chat = "/chat/completions", messages = "/messages" }
models = ["large"]

[[prices]]
provider = "cheap"
model = "small"
input = 1
output = 2

[[prices]]
provider = "dear"
model = "large"
input = 10
output = 20
"""


@pytest.fixture(autouse=True)
def settings(folder: Path) -> None:
    folder.mkdir()
    (folder / "farthing.toml").write_text(SETTINGS)


def test_a_text_is_quoted_at_its_bound(cli: Cli) -> None:
    told = values(cli("quote", "hello", "--max-tokens", "10", "--json"))[0]
    quote = told["quotes"][0]
    assert (quote["model"], quote["output_cap"]) == ("cheap/small", 10)
    tokens = quote["input_tokens_at_most"]
    assert quote["nanodollars"] == tokens * 1000 + 10 * 2000
    assert quote["at_most_usd"] == money.dollars(quote["nanodollars"])


def test_only_providers_with_a_key_unless_all_are_asked_for(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def quoted(*extra: str) -> list[str]:
        told = values(cli("quote", "hello", "--json", *extra))[0]
        names = [row["model"] for row in told["quotes"]]
        return [name for name in names if name in ("cheap/small", "dear/large")]

    assert quoted() == ["cheap/small"]
    assert quoted("--all") == ["cheap/small", "dear/large"]  # the cheapest first
    monkeypatch.setenv("DEAR_KEY", "k")
    assert quoted() == ["cheap/small", "dear/large"]


def test_a_model_that_cannot_take_it_is_named_with_the_reason(cli: Cli) -> None:
    refused = values(cli("quote", "hello", "--json"))[0]["refused"]
    assert "cannot be priced" in refused["cheap/unpriced"]


def test_a_request_from_a_file_in_its_dialect(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEAR_KEY", "k")
    asked = {"max_tokens": 5, "messages": [{"role": "user", "content": "hello"}]}
    (tmp_path / "ask.json").write_text(json.dumps(asked))
    told = values(cli("quote", "ask.json", "--dialect", "messages", "--json"))[0]
    quoted = [(row["model"], row["output_cap"]) for row in told["quotes"]]
    assert quoted == [("cheap/small", 5), ("dear/large", 5)], "translated where it must be"
    piped = cli("quote", "-", "--dialect", "messages", stdin=json.dumps(asked))
    assert "dear/large" in piped.stdout


def test_a_request_that_is_no_json(cli: Cli) -> None:
    result = cli("quote", "{not json", status=1)
    assert "not a JSON object" in " ".join(result.stderr.split())


def test_an_unknown_dialect(cli: Cli) -> None:
    result = cli("quote", "{}", "--dialect", "latin", status=2)
    assert "write chat or messages" in " ".join(result.stderr.split())
