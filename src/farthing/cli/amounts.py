"""Amounts, times and scopes as people write them on the command line."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

from farthing import clock, money
from farthing.cli.output import console, print_json, run, stop
from farthing.ledger import admin
from farthing.ledger.entry import Entry, Refusal
from farthing.paths import DataFolder

# A duration as people write it → seconds.
DURATIONS = {"h": 3600, "d": 86_400, "w": 7 * 86_400}


def dollars(option: str, text: str) -> int:
    """Return an amount of dollars as nanodollars; anything else ends the command."""
    try:
        return money.nanodollars(text.removeprefix("$"))
    except ValueError as error:
        stop(f"{option}: {error}", status=2)


def shown(amount: int | None) -> str | None:
    """Return nanodollars as dollars; nothing for none."""
    return None if amount is None else money.dollars(amount)


def seconds(option: str, text: str) -> int:
    """Return a duration such as 30d in seconds; anything else ends the command."""
    match = re.fullmatch(r"(\d+)([hdw])", text)
    if match is None or int(match[1]) == 0:
        stop(f"{option}: {text!r} is no duration; write 12h, 30d or 8w", status=2)
    return int(match[1]) * DURATIONS[match[2]]


def moment(option: str, text: str, now: int) -> int:
    """Return a day (its beginning, UTC) or a duration from now as a moment."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return now + seconds(option, text) * clock.SECOND
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * clock.SECOND


def text(value: Any) -> str:
    """Return a table's cell."""
    return "–" if value is None else str(value)


def enter(folder: DataFolder, entries: list[Entry]) -> None:
    """Record entries; the first that is refused ends the command with the reason."""
    for refusal in run(admin.record(folder, entries)):
        if refusal is not None:
            stop(_reason(refusal))


def done(json: bool, told: dict[str, Any], sentence: str) -> None:
    """Say that it is done."""
    if json:
        print_json(told)
    else:
        console.print(sentence, soft_wrap=True, markup=False)


def _reason(refusal: Refusal) -> str:
    reasons = {
        "duplicate": "that name or id is taken already",
        "unknown_key": "there is no such key; `farthing keys list` shows them",
        "journal_full": "the disk is full; free some space in the data folder",
        "not_unresolved": "that query is not unresolved; `farthing holds list` shows which are",
        "not_tripped": "that model is not tripped; `farthing holds list` shows those that are",
    }
    return refusal.detail or reasons.get(
        refusal.code, f"the ledger did not take it: {refusal.code}"
    )
