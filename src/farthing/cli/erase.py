"""`farthing erase`: delete contents and their salts for good; the log says so, and stays valid."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from farthing import clock
from farthing.cli.amounts import said
from farthing.cli.named import key_id as written_key
from farthing.cli.output import (
    ConfigFile,
    Data,
    Json,
    console,
    database_of,
    examples,
    existing_ledger,
    expected,
    print_json,
    stop,
)
from farthing.ledger import admin
from farthing.ledger.disk import DISK
from farthing.ledger.registry import PARENTS, short
from farthing.paths import DataFolder
from farthing.vault.erase import Intent, chosen, sealed_frames
from farthing.vault.keys import key_id
from farthing.vault.process import eraser_of

if TYPE_CHECKING:
    from farthing.ledger.reading import Reader

EXAMPLES = examples(
    'erase q01a207b013cb… --reason "ticket 4711"',
    'erase --user ann@example.com --reason "request of 2026-11-20, Art. 17 GDPR" --dry-run',
    'erase --scope org:acme --reason "contract ended"',
    'erase --scope team:legal --before 2026-06-01 --reason "half a year is enough"',
)


def erase(
    queries: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Queries by their ids.")
    ] = None,
    scope: Annotated[
        str | None,
        typer.Option(show_default=False, help="Of an org:, team:, project: or key: of this name."),
    ] = None,
    user: Annotated[
        str | None, typer.Option(show_default=False, help="Of an end user, as queries named him.")
    ] = None,
    before: Annotated[
        str | None,
        typer.Option(metavar="DAY", show_default=False, help="That ended before a day (UTC)."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Who asked for it, and why.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Erase without asking.")] = False,
    data: Data = None,
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """Erase prompts, answers and salts from the vault, and say so in the ledger and its log.

    What several options say must all be so. Receipts and the log stay valid: they have commitments,
    which nobody can open any more. With --scope alone, of what is a tenant, its key is destroyed
    too, so that copies of the vault cannot be read either.

    Not reached: what the journal, the records and invoices say of a query (its end user and tags by
    name, models, tokens, costs, times), and copies of the secrets folder.
    """
    if not (queries or scope or user or before):
        stop("say what to erase: ids, --scope, --user or --before", status=2)
    folder = existing_ledger(data)
    scope, moment = _scope(scope), _moment(before)
    if not folder.vault.exists():
        stop(f"nothing is kept in {folder.vault}")
    with expected():
        intent = _intent(folder, config, queries, scope, user, moment)
    count = len(intent.queries)
    what = _counted(count) + (f", and the key of {intent.tenant}" if intent.key else "")
    if dry_run:
        _say(json, intent, [], f"would erase contents and salts of {what}")
        return
    if not count and not intent.key:
        stop("the vault has nothing of what was named: never kept, erased before, or still open")
    intent.reason = said("--reason", reason)
    if json and not yes:
        stop("it asks before it erases, and --json cannot: add --yes", status=2)
    if not yes:
        typer.confirm(f"Erase contents and salts of {what}, for ever?", abort=True, err=True)
    entries = _erase(folder, intent)
    done = _counted(len(intent.queries))  # more may have come meanwhile
    _say(json, intent, entries, f"erased contents and salts of {done}: {intent.id}")


def _counted(count: int) -> str:
    return "1 query" if count == 1 else f"{count} queries"


def _erase(folder: DataFolder, intent: Intent) -> list[str]:
    eraser = eraser_of(folder)
    with expected():
        try:
            with eraser.alone():
                return [entry.id for entry in eraser.erase(intent)]
        except OSError as problem:
            stop(f"the vault could not be written ({problem}); it is finished when it can be")


def _intent(
    folder: DataFolder,
    config: ConfigFile,
    queries: list[str] | None,
    scope: str,
    user: str | None,
    before: int | None,
) -> Intent:
    """Return what is to be erased, as it is now."""
    from farthing.ledger.reading import Reader  # noqa: PLC0415  (SQL takes long to import)

    frames = sealed_frames(DISK, folder.vault)
    reader = Reader(folder, database_of(folder, config))
    try:
        named = _named(reader, queries, user)
        found = chosen(frames, scope, before, named)
        alone = scope if named is None and before is None else ""
        key = key_id(folder.vault, alone) if alone else ""
        return Intent(
            clock.wall(), admin.who(), "request", found,
            endings=reader.committing(found), tenant=alone if key else "", key=key,
        )  # fmt: skip
    finally:
        reader.close()


def _named(reader: Reader, queries: list[str] | None, user: str | None) -> set[str] | None:
    """Return the queries that are named, by id or by their user; None if all are meant."""
    named = None if not queries else set(queries)
    if user is not None:
        his = set(reader.on_path(f"user:{short(user)}"))
        named = his if named is None else named & his
    return named


def _scope(written: str | None) -> str:
    if written is None:
        return ""
    kind, _, name = written.partition(":")
    if kind not in PARENTS or not name or name == "*":
        stop(f"--scope: {written!r} is none of {', '.join(PARENTS)}, a colon and a name", status=2)
    return f"key:{written_key(name)}" if kind == "key" else written


def _moment(day: str | None) -> int | None:
    if day is None:
        return None
    try:
        begins = date.fromisoformat(day)
    except ValueError:
        stop(f"--before: {day!r} is no day; write 2026-06-01", status=2)
    moment = datetime(begins.year, begins.month, begins.day, tzinfo=UTC)
    return int(moment.timestamp()) * clock.SECOND


def _say(json: bool, intent: Intent, entries: list[str], sentence: str) -> None:
    if json:
        told = {"queries": intent.queries, "tenant": intent.tenant or None, "entries": entries}
        print_json(told)
    else:
        console.print(sentence, soft_wrap=True, markup=False)
