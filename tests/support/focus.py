"""The programs that check FOCUS exports, run as they are published: nobody here wrote them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

# `make test` puts them there where it finds a Python 3.12.
PROGRAMS = Path(sys.prefix) / "focus" / "bin"

# What the ledger's providers have, in the validator's words; it judges by it what must be there.
CRITERIA = (
    "ACCOUNT_NAMING_SUPPORTED", "MULTIPLE_PRICING_CATEGORIES_SUPPORTED",
    "MULTIPLE_SUB_ACCOUNT_TYPES_SUPPORTED", "NEGOTIATED_PRICING_SUPPORTED",
    "PUBLIC_PRICE_LIST_SUPPORTED", "SUB_ACCOUNT_SUPPORTED", "TAGGING_SUPPORTED",
    "UNIT_PRICING_SUPPORTED", "USAGE_MEASUREMENT_SUPPORTED",
)  # fmt: skip


def program(name: str) -> Path:
    """Return a program's path; skip the test without it."""
    path = PROGRAMS / name
    if not path.exists():
        pytest.skip(f"{name} is not here: `make test` installs it where there is a Python 3.12")
    return path


def failing_rules(file: Path) -> tuple[set[str], int]:
    """Return the rules of FOCUS 1.2 that a file fails by focus-validator, and how many it passes.

    Its status is 0 either way. It finds its currencies only from within its own folder.
    """
    validator = program("focus-validator")
    (within,) = (PROGRAMS.parent / "lib").glob("python*/site-packages")
    command = [
        str(validator), "--data-file", str(file), "--validate-version", "1.2.0.1",
        "--block-download", "--applicability-criteria", ",".join(CRITERIA),
    ]  # fmt: skip
    ran = subprocess.run(
        command, cwd=within, capture_output=True, text=True, check=True, timeout=300
    )
    total = re.search(r"^Total: \d+ \| Pass: (\d+) \| Fail: (\d+)", ran.stdout, re.M)
    assert total is not None, ran.stdout[-2000:] + ran.stderr[-2000:]
    failed = set(re.findall(r"^❌ (\S+): FAIL", ran.stdout, re.M))
    assert len(failed) == int(total[2])
    return failed, int(total[1])


def toolkit(*arguments: str) -> str:
    """Run focus-data-toolkit's command, which must find nothing wrong; return what it said."""
    command = [str(program("focus-toolkit")), *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout
