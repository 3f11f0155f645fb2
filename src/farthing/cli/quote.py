"""`farthing quote`: what a request can cost on every model that could take it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from farthing import clock, money
from farthing.cli.output import (
    ConfigFile,
    Data,
    Json,
    console,
    data_folder,
    print_json,
    run,
    stop,
    wide,
)
from farthing.cli.output import table as make_table
from farthing.errors import FarthingError
from farthing.prices.book import PriceBook
from farthing.prices.bound import quote
from farthing.providers import load_providers
from farthing.route.plan import Route, Router
from farthing.settings import Settings
from farthing.supervisor.prepare import price_book_for
from farthing.wire import DIALECTS
from farthing.wire.dialect import Ask
from farthing.wire.translate import Translation


def quote_command(
    request: Annotated[
        str,
        typer.Argument(help="A request as a JSON file, a text to ask, or - for stdin."),
    ],
    dialect: Annotated[
        str | None, typer.Option(show_default=False, help="The request's dialect: chat, messages.")
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option(min=1, show_default=False, help="An output cap for a text.")
    ] = None,
    everyone: Annotated[
        bool, typer.Option("--all", help="Models of providers without a key here as well.")
    ] = False,
    data: Data = None,
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """Price a request on every model that could take it, before it is sent anywhere."""
    run(_quote(request, dialect, max_tokens, data, config, everyone=everyone, json=json))


async def _quote(
    request: str,
    dialect: str | None,
    max_tokens: int | None,
    data: Path | None,
    config: Path | None,
    *,
    everyone: bool,
    json: bool,
) -> None:
    folder = data_folder(data)
    body, chosen = _body(request, dialect, max_tokens)
    settings, book = price_book_for(folder, config)
    rows, refused = _rows(body, chosen, settings, book, everyone=everyone)
    if json:
        print_json({"quotes": rows, "refused": refused})
        return
    if not rows:
        for model, why in list(refused.items())[:3]:
            console.print(f"{model}: {why}", style="yellow", soft_wrap=True)
        stop("no model here could take this; `farthing doctor` says what is configured")
    shown = make_table("Model", "At most $", "Input tokens ≤", "Output tokens ≤",
                       right=("At most $", "Input tokens ≤", "Output tokens ≤"))  # fmt: skip
    for row in rows:
        cells = ("model", "at_most_usd", "input_tokens_at_most", "output_cap")
        shown.add_row(*(str(row[cell]) for cell in cells))
    wide.print(shown)
    if refused:
        console.print(f"{len(refused)} more could not take it: see --json", style="dim")


def _body(request: str, dialect: str | None, max_tokens: int | None) -> tuple[bytes, str]:
    """Return the request's bytes and its dialect."""
    text = sys.stdin.read() if request == "-" else request
    is_file = request != "-" and not request.startswith("{") and Path(request).is_file()
    if is_file:
        text = Path(request).read_text()
    if is_file or text.lstrip().startswith("{"):
        body = text.encode()
        name = dialect or "chat"
        if name not in DIALECTS:
            stop(f"--dialect: write {' or '.join(DIALECTS)}, not {name}", status=2)
        return body, name
    asked: dict[str, Any] = {"messages": [{"role": "user", "content": text}]}
    if max_tokens is not None:
        asked["max_tokens"] = max_tokens
    return msgspec.json.encode(asked), dialect or "chat"


def _rows(
    body: bytes, dialect: str, settings: Settings, book: PriceBook, *, everyone: bool
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Return the quotes, the cheapest first, and why other models would not take it."""
    asked = DIALECTS[dialect].read_request(body)
    providers = load_providers(settings, os.environ)
    local_runs = bool(book.models("local"))
    for name, provider in providers.items():
        if not provider.usable() and (everyone if name != "local" else local_runs):
            providers[name] = msgspec.structs.replace(provider, key="none")
    candidates = Router(providers, book, settings.models).candidates(dialect)
    rows, refused = [], {}
    for route in candidates:
        name = f"{route.provider.name}/{route.model}"
        try:
            rows.append((_quoted(_crossed(asked, dialect, route), route, settings, book), name))
        except FarthingError as problem:
            refused[name] = problem.message
    rows.sort(key=lambda row: (row[0]["nanodollars"], row[1]))
    return [{"model": name, **row} for row, name in rows], refused


def _crossed(asked: Ask, dialect: str, route: Route) -> Ask:
    """Return the request as the provider would get it."""
    if route.dialect == dialect:
        return asked
    body = Translation(dialect, route.dialect).request(asked, strict=False)
    return DIALECTS[route.dialect].read_request(body)


def _quoted(ask: Ask, route: Route, settings: Settings, book: PriceBook) -> dict[str, Any]:
    rate = book.dearest(route.provider, route.model, clock.wall(), ask)
    offer = quote(ask, rate, route.provider, settings.default_output_tokens)
    return {
        "at_most_usd": money.dollars(offer.usd),
        "nanodollars": offer.usd,
        "input_tokens_at_most": offer.input_tokens,
        "output_cap": offer.output_cap,
    }
