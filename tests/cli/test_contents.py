"""Reading and disclosing from the command line, and the sentences where there is nothing."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from tests.cli.conftest import Cli, one_line, values
from tests.support.vault import ORG, Kept, frames, make_ledger

from farthing.paths import DataFolder

OWN = ("key:k2",)


@pytest.fixture
def data(folder: Path) -> DataFolder:
    made = DataFolder(folder)
    make_ledger(
        made,
        Kept("q1", "ann", ORG, b"ask \x1b[2J one", b"tell one"),
        Kept("q2", "bob", OWN, word="committed"),
        Kept("q3", "bob", OWN, word="failed"),
        Kept("q4", "bob", OWN, word=""),
    )
    return made


def test_prompt_and_answer_are_shown_as_the_ledger_commits_to_them(
    cli: Cli, data: DataFolder
) -> None:
    said = cli("contents", "q1").stdout
    assert "prompt, 12 bytes, as entry 7 commits to" in said and "tell one" in said
    assert "\x1b" not in said and "ask \\x1b[2J one" in said
    told = values(cli("contents", "q1", "--json"))[0]
    assert told["entry"] == 7
    assert told["answer"] == {"bytes": 8, "state": "verified", "text": "tell one"}
    assert cli("contents", "q1", "--only", "prompt").stdout_bytes == b"ask \x1b[2J one"
    assert "neither prompt nor answer" in one_line(cli("contents", "q1", "--only", "x", status=2))


def test_of_salts_alone_nothing_can_be_shown(cli: Cli, data: DataFolder) -> None:
    assert "prompt, 3 bytes, only its salt was kept" in cli("contents", "q2").stdout
    why = one_line(cli("contents", "q2", "--only", "prompt", status=1))
    assert "only the salts were kept" in why


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("q3", "when q3 ended the vault could not be written, says entry 11"),
        ("q4", "nothing was committed to or kept of q4"),
        ("q9", "there is no query q9"),
    ],
)
def test_where_there_is_nothing_it_is_said_why(
    cli: Cli, data: DataFolder, query: str, why: str
) -> None:
    assert why in one_line(cli("contents", query, status=1))
    assert why in one_line(cli("disclose", query, status=1))


def test_what_is_missing_without_an_erasure_is_noticed(cli: Cli, data: DataFolder) -> None:
    for path in data.vault.glob("*q1.vault"):
        path.unlink()
    why = one_line(cli("contents", "q1", status=1))
    assert "entry 7 commits to contents of q1; the vault has nothing of it" in why


def test_what_was_changed_is_not_shown(cli: Cli, data: DataFolder) -> None:
    frame = next(f for f in frames(data.vault) if f.label and f.label.query == "q1")
    held = bytearray(frame.path.read_bytes())
    held[frame.offset + frame.size - 1] ^= 1
    frame.path.write_bytes(held)
    assert "NOT VERIFIED" in one_line(cli("contents", "q1", status=1))


def test_what_the_ledger_does_not_commit_to_is_not_shown(cli: Cli, folder: Path) -> None:
    """A vault that whoever has the master key wrote anew."""
    other = folder.parent / "other"
    make_ledger(DataFolder(other), Kept("q1", "ann", ORG, b"forged", b"forged"))
    make_ledger(DataFolder(folder), Kept("q1", "ann", ORG))
    for name in ("vault", "secrets"):
        (folder / name).rename(folder / f"{name}-before")
        (other / name).rename(folder / name)
    assert "NOT VERIFIED: the prompt is not" in one_line(cli("contents", "q1", status=1))


def test_a_disclosure_is_verified_against_the_receipt(
    cli: Cli, data: DataFolder, tmp_path: Path
) -> None:
    proof, file, key = tmp_path / "q1.tlog-proof", tmp_path / "q1.json", tmp_path / "key"
    cli("receipt", "q1", "--out", str(proof))
    cli("disclose", "q1", "--out", str(file))
    key.write_text(cli("log-key").stdout.strip())
    against = ("--receipt", str(proof), "--key", str(key))
    said = cli("verify", "disclosure", str(file), *against).stdout
    assert said == "prompt: verified, 12 bytes\nanswer: verified, 8 bytes\n"
    told = values(cli("verify", "disclosure", str(file), *against, "--json"))[0]
    assert told == {"prompt": "verified", "answer": "verified"}

    disclosed = json.loads(file.read_bytes())
    assert json.loads(cli("disclose", "q1", "--only", "answer").stdout).keys() == {
        "v", "query", "answer",
    }  # fmt: skip
    disclosed["answer"]["content"] = base64.b64encode(b"tell 0ne").decode()
    file.write_text(json.dumps(disclosed))
    why = one_line(cli("verify", "disclosure", str(file), *against, status=1))
    assert "NOT VERIFIED: this is not the answer" in why

    text = tmp_path / "answer.txt"
    text.write_bytes(b"tell one")
    salt = ("--salt", disclosed["answer"]["salt"])
    content = ("verify", "content", str(text))
    assert cli(*content, *salt, *against).stdout == "verified: it is the answer\n"
    assert values(cli(*content, *salt, *against, "--json"))[0] == {"verified": "answer"}
    wrong = ("--salt", disclosed["prompt"]["salt"])
    assert "NOT VERIFIED" in one_line(cli(*content, *wrong, *against, status=1))
    other = tmp_path / "q2.tlog-proof"
    cli("receipt", "q2", "--out", str(other))
    against = ("--receipt", str(other), "--key", str(key))
    assert "NOT VERIFIED" in one_line(cli(*content, *salt, *against, status=1))
    assert "it is of q1, and the receipt of q2" in one_line(
        cli("verify", "disclosure", str(file), *against, status=1)
    )


def test_a_part_is_disclosed_and_not_verified(cli: Cli, folder: Path, tmp_path: Path) -> None:
    data = DataFolder(folder)
    make_ledger(data, Kept("q1", "ann", ORG))
    file = tmp_path / "q1.json"
    told = json.loads(cli("disclose", "q1").stdout)
    told["answer"]["content"] = base64.b64encode(b"te").decode()
    file.write_text(json.dumps(told))
    proof, key = tmp_path / "proof", cli("log-key").stdout.strip()
    cli("receipt", "q1", "--out", str(proof))
    against = ("--receipt", str(proof), "--key", key)
    said = cli("verify", "disclosure", str(file), *against, status=1).stdout
    assert "prompt: verified" in said and "answer: NOT VERIFIED: it was kept only in part" in said
