"""`farthing evals`: the evaluations in the ledger."""

from __future__ import annotations

import contextlib
from typing import Annotated, Any

import msgspec
import typer

from farthing import clock, money
from farthing.cli.amounts import minute, text
from farthing.cli.output import (
    ConfigFile,
    Data,
    Json,
    database_of,
    existing_ledger,
    expected,
    print_json,
    show,
    table,
)

KIND = "evaluation"
NUMBERS = ("Value", "Samples", "Queries", "Cost $")


def evals(
    task: Annotated[
        str | None, typer.Argument(show_default=False, help="Only those of this task.")
    ] = None,
    data: Data = None,
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """List the evaluations: figures with 95 % intervals, samples, cost, and what became of each."""
    folder = existing_ledger(data)
    from farthing.ledger.reading import Reader  # noqa: PLC0415  (SQL takes long to import)

    with expected(), contextlib.closing(Reader(folder, database_of(folder, config))) as reader:
        found = [_read(row) for row in reader.entered_as(KIND)]
    chosen = [row for row in found if task in (None, row["task"])]
    if json:
        print_json(chosen)
    else:
        print_table(chosen, "there is no evaluation; `farthing eval --help` says how to make one")


def _read(row: dict[str, Any]) -> dict[str, Any]:
    return {"entry": row["position"], **presented(msgspec.json.decode(row["entry"]))}


def presented(told: dict[str, Any]) -> dict[str, Any]:
    """Return an evaluation's fields as people and programs read them."""
    return {
        **told,
        "at": clock.iso(told["at"]),
        "began": clock.iso(told["began"]),
        "usd": money.dollars(told["usd"]),
        "held": money.dollars(told["held"]),
    }


def print_table(rows: list[dict[str, Any]], empty: str) -> None:
    """Print evaluations, a line for each of their figures."""
    columns = ("Began (UTC)", "ID", "Task", "Model", "Figure", "Value", "95 %")
    made = table(*columns, *NUMBERS[1:], "Data set", "Outcome", right=NUMBERS)
    for row in rows:
        for score in row["scores"] or [None]:
            made.add_row(*map(text, _cells(row, score)))
    show(made, empty)


def _cells(row: dict[str, Any], score: dict[str, Any] | None) -> tuple[Any, ...]:
    figure: tuple[str | None, ...] = (None, None, None)
    if score is not None:
        ends = f"{score['low']} to {score['high']}" if score["method"] else None
        figure = (f"{score['scorer']} {score['metric']}", score["value"], ends)
    cost = row["usd"] if not row["unknown"] else f"{row['usd']} + ≤ {row['held']}"
    return (
        minute(row["began"]),
        row["id"],
        row["task"],
        row["model"],
        *figure,
        f"{row['completed']}/{row['samples'] * row['epochs']}",
        row["queries"],
        cost,
        row["dataset_sha256"][:12] or None,
        row["outcome"],
    )
