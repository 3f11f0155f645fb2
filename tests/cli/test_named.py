"""Names that commands are given: what a query carries, or a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from farthing.cli import named
from farthing.ledger.entry import Key
from farthing.ledger.registry import KeyState
from farthing.ledger.standing import Standing
from farthing.paths import DataFolder

TOML = """
[models]
fast = "mine/tiny-2"
[providers.mine]
base_url = "http://127.0.0.1:9/v1"
auth = "none"
dialects = { chat = "/chat" }
[[prices]]
provider = "mine"
model = "tiny-2"
input = 1
output = 1
"""

KEYS = [KeyState(Key(1, "ann", "abc123", "app", b""))]
STANDING = Standing([], KEYS, {}, [], [], [], [], [])
LONG = "u" * 129


@pytest.fixture
def config(folder: Path) -> Path:
    path = folder.parent / "other.toml"
    path.write_text(TOML)
    return path


def scope(written: str, folder: Path, config: Path | None = None) -> str:
    return named.scope(written, STANDING, DataFolder(folder), config)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("key:abc123", "key:abc123"),
        ("key:fk_abc123_secret", "key:abc123"),
        ("key:*", "key:*"),
        ("user:ann", "user:ann"),
        ("tag:nightly", "tag:nightly"),
        ("team:any", "team:any"),
        ("foo", "foo"),
        ("provider:mine", "provider:mine"),
        ("provider:*", "provider:*"),
        ("route:fast", "route:fast"),
        ("model:mine/tiny-2", "model:mine/tiny-2"),
        ("model:mine/TINY-2", "model:mine/tiny-2"),
        ("model:openai/gpt-4o-2024-08-06", "model:openai/gpt-4o"),
    ],
)
def test_a_name_is_as_queries_carry_it(
    folder: Path, config: Path, written: str, meant: str
) -> None:
    assert scope(written, folder, config) == meant


def test_a_user_of_a_long_name_is_known_by_its_digest(folder: Path) -> None:
    assert scope(f"user:{LONG}", folder).startswith("user:sha256-")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("key:app", "a key is named by its id: write key:abc123 for app"),
        ("key:fk_zzz_secret", "there is no key zzz; `farthing keys list` shows them"),
        ("tag:a,b", "no query can carry the tag 'a,b': a tag has no comma"),
        (f"tag:{LONG}", "at most 128 characters"),
        (
            "provider:mien",
            "there is no provider mien (did you mean mine?); `farthing doctor --all`",
        ),
        ("route:fats", "there is no route fats (did you mean fast?): routes are the names under"),
        ("model:fast", "fast is a route here; write route:fast, or model:mine/tiny-2"),
        ("model:tiny-2", "there is no provider tiny-2; write model:mine/tiny-2; name the"),
        ("model:nothing-has-it", "there is no provider nothing-has-it; write model:PROVIDER/MODEL"),
        (
            "model:mine/tiny-3",
            "mine has no model tiny-3 that is priced here (did you mean tiny-2?)",
        ),
    ],
)
def test_a_name_that_no_query_carries(
    folder: Path, config: Path, capsys: pytest.CaptureFixture[str], written: str, said: str
) -> None:
    with pytest.raises(typer.Exit):
        scope(written, folder, config)
    told = " ".join(capsys.readouterr().err.split())
    assert said in told
    assert "secret" not in told


def test_a_provider_is_one_of_the_gateways(
    folder: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert named.provider("mine", DataFolder(folder), config) == "mine"
    with pytest.raises(typer.Exit):
        named.provider("mine", DataFolder(folder), None)
    said = "name the gateway's settings file with --config if it is not the usual one"
    assert said in " ".join(capsys.readouterr().err.split())


def test_settings_that_cannot_be_read_are_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit):
        scope("provider:mine", folder, folder / "none.toml")
    assert "none.toml: cannot be read" in " ".join(capsys.readouterr().err.split())
