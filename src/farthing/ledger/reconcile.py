"""A provider's invoice against the ledger: what agrees, what differs, what either side has not.

They are compared by day (UTC) and model, or query by query where the export names requests. Dates
at the end of a model's name are left out on both sides, as one side may say them and one not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from math import inf

import msgspec
import sqlalchemy as sa

from farthing import clock, money
from farthing.errors import ConfigError
from farthing.ledger.records import queries
from farthing.providers.invoices import ALL_MODELS, Billed, Invoice


class Ours(msgspec.Struct, frozen=True):
    """What the ledger says of one query."""

    id: str
    upstream_id: str
    day: date
    model: str
    usd: int | None
    """None while its cost is not known."""
    held: int | None
    """The most it can cost; None where nothing bounds it."""
    tokens: int


class Line(msgspec.Struct):
    """One day and model, or one request, on both sides."""

    day: date
    model: str
    request: str = ""
    ours_usd: int = 0
    theirs_usd: int | None = None
    ours_tokens: int = 0
    theirs_tokens: int | None = None
    queries: int = 0
    """How many of ours are in it."""
    billed: int = 0
    """How many rows of theirs."""
    unresolved: list[Ours] = []
    """Those of ours whose cost is not known."""

    @property
    def difference(self) -> int:
        """What they billed above ours: nanodollars, or tokens where they tell no cost."""
        theirs, ours = self.compared
        return theirs - ours

    @property
    def compared(self) -> tuple[int, int]:
        """Theirs and ours, in what both of them tell."""
        if self.theirs_usd is not None or self.theirs_tokens is None:
            return self.theirs_usd or 0, self.ours_usd
        return self.theirs_tokens, self.ours_tokens

    @property
    def most(self) -> float:
        """What its unresolved queries can have cost at most."""
        return sum(inf if one.held is None else one.held for one in self.unresolved)

    def verdict(self, tolerance: Decimal) -> str:
        """Return "match", "unresolved", "variance", "missing here" or "missing there"."""
        theirs, ours = self.compared
        if self.unresolved and not self.billed and not ours:
            return "unresolved"
        if abs(theirs - ours) * 100 <= tolerance * max(theirs, ours):
            return "match"
        # Of tokens of an unresolved query nothing is known: its hold bounds dollars alone.
        if 0 <= theirs - ours <= (self.most if self.theirs_usd is not None else 0):
            return "unresolved"
        if not self.queries:
            return "missing here"
        return "variance" if self.billed else "missing there"


class Resolvable(msgspec.Struct, frozen=True):
    """An unresolved query whose cost the invoice tells."""

    id: str
    usd: int
    evidence: str
    tokens: int | None = None
    """All its tokens, where the invoice tells them."""


def reconcile(
    connection: sa.Connection,
    ledger: str,
    provider: str,
    invoice: Invoice,
    names: Mapping[str, str],
) -> list[Line]:
    """Return every line of both sides, by day and model. `names` says theirs in ours.

    Raises:
        ConfigError: the ledger has no query of that provider.
    """
    ours = _ours(connection, ledger, provider, invoice.days)
    if any(row.request_id for row in invoice.rows):
        lines = _by_request(ours, invoice.rows, names)
    else:
        lines = _by_day(ours, invoice.rows, names)
    return sorted(lines, key=lambda line: (line.day, line.model, line.request))


def resolvable(lines: list[Line], invoice: Invoice, tolerance: Decimal) -> list[Resolvable]:
    """Return the unresolved queries that the invoice tells the cost of.

    It does where what is billed above the settled ones can be of one query only, or is nothing, and
    where it is no more than was held, if anything bounds it. A sum of many queries tells nothing if
    more is billed elsewhere than ours explain: that may be theirs, another day or by another name.
    """
    fine = ("match", "unresolved")
    more = any(line.difference > 0 and line.verdict(tolerance) not in fine for line in lines)
    found = []
    for line in lines:
        alone = len(line.unresolved) == 1 or line.difference == 0
        if line.theirs_usd is None or not alone or not 0 <= line.difference <= line.most:
            continue
        if line.request or not more:
            told = (line.difference, _evidence(line, invoice), _tokens_of_one(line))
            found += [Resolvable(one.id, *told) for one in line.unresolved]
    return found


def _evidence(line: Line, invoice: Invoice) -> str:
    assert line.theirs_usd is not None, "an invoice without costs proves none"
    return (
        f"{invoice.name}, SHA-256 {invoice.sha256}: {line.request or line.model} on {line.day} "
        f"billed at ${money.dollars(line.theirs_usd)}, of which ${money.dollars(line.ours_usd)} "
        "is settled"
    )


def _tokens_of_one(line: Line) -> int | None:
    """Return the tokens of a line's one unresolved query, if the invoice tells them."""
    if line.theirs_tokens is None or len(line.unresolved) != 1:
        return None
    more = line.theirs_tokens - line.ours_tokens
    return more if more >= 0 else None


