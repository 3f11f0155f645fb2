"""Amounts, times and windows as people write them on the command line, and read them there."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

from rich.markup import escape

from farthing import clock, money
from farthing.cli.output import console, print_json, run, stop
from farthing.ledger import admin
from farthing.ledger.entry import Entry, Refusal
from farthing.ledger.window import WINDOWS
from farthing.paths import DataFolder

# A duration as people write it → seconds.
DURATIONS = {"h": 3600, "d": 86_400, "w": 7 * 86_400}

# A hundred years: the nanoseconds of a journal's times end in 2262.
SECONDS_MOST = 36_500 * 86_400
YEARS = range(1970, 2200)


def dollars(option: str, text: str) -> int:
    """Return an amount of dollars as nanodollars; anything else ends the command."""
    try:
        return money.nanodollars(text.removeprefix("$"))
    except ValueError as error:
        stop(f"{option}: {error}", status=2)


def shown(amount: int | None) -> str | None:
    """Return nanodollars as dollars; nothing for none."""
    return None if amount is None else money.dollars(amount)


def count(option: str, number: int | None) -> int | None:
    """Return a number of tokens or requests, if one is given that a journal can hold."""
    if number is not None and not 0 <= number <= money.MOST:
        stop(f"{option}: {number} is not a number from 0 to {money.MOST}", status=2)
    return number


def seconds(option: str, text: str) -> int:
    """Return a duration such as 30d in seconds; anything else ends the command."""
    found = _seconds(text)
    if found is None:
        stop(f"{option}: {text!r} is no duration; write 12h, 30d or 8w", status=2)
    return found


def moment(option: str, text: str, now: int) -> int:
    """Return a day (its beginning, UTC) or a duration from now as a moment."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is not None and day.year in YEARS:
        begins = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return int(begins.timestamp()) * clock.SECOND
    found = _seconds(text)
    if found is None:
        stop(
            f"{option}: {text!r} is neither a day nor a duration; write 2027-01-31, 12h, 30d or 8w",
            status=2,
        )
    return now + found * clock.SECOND


def to_come(option: str, text: str, now: int) -> int:
    """Return a moment that is still to come; one that is over would end what it is said of."""
    found = moment(option, text, now)
    if found <= now:
        stop(f"{option}: {text} is over; write a day to come, or a duration such as 90d", status=2)
    return found


def window(option: str, text: str) -> str:
    """Return a limit's window; anything else ends the command."""
    if text not in WINDOWS:
        stop(f"{option}: {text!r} is no window; write one of {', '.join(WINDOWS)}", status=2)
    return text


def said(option: str, text: str) -> str:
    """Return a text that says something; an empty one ends the command."""
    if not text.strip():
        stop(f"{option}: it is empty; say it in a few words", status=2)
    return text


def text(value: Any) -> str:
    """Return a table's cell."""
    return "–" if value is None else escape(str(value))


def minute(iso: str | None) -> str:
    """Return a time's cell: to the minute, as it is read fastest."""
    return "–" if iso is None else iso[:16].replace("T", " ")


def enter(folder: DataFolder, entries: list[Entry]) -> None:
    """Record entries; the first that is refused ends the command with the reason."""
    for refusal in run(admin.record(folder, entries)):
        if refusal is not None:
            stop(reason(refusal))


def done(json: bool, told: dict[str, Any], sentence: str) -> None:
    """Say that it is done."""
    if json:
        print_json(told)
    else:
        console.print(sentence, soft_wrap=True, markup=False)


def _seconds(text: str) -> int | None:
    match = re.fullmatch(r"([0-9]{1,9})([hdw])", text)
    found = int(match[1]) * DURATIONS[match[2]] if match is not None else 0
    return found if 0 < found <= SECONDS_MOST else None


def reason(refusal: Refusal) -> str:
    """Return why the ledger did not take an entry, and what to do."""
    reasons = {
        "duplicate": "there is one of that name already; `farthing scopes list` shows them",
        "unknown_key": "there is no such key; `farthing keys list` shows them",
        "journal_full": "the disk is full; free some space in the data folder",
        "not_unresolved": "that query is not unresolved; `farthing holds list` shows all that are",
        "not_tripped": "that model is not tripped; `farthing holds list` shows all that are",
    }
    return refusal.detail or reasons.get(
        refusal.code, f"the ledger did not take it: {refusal.code}"
    )
