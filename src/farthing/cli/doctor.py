"""`farthing doctor`: what is configured, reachable and priced, and what to do about the rest."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from farthing import __version__, clock
from farthing.cli.output import ConfigFile, Data, Json, console, data_folder, print_json, run, wide
from farthing.cli.output import table as make_table
from farthing.errors import ConfigError, Failed
from farthing.evidence.witnesses import standings
from farthing.ledger.admin import read_standing
from farthing.local.weights import HOW_TO_INSTALL, installed
from farthing.paths import DataFolder
from farthing.prices.book import PriceBook
from farthing.providers import Provider, load_providers
from farthing.providers.load import LOCAL
from farthing.proxy.gather import Gathered
from farthing.proxy.http import request_head
from farthing.proxy.pool import UpstreamPool, own_pool
from farthing.settings import HttpSettings, Settings, load_settings
from farthing.supervisor.prepare import price_book_for

REACH_SECONDS = 5.0

MARKS = {True: "[green]ok[/]", False: "[red]no[/]", None: "[dim]–[/]"}


def doctor(
    offline: Annotated[bool, typer.Option("--offline", help="Connect to no provider.")] = False,
    everyone: Annotated[
        bool, typer.Option("--all", help="Show providers without a key as well.")
    ] = False,
    data: Data = None,
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """Say what is configured, reachable and priced; ends with status 1 if something is wrong."""
    found = run(_examine(data_folder(data), config, offline=offline))
    if json:
        print_json(found)
    else:
        _print(found, everyone=everyone)
    if not found["healthy"]:
        raise typer.Exit(1)


async def _examine(folder: DataFolder, config: Path | None, *, offline: bool) -> dict[str, Any]:
    settings, file = load_settings(config, folder.root)
    _, book = price_book_for(folder, config)
    providers = list(load_providers(settings, os.environ).values())
    async with own_pool(HttpSettings(connect_seconds=REACH_SECONDS)) as pool:
        rows = await asyncio.gather(
            *(_provider(p, book, None if offline else pool) for p in providers if p.name != LOCAL)
        )
        gateway = await _gateway(folder, pool)
    ledger = await _ledger(folder)
    used = [row for row in rows if row["key"]]
    healthy = ledger["readable"] and all(r["priced"] and r["reachable"] is not False for r in used)
    return {
        "version": __version__,
        "healthy": healthy,
        "data": str(folder.root),
        "settings": str(file) if file else None,
        "gateway": gateway,
        "ledger": ledger,
        "price_book": {"source": book.book.source, "digest": book.digest},
        "embedded_model": _embedded(book, settings),
        "witnesses": _witnesses(folder, settings),
        "timestamp": _timestamp(folder, settings),
        "providers": rows,
    }


async def _provider(
    provider: Provider, book: PriceBook, pool: UpstreamPool | None
) -> dict[str, Any]:
    """Return what is known of one provider; one that has a key is connected to."""
    priced = sum(m.chats() and not m.unpriced for m in book.models(provider.prices))
    reachable, problem = None, ""
    if pool is not None and provider.usable():
        try:
            await pool.connect(provider).in_task()
            reachable = True
        except Failed as failure:
            reachable, problem = False, failure.message
    if provider.problem:
        problem = provider.problem
    elif provider.enabled and provider.key and provider.unfilled():
        reachable, problem = False, _unfilled(provider)
    # Credentials may be there for other programs; a key is there for its provider.
    opened = provider.key_from if provider.grant is None or provider.usable() else ""
    if provider.usable() and not priced:
        problem = f"no model of it is priced: add [[prices]] with provider = {provider.prices!r}"
    return {
        "name": provider.name,
        "key": opened or ("none needed" if provider.usable() else None),
        "key_env": list(provider.key_env),
        "dialects": list(provider.dialects),
        "address": provider.base_url,
        "reachable": reachable,
        "priced": priced,
        "problem": problem or None,
    }


def _unfilled(provider: Provider) -> str:
    """Return what is to be set for its address to be whole."""
    variables = {"place": provider.place_env, **provider.blanks_env}
    told = (f"set {' or '.join(variables.get(n, ())) or n}: its {n}" for n in provider.unfilled())
    return "; ".join(told)


async def _gateway(folder: DataFolder, pool: UpstreamPool) -> dict[str, Any]:
    if not folder.address.exists():
        return {"running": False, "address": None}
    address = folder.address.read_text().strip()
    gateway = Provider(address, {}, name="gateway", auth="none", allow_private_address=True)
    answer = Gathered()
    try:
        connection = await pool.connect(gateway).in_task()
        connection.send((request_head(gateway, "GET", "/healthz") + b"\r\n",), answer)
        status = (await answer.arrived.in_task()).status
    except Failed:
        return {"running": False, "address": address}
    return {"running": True, "address": address, "healthy": status == 200}


async def _ledger(folder: DataFolder) -> dict[str, Any]:
    if not folder.journal.exists():
        return {"readable": True, "keys": 0, "note": "not begun yet"}
    try:
        told = await read_standing(folder)
    except ConfigError as problem:
        return {"readable": False, "problem": str(problem)}
    keys = [b for b in told.balances if b.scope.startswith("key:")]
    held = sum(b.held for b in keys if b.unit == "usd")
    return {"readable": True, "keys": len(told.keys), "held_nanodollars": held}


def _witnesses(folder: DataFolder, settings: Settings) -> list[dict[str, Any]]:
    """Return what each witness of the log cosigned last; one that was never asked as well."""
    known = {each.key: each for each in standings(folder.witnesses)}
    rows = []
    for wanted in settings.witnesses:
        last = known.get(wanted.key)
        at = clock.iso(last.at * clock.SECOND) if last is not None and last.at else None
        problem = "not asked yet" if last is None else last.problem
        size = last.size if last is not None else 0
        rows.append({"url": wanted.url, "size": size, "at": at, "problem": problem or None})
    return rows


def _timestamp(folder: DataFolder, settings: Settings) -> dict[str, Any] | None:
    """Return the log's last time stamp, and why there is no newer one; None if none is wanted."""
    if not settings.timestamp_url:
        return None
    from farthing.evidence.timestamps import last_stamp, problem_of  # noqa: PLC0415  (slow)

    last = last_stamp(folder.log)
    problem = last.problem or problem_of(folder.timestamps, settings.timestamp_url)
    if not last.size and not problem:
        problem = "not asked yet"
    at = clock.iso(last.at) if last.at else None
    return {"url": settings.timestamp_url, "size": last.size, "at": at, "problem": problem or None}


