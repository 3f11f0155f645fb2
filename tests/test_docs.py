"""The documents are true: reference pages are what the code says, links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from farthing.errors import CODES
from farthing.proxy import headers

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def test_reference_pages_are_what_the_code_says() -> None:
    ran = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_every_error_code_is_used_and_every_used_code_is_known() -> None:
    source = "\n".join(p.read_text() for p in (ROOT / "src").rglob("*.py") if p.name != "errors.py")
    for code in CODES:
        assert f'"{code}"' in source, f"{code} is raised nowhere"
    raised = re.findall(r'(?:Malformed|Refused|Failed)\(\s*"(\w+)"', source)
    assert set(raised) <= CODES.keys()


def test_the_readme_opens_with_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text()
    assert readme.index("make run") < readme.index("make test") < 700


def test_the_headers_the_readme_names_are_the_headers_there_are() -> None:
    readme = (ROOT / "README.md").read_text()
    source = "\n".join(p.read_text() for p in (ROOT / "src" / "farthing" / "proxy").glob("*.py"))
    sent = set(re.findall(r"(farthing-[a-z-]+): %", source))
    named = set(re.findall(r"`(farthing-[a-z-]+)`", readme))
    assert named == sent
    assert headers.MAX_COST_HEADER.decode() in readme


def test_the_commands_the_readme_names_are_the_commands_there_are() -> None:
    readme = (ROOT / "README.md").read_text()
    commands = set(
        re.findall(r"^## `farthing (\w+)`", (ROOT / "docs/reference/cli.md").read_text(), re.M)
    )
    line = next(row for row in readme.splitlines() if row.startswith("`farthing up`"))
    assert set(re.findall(r"`(?:farthing )?(\w+)", line)) == commands