def slug(model: str) -> str:
    """Return a model's name as both sides write it: small letters, dashes, no date at its end."""
    plain = re.sub(r"[^a-z0-9]+", "-", model.lower()).strip("-")
    return re.sub(r"-(\d{8}|\d{4}-\d{2}-\d{2})$", "", plain)


def _ours(
    connection: sa.Connection, ledger: str, provider: str, days: tuple[date, date]
) -> list[Ours]:
    c = queries.c
    mine = (c.ledger == ledger) & (c.provider == provider)
    if connection.execute(sa.select(c.id).where(mine).limit(1)).first() is None:
        known = connection.execute(sa.select(c.provider).where(c.ledger == ledger).distinct())
        raise ConfigError(
            f"the ledger has no query to {provider}, only to "
            f"{', '.join(sorted(known.scalars())) or 'nobody'}; say whose invoice it is: --provider"
        )
    within = (c.began >= _start(days[0])) & (c.began < _start(days[1] + timedelta(days=1)))
    asked = sa.select(
        c.id,
        c.upstream_id,
        c.began,
        c.model,
        c.answered_model,
        c.cost,
        c.held,
        c.tokens,
        c.unpriced,
    ).where(mine & within & (c.status != "void"))
    return [
        Ours(
            row["id"],
            row["upstream_id"] or "",
            clock.moment(row["began"]).date(),
            slug(row["answered_model"] or row["model"]),
            row["cost"],
            None if row["unpriced"] else row["held"],
            row["tokens"] or 0,
        )
        for row in connection.execute(asked).mappings()
    ]


def _start(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp()) * clock.SECOND


def _by_day(ours: list[Ours], rows: list[Billed], names: Mapping[str, str]) -> list[Line]:
    """Sum by day and model, or by day alone where the export names no model."""
    lines: dict[tuple[date, str], Line] = {}
    named = any(row.model != ALL_MODELS for row in rows)
    for one in ours:
        model = one.model if named else ALL_MODELS
        _ours_in(lines.setdefault((one.day, model), Line(one.day, model)), one)
    for row in rows:
        model = slug(names.get(row.model, row.model))
        _theirs_in(lines.setdefault((row.day, model), Line(row.day, model)), row)
    return list(lines.values())


def _by_request(ours: list[Ours], rows: list[Billed], names: Mapping[str, str]) -> list[Line]:
    """Put each query beside the request that is named by its id at the provider, or by ours."""
    lines: dict[str, Line] = {}
    for row in rows:
        model = slug(names.get(row.model, row.model))
        line = lines.setdefault(row.request_id, Line(row.day, model, row.request_id))
        _theirs_in(line, row)
    for one in ours:
        name = next((n for n in (one.upstream_id, one.id) if n in lines), one.upstream_id or one.id)
        _ours_in(lines.setdefault(name, Line(one.day, one.model, name)), one)
    return list(lines.values())


def _ours_in(line: Line, one: Ours) -> None:
    line.queries += 1
    line.ours_tokens += one.tokens
    if one.usd is None:
        line.unresolved = [*line.unresolved, one]
    else:
        line.ours_usd += one.usd


def _theirs_in(line: Line, row: Billed) -> None:
    line.billed += 1
    if row.usd is not None:
        line.theirs_usd = (line.theirs_usd or 0) + row.usd
    if row.tokens is not None:
        line.theirs_tokens = (line.theirs_tokens or 0) + row.tokens
