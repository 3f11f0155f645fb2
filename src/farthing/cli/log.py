"""`farthing log`: the latest queries, what they cost and how long they took."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Annotated, Any

import typer

from farthing import clock, money
from farthing.cli.output import (
    ConfigFile,
    Data,
    Json,
    console,
    database_of,
    existing_ledger,
    expected,
    print_json,
    run,
    table,
    wide,
)
from farthing.ledger.present import presented

if TYPE_CHECKING:
    from farthing.ledger.reading import Reader

FOLLOW_SECONDS = 0.5

# Why answers end that lack nothing.
USUAL = ("end", "stop_sequence", "tool_calls")

STYLES = {
    "settled": "",
    "open": "cyan",
    "unresolved": "yellow",
    "posted": "yellow",
    "written-off": "dim",
    "void": "dim",
}


def log(
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many queries.")] = 20,
    key: Annotated[
        str | None, typer.Option(show_default=False, help="Only those of this key's id.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on, and print queries as they end.")
    ] = False,
    data: Data = None,
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """Show the latest queries with tokens, cost and time."""
    folder = existing_ledger(data)
    from farthing.ledger.reading import Reader  # noqa: PLC0415  (SQL takes long to import)

    with expected(), contextlib.closing(Reader(folder, database_of(folder, config))) as reader:
        rows = reader.recent(lines, key)
        if json:
            for row in rows:
                print_json(presented(row))
        else:
            _print_table(rows)
        if follow:
            with contextlib.suppress(KeyboardInterrupt):
                run(_follow(reader, key, json=json))


async def _follow(reader: Reader, key: str | None, *, json: bool) -> None:
    """Print every query that ends from now on, once, or again if it was unresolved before."""
    position = reader.position()
    while True:
        await asyncio.sleep(FOLLOW_SECONDS)
        for row in reader.ended_after(position, key):
            position = row["end_position"]
            print_json(presented(row)) if json else console.print(_line(row), soft_wrap=True)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    """Return a query as the cells of one row."""
    known = row["input"] is not None
    cached = (row["cache_read"] or 0) + (row["cache_write"] or 0) + (row["cache_write_1h"] or 0)
    cost = row["cost"]
    return (
        clock.iso(row["began"])[:-1].replace("T", " "),
        row["id"],
        row["key"],
        f"{row['provider']}/{row['model']}",
        str(row["input"] + cached) if known else "–",
        str(row["output"]) if known else "–",
        money.dollars(cost) if cost is not None else _most(row),
        _seconds(row["first_byte_us"]),
        _seconds(row["total_us"]),
        f"{row['status']}{_why(row)}",
    )


def _most(row: dict[str, Any]) -> str:
    """Return what a query costs at most, if anything bounds it."""
    return "unknown" if row["unpriced"] else f"≤ {money.dollars(row['held'])}"


def _why(row: dict[str, Any]) -> str:
    """Return what was unusual about its end."""
    failed = row["http_status"] is not None and row["http_status"] >= 300
    why = row["reason"] or (f"HTTP {row['http_status']}" if failed else row["finish"])
    return f" ({why})" if why and why not in USUAL else ""


def _seconds(microseconds: int | None) -> str:
    return "–" if microseconds is None else f"{microseconds / 1_000_000:.3f}"


def _print_table(rows: list[dict[str, Any]]) -> None:
    numbers = ("In", "Out", "Cost $", "First s", "Total s")
    columns = ("Time (UTC)", "Query", "Key", "Model", *numbers, "Ending")
    shown = table(*columns, right=numbers)
    for row in rows:
        shown.add_row(*_cells(row), style=STYLES[row["status"]])
    wide.print(shown)
    known = sum(row["cost"] or 0 for row in rows)
    console.print(f"{len(rows)} queries, ${money.dollars(known)} in all", style="bold")


def _line(row: dict[str, Any]) -> str:
    return "  ".join(_cells(row))
