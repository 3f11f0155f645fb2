"""A ledger with everything, exported as a test wants it, and its fixtures."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.support.bills import DAY, LEDGER, NOVEMBER, OCTOBER, SEPTEMBER, billed, bills
from tests.support.postgres import PostgresServer

from farthing.paths import DataFolder
from farthing.report.billing import Exported, Kept, Wanted, export
from farthing.report.focus import Ledger

ALL = "all"
PERIODS = {
    ALL: (SEPTEMBER - 31 * DAY, NOVEMBER + 30 * DAY),
    "2026-09": (SEPTEMBER, OCTOBER),
    "2026-10": (OCTOBER, NOVEMBER),
}
OF = Ledger(LEDGER, "Acme", "farthing", "farthing/ledger-one", 10**6)

Export = Callable[..., tuple[list[dict[str, str]], Exported]]


class Billed:
    """A data folder and its records."""

    def __init__(self, folder: DataFolder, engine: sa.Engine, out: Path) -> None:
        self.folder, self.engine, self.out = folder, engine, out

    def export(
        self, version: str = "1.4", period: str = ALL, form: str = "csv", **more: Any
    ) -> tuple[list[dict[str, str]], Exported]:
        """Return the rows (of CSV) and what the export says of itself."""
        out = self.out / f"focus-{version}-{period}.{form}"
        wanted = Wanted(version, *PERIODS[period], form, out, **more)
        with self.engine.connect() as connection:
            kept = Kept(self.folder.journal, self.folder.price_books, {})
            made = export(connection, OF, kept, wanted)
        return (read(out) if form == "csv" else []), made


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def sqlite_bills(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Billed]:
    root = tmp_path_factory.mktemp("bills")
    folder, engine = billed(root / "data", bills())
    yield Billed(folder, engine, root)
    engine.dispose()


@pytest.fixture(scope="session", params=("sqlite", "postgresql"))
def both_bills(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
    postgres: PostgresServer,
) -> Iterator[Billed]:  # fmt: skip
    """The same ledger in each database."""
    root = tmp_path_factory.mktemp("bills")
    url = postgres.new_database() if request.param == "postgresql" else None
    folder, engine = billed(root / "data", bills(), url)
    yield Billed(folder, engine, root)
    engine.dispose()