def _embedded(book: PriceBook, settings: Settings) -> dict[str, Any]:
    rows = book.models(LOCAL)
    return {
        "installed": installed(),
        "enabled": settings.local.enabled,
        "priced": rows[0].source if rows else None,
        "problem": None if installed() else HOW_TO_INSTALL,
    }


def _print(found: dict[str, Any], *, everyone: bool) -> None:
    """Print the findings, the important ones first."""
    gateway, ledger, model = found["gateway"], found["ledger"], found["embedded_model"]
    console.print(f"farthing {found['version']}  {clock.iso(clock.wall())}", style="bold")
    console.print(f"data       {found['data']}", soft_wrap=True)
    console.print(f"settings   {found['settings'] or 'no farthing.toml; defaults'}", soft_wrap=True)
    state = f"running at {gateway['address']}" if gateway["running"] else "not running"
    console.print(f"gateway    {state}")
    say = ledger.get("problem") or ledger.get("note") or f"readable; keys: {ledger['keys']}"
    console.print(f"ledger     {MARKS[ledger['readable']]} {say}", soft_wrap=True)
    book = found["price_book"]
    console.print(f"prices     {book['source']}, {book['digest'][:16]}")
    say = model["problem"] or model["priced"] or "installed; priced at its first start"
    console.print(f"embedded   {MARKS[model['installed']]} {say}", soft_wrap=True)
    for row in found["witnesses"]:
        _print_vouching("witness", "cosigned", row)
    if found["timestamp"]:
        _print_vouching("stamp", "stamped", found["timestamp"])
    console.print()
    shown = make_table("Provider", "Key", "Dialects", "Reachable", "Priced models",
                       right=("Priced models",))  # fmt: skip
    for row in found["providers"]:
        if row["key"] or everyone:
            key = row["key"] or f"[dim]set {' or '.join(row['key_env']) or 'api_key_env'}[/]"
            dialects = ", ".join(row["dialects"])
            shown.add_row(row["name"], key, dialects, MARKS[row["reachable"]], str(row["priced"]))
    wide.print(shown)
    for row in found["providers"]:
        if row["problem"]:
            console.print(f"{row['name']}: {row['problem']}", style="red", soft_wrap=True)
    without = [row["name"] for row in found["providers"] if not row["key"]]
    if without and not everyone:
        names = ", ".join(without)
        console.print(f"without a key here: {names} (--all says what to set)", style="dim")


def _print_vouching(what: str, did: str, row: dict[str, Any]) -> None:
    """Print what somebody else last vouched for, and why for nothing newer."""
    said = f"{did} {row['size']} entries at {row['at']}" if row["at"] else f"{did} nothing"
    why = f"; {row['problem']}" if row["problem"] else ""
    console.print(f"{what:11}{MARKS[row['problem'] is None]} ", end="")
    console.print(f"{row['url']} {said}{why}", soft_wrap=True, markup=False)
