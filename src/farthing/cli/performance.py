"""`farthing performance`: how providers performed, from the log's verified leaves."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from farthing import clock
from farthing.cli.logged import LogPlace, PublicKey, entries_of, extra, reading
from farthing.cli.output import (
    ConfigFile,
    Data,
    Json,
    console,
    expected,
    print_json,
    stop,
    table,
    wide,
)

if TYPE_CHECKING:
    from farthing.report.changes import Change
    from farthing.report.figures import Percentile, Percentiles, Rate
    from farthing.report.performance import Group, Performance
    from farthing.report.period import Period

NUMBERS = ("Queries", "Available %", "Truncated %", "Tokens/s p50", "First p50 s", "First p95 s",
           "Total p50 s", "Total p95 s", "Total p99 s", "$ a query")  # fmt: skip


class By(StrEnum):
    """What queries can have in common."""

    PROVIDER = "provider"
    MODEL = "model"
    ANSWERED = "answered_model"
    KEY = "key"
    TEAM = "team"
    PROJECT = "project"
    ORG = "org"
    DIALECT = "dialect"


def performance_command(
    period: Annotated[
        str, typer.Option(show_default="this month", help="2026, 2026-Q3, 2026-07 or 2026-07-15.")
    ] = "",
    since: Annotated[str, typer.Option(show_default=False, help="From this time on (UTC).")] = "",
    until: Annotated[str, typer.Option(show_default=False, help="Up to this time.")] = "",
    by: Annotated[By, typer.Option(help="What to tell apart.")] = By.PROVIDER,
    log: LogPlace = "",
    key: PublicKey = "",
    data: Data = None,
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """Show how providers performed: availability, times, truncation, cost, silent changes.

    All of it comes from the leaves of the transparency log, checked against its signed checkpoint
    first; each figure says how many queries it is of, and how sure it is (95 %).
    """
    with extra("report"):
        from farthing.report.facts import read_facts  # noqa: PLC0415  (they need the extra)
        from farthing.report.performance import performance  # noqa: PLC0415
    with expected():
        chosen = _period(period, since, until)
    entries = entries_of(log, key, data, config)
    with reading(entries.bundles) as progress:
        told = performance(read_facts(entries, *chosen, progress=progress), by.value)
    if json:
        print_json(told)
    else:
        _print(told)


def _period(name: str, since: str, until: str) -> Period:
    from farthing.report.period import Period, moment_of, month_of, period_of  # noqa: PLC0415

    chosen = period_of(name) if name else month_of(clock.wall())
    begin = moment_of(since) if since else chosen.since
    end = moment_of(until) if until else chosen.until
    if begin >= end:
        stop(f"the period ends at {clock.iso(end)}, before it begins at {clock.iso(begin)}")
    return Period(begin, end)


def _print(told: Performance) -> None:
    leaves = told.leaves
    where = f"leaves {leaves.first} to {leaves.last}" if leaves else "no leaves"
    checked = "verified" if told.verified else "NOT verified: no public key was given"
    said = (
        f"{told.since} to {told.until}: {where} of the {told.tree_size} of {told.origin}, {checked}"
    )
    console.print(said, soft_wrap=True, markup=False)
    wide.print(_table(told))
    for line in (*_errors(told.whole), *_beside(told)):
        console.print(line, soft_wrap=True, markup=False)


def _table(told: Performance) -> Table:
    shown = table(told.by.capitalize(), *NUMBERS, right=NUMBERS)
    for group in [*told.groups, *([told.whole] if len(told.groups) > 1 else [])]:
        first, total, pace = group.first_event, group.latency, group.throughput
        shown.add_row(
            group.name or ("all" if group is told.whole else "–"),
            str(group.queries), _percent(group.availability), _percent(group.truncated),
            _number(pace.p50, 1000, pace), _seconds(first.p50, first), _seconds(first.p95, first),
            _seconds(total.p50, total), _seconds(total.p95, total), _seconds(total.p99, total),
            group.cost.mean_usd or "–",
        )  # fmt: skip
    return shown


def _percent(rate: Rate) -> str:
    if rate.rate is None or rate.low is None or rate.high is None:
        return "–"
    return f"{100 * rate.rate:.2f} [{100 * rate.low:.2f}, {100 * rate.high:.2f}]"


def _seconds(value: Percentile | None, of: Percentiles) -> str:
    return _number(value, 1_000_000, of)


def _number(value: Percentile | None, unit: int, of: Percentiles) -> str:
    if value is None:
        return "–"
    if value.low is None or value.high is None:
        return f"{value.value / unit:.3f} (n = {of.n}, too few)"
    return f"{value.value / unit:.3f} [{value.low / unit:.3f}, {value.high / unit:.3f}]"


def _errors(whole: Group) -> list[str]:
    return [
        f"{kind.replace('_', ' ')}: {rate.count} of {rate.of}, {_percent(rate)} %"
        for kind, rate in whole.classes.items()
        if rate.count
    ]


def _beside(told: Performance) -> list[str]:
    """Return what is told in words, beside the table."""
    made, cost = told.attempts, told.whole.cost
    lines = [
        f"cost of what was answered: ${cost.total_usd} for {cost.n} queries",
        f"refused: {told.refused.count} of {told.refused.of}, {_percent(told.refused)} %",
    ]
    lines += [f"  {each.count} × {each.code} {each.scope} {each.unit} {each.window}".rstrip()
              for each in told.refusals]  # fmt: skip
    lines.append(f"{made.attempts} attempts at {made.queries} queries: {made.retries or 'no'} "
                 f"retries, {made.fallbacks or 'no'} fallbacks")  # fmt: skip
    return lines + ([_change(each) for each in told.changes] or ["no model changed its version"])


def _change(change: Change) -> str:
    back = "" if change.back is None else f"; an earlier one was back at leaf {change.back}"
    return (
        f"CHANGED: {change.provider}/{change.model} answered as {change.before}, and from "
        f"{change.at} (leaf {change.leaf}) on as {change.after} ({change.answers} answers{back})"
    )
