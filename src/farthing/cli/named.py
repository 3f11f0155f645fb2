"""Names that commands are given, checked: a limit on a name no query carries limits nothing.

Each function returns the name as the gateway writes it on a query's path, or ends the command.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from farthing.cli.output import expected, stop
from farthing.ledger.registry import NAME_MOST, short
from farthing.ledger.standing import Standing
from farthing.paths import DataFolder
from farthing.prices.book import PriceBook
from farthing.providers import Provider, load_providers
from farthing.settings import Settings, load_settings

OTHER_FILE = "; name the gateway's settings file with --config if it is not the usual one"


def scope(written: str, told: Standing, folder: DataFolder, config: Path | None) -> str:
    """Return the scope that is meant. What is no scope at all the ledger itself refuses."""
    kind, _, name = written.partition(":")
    if not name or name == "*":
        return written
    if kind in ("provider", "model", "route"):
        return f"{kind}:{_served(kind, name, folder, config)}"
    if kind == "key":
        return f"key:{_key(name, told)}"
    if kind == "user":
        return f"user:{short(name)}"
    return f"tag:{_tag(name)}" if kind == "tag" else written


def provider(name: str, folder: DataFolder, config: Path | None) -> str:
    """Return the name of a provider that the gateway knows."""
    with expected():
        settings, _ = load_settings(config, folder.root)
        known = load_providers(settings, os.environ)
    return _provider(name, known).name


def key_id(written: str) -> str:
    """Return a key's id, of the id itself or of the key's whole text."""
    return written.split("_")[1] if written.startswith("fk_") else written


def _served(kind: str, name: str, folder: DataFolder, config: Path | None) -> str:
    """Return the name of a provider, a model or a route of this gateway."""
    from farthing.supervisor.prepare import price_book_for  # noqa: PLC0415  (with all it starts)

    with expected():
        settings, book = price_book_for(folder, config)
        known = load_providers(settings, os.environ)
    if kind == "route":
        return _route(name, settings)
    return (
        _provider(name, known).name if kind == "provider" else _model(name, settings, known, book)
    )


def _key(written: str, told: Standing) -> str:
    public = key_id(written)
    if public not in {key.key.id for key in told.keys}:
        meant = next((key.key.id for key in told.keys if key.key.name == written), None)
        if meant is not None:
            stop(f"a key is named by its id: write key:{meant} for {written}")
        stop(f"there is no key {public}; `farthing keys list` shows them")
    return public


def _tag(name: str) -> str:
    if name != name.strip() or "," in name or len(name) > NAME_MOST:
        stop(
            f"no query can carry the tag {name!r}: a tag has no comma, no space around it, and at "
            f"most {NAME_MOST} characters"
        )
    return name


def _route(name: str, settings: Settings) -> str:
    if name not in settings.models:
        stop(
            f"there is no route {name}{_like(name, settings.models)}: routes are the names under "
            f"[models] in farthing.toml{OTHER_FILE}"
        )
    return short(name)


def _provider(name: str, known: dict[str, Provider]) -> Provider:
    if name not in known:
        stop(
            f"there is no provider {name}{_like(name, known)}; `farthing doctor --all` shows "
            f"them{OTHER_FILE}"
        )
    return known[name]


def _model(name: str, settings: Settings, known: dict[str, Provider], book: PriceBook) -> str:
    """Return a model as "provider/model": by the name that all its names are counted under."""
    if name in settings.models:
        stop(f"{name} is a route here; write route:{name}, or model:{settings.models[name]}")
    serving, _, model = name.partition("/")
    if serving not in known:
        owners = [p.name for p in known.values() if book.model(p.prices, name)]
        meant = " or ".join(f"model:{owner}/{name}" for owner in owners[:3])
        hint = f"write {meant}" if meant else "write model:PROVIDER/MODEL"
        stop(f"there is no provider {serving}; {hint}{OTHER_FILE}")
    prices = known[serving].prices
    found = book.model(prices, model)
    if found is None:
        ids = [each.id for each in book.models(prices)]
        stop(
            f"{serving} has no model {model} that is priced here{_like(model, ids)}; add its "
            f"[[prices]] to farthing.toml first, or `farthing quote hello --all` shows those that "
            f"are{OTHER_FILE}"
        )
    return f"{serving}/{short(found.id)}"


def _like(name: str, names: Iterable[str]) -> str:
    close = get_close_matches(name, list(names), 1)
    return f" (did you mean {close[0]}?)" if close else ""
