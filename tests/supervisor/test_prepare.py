"""What a gateway checks before its processes are told to begin."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from farthing.errors import ConfigError
from farthing.paths import DataFolder
from farthing.settings import Settings
from farthing.settings.schema import ContentsRule, WitnessSettings
from farthing.supervisor.prepare import check


def test_folders_and_secrets_are_made_and_private(tmp_path: Path) -> None:
    data = DataFolder(tmp_path)
    check(data, Settings(contents=[ContentsRule("commitments")]))
    for folder in (data.price_books, data.logs):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert len(data.pepper()) == 32 and data.vault_key.exists()


def test_a_witness_without_a_readable_key_is_an_error(tmp_path: Path) -> None:
    wrong = WitnessSettings(url="https://witness.example", key="no key")
    with pytest.raises(ConfigError, match="witness"):
        check(DataFolder(tmp_path), Settings(witnesses=[wrong]))


# What few need and takes long to import, or much memory.
HEAVY = ("sqlalchemy", "cryptography", "urllib.request", "rich", "typer", "numpy", "alembic")


@pytest.mark.parametrize("module", ["farthing.proxy.worker", "farthing.ledger.process"])
def test_what_serves_queries_imports_no_more_than_it_needs(module: str) -> None:
    asked = f"import sys, {module}; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"


def test_the_supervisor_starts_its_processes_before_it_imports_much() -> None:
    heavy = ("sqlalchemy", "cryptography", "farthing.wire", "farthing.ledger.ledger")
    asked = f"import sys, farthing.cli.up; print([n for n in {heavy} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"
