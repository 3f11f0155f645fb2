"""From the model a client names to the provider that serves it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from farthing.errors import FarthingError, Malformed, Refused
from farthing.prices.book import PriceBook, find
from farthing.providers import Provider, Providers
from farthing.wire import DIALECTS

REMEMBERED = 4096


class Route(msgspec.Struct, frozen=True):
    """Where a query goes."""

    provider: Provider
    model: str
    """The model's name, as the provider spells it."""
    dialect: str
    """What is spoken with the provider: the client's dialect where it can be."""


def _routes(provider: Provider, model: str, dialect: str) -> list[Route]:
    """Return the route to a provider: in the client's dialect, or in the first that it speaks of
    those that can be translated; none when there is no such way."""
    spoken = [dialect] if dialect in provider.dialects else []
    if not spoken and DIALECTS[dialect].crosses:
        spoken = [name for name in provider.dialects if DIALECTS[name].crosses]
    return [Route(provider, model, name) for name in spoken[:1]]


class Router:
    """Finds the route of a model; remembers what it found."""

    def __init__(self, providers: Providers, book: PriceBook, aliases: Mapping[str, str]) -> None:
        self._providers = providers
        self._usable = {name: p for name, p in providers.items() if p.usable()}
        self._book = book
        self._aliases = aliases
        self._found: dict[tuple[str, str], Route] = {}

    def plan(self, model: str, dialect: str) -> Route:
        """Return the route of a query.

        Raises:
            Malformed: unknown_model, or a name that several providers use.
        """
        route = self._found.get((model, dialect))
        if route is None:
            route = self._plan(model, dialect)
            if len(self._found) >= REMEMBERED:
                self._found.clear()
            self._found[model, dialect] = route
        return route

    def keeper(self, dialect: str, named: str) -> Route:
        """Return the route of a query that names no model: to the provider that is named, or to
        the only one that speaks its dialect.

        Raises:
            Malformed: ambiguous_provider, or unknown_provider.
            Refused: unsupported_crossing.
        """
        speaking = {name: p for name, p in self._usable.items() if dialect in p.dialects}
        if named and named not in self._usable:
            raise Malformed(
                "unknown_provider",
                f"No provider of this gateway that has a key is named {named!r}.",
            )
        if not speaking or (named and named not in speaking):
            raise _nobody(dialect, named)
        if not named and len(speaking) > 1:
            raise Malformed(
                "ambiguous_provider",
                f"Several providers of this gateway have {dialect}. Send the header "
                f"farthing-provider with one of: {', '.join(speaking)}.",
            )
        return Route(speaking[named or next(iter(speaking))], "", dialect)

    def models(self) -> list[str]:
        """Return every model that can be asked for, as "provider/model"."""
        names = []
        for provider in self._usable.values():
            priced = self._book.models(provider.prices)
            usable = (m for m in priced if not m.deprecated and not m.unpriced and m.chats())
            # A model's id in the book need not be one of the names it is asked for by.
            listed = [m.id for m in usable if find(priced, m.id) is m]
            names += [f"{provider.name}/{m}" for m in dict.fromkeys([*provider.models, *listed])]
        return [*self._aliases, *names]

    def candidates(self, dialect: str) -> list[Route]:
        """Return every route a query of a dialect could take."""
        routes = []
        for name in self.models():
            provider, _, model = name.partition("/")
            if name not in self._aliases:
                routes += _routes(self._usable[provider], model, dialect)
        return routes

    def _plan(self, asked: str, dialect: str) -> Route:
        if not asked:
            raise Malformed("unknown_model", "The request names no model; set `model`.")
        name = self._aliases.get(asked, asked)
        prefix, _, rest = name.partition("/")
        if rest and prefix in self._usable:
            serving, name = [self._usable[prefix]], rest
        else:
            serving = [p for p in self._usable.values() if self._serves(p, name)]
        if not serving:
            raise self._unknown(asked, name)
        routes = [route for provider in serving for route in _routes(provider, name, dialect)]
        if not routes:
            raise _unspoken(asked, serving[0], dialect)
        same = [route for route in routes if route.dialect == dialect]
        chosen = same or routes
        if len(chosen) > 1:
            raise _ambiguous(asked, chosen)
        return chosen[0]

    def _serves(self, provider: Provider, name: str) -> bool:
        return name in provider.models or self._book.model(provider.prices, name) is not None

    def _unknown(self, asked: str, name: str) -> FarthingError:
        prefix, _, rest = name.partition("/")
        for provider in self._providers.values():
            named = provider.name == prefix and rest
            if not provider.usable() and (named or self._serves(provider, name)):
                return _unusable(asked, provider)
        return Malformed(
            "unknown_model",
            f"No provider of this gateway serves a model named {asked!r}. GET /v1/models lists "
            "the names it knows.",
        )


def _unusable(asked: str, provider: Provider) -> Malformed:
    table = f"[providers.{provider.name}]"
    if provider.enabled:
        why = "which this gateway has no key for"
        mend = f"set {' or '.join(provider.key_env) or table}"
    else:
        why, mend = "which is switched off here", f"set enabled = true under {table}"
    return Malformed(
        "unknown_model",
        f"The model {asked!r} is served by {provider.name}, {why}. Its operator can {mend} and "
        "start the gateway again.",
    )


def _unspoken(asked: str, provider: Provider, dialect: str) -> Refused:
    return Refused(
        "unsupported_crossing",
        f"{asked!r} is served by {provider.name}, which this gateway speaks to in "
        f"{', '.join(provider.dialects)}: nothing of that can be translated to {dialect}. If it "
        f"has {dialect}, say where under [providers.{provider.name}] dialects in farthing.toml.",
    )


def _nobody(dialect: str, named: str) -> Refused:
    return Refused(
        "unsupported_crossing",
        f"{named or 'No provider of this gateway'} has {'no ' if named else ''}{dialect}. Where "
        "one does, say so under its [providers.NAME] dialects in farthing.toml.",
    )


def _ambiguous(asked: str, routes: list[Route]) -> Malformed:
    names = ", ".join(f"{route.provider.name}/{route.model}" for route in routes)
    return Malformed(
        "ambiguous_model",
        f"{asked!r} is served by several providers of this gateway. Name one of: {names}.",
    )
