"""From the model a client names to the provider that serves it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from farthing.errors import FarthingError, Malformed, Refused
from farthing.ledger.registry import short
from farthing.prices.book import Model, PriceBook, find
from farthing.providers import Provider, Providers
from farthing.wire import DIALECTS

REMEMBERED = 4096

# The family of dialects that ask for embeddings.
EMBEDDINGS = "embeddings"


class Route(msgspec.Struct, frozen=True):
    """Where a query goes."""

    provider: Provider
    model: str
    """The model's name, as the provider spells it."""
    dialect: str
    """What is spoken with the provider: the client's dialect where it can be."""
    scopes: tuple[str, ...] = ()
    """The scopes of what serves it, whose limits its queries must pass."""

    def renames(self, written: str) -> str | None:
        """Return the provider's name of the model, where a request says another, or none."""
        return self.model if self.model != written else None


def _routes(provider: Provider, model: str, dialect: str) -> list[Route]:
    """Return the route to a provider: in the client's dialect, or in the first that it speaks of
    those of its family that can be translated; none when there is no such way."""
    served = provider.serving(model)
    spoken = [dialect] if dialect in served else []
    if not spoken and DIALECTS[dialect].crosses:
        spoken = _spoken(served, DIALECTS[dialect].family)
    return [Route(provider, model, name) for name in spoken[:1]]


def _spoken(served: Iterable[str], family: str) -> list[str]:
    """Return those of some dialects that are of a family and can be translated."""
    known = ((name, DIALECTS[name]) for name in served)
    return [name for name, told in known if told.crosses and told.family == family]


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
        return self._scoped(Route(speaking[named or next(iter(speaking))], "", dialect), "")

    def models(self) -> list[str]:
        """Return every model that can be asked for, as "provider/model"."""
        names = []
        for provider in self._usable.values():
            embeds = bool(_spoken(provider.dialects, EMBEDDINGS))
            names += self._listed(provider, _chats_or_embeds if embeds else Model.chats)
        return [*self._aliases, *names]

    def candidates(self, dialect: str) -> list[Route]:
        """Return every route a query of a dialect could take."""
        fits = Model.embeds if DIALECTS[dialect].family == EMBEDDINGS else Model.chats
        names = (name for p in self._usable.values() for name in self._listed(p, fits))
        pairs = (name.partition("/") for name in names)
        return [r for p, _, m in pairs for r in _routes(self._usable[p], m, dialect)]

    def _listed(self, provider: Provider, fits: Callable[[Model], bool]) -> list[str]:
        """Return a provider's models, as "provider/model": those it names, and those of the
        price book that fit."""
        priced = self._book.models(provider.prices)
        usable = (m for m in priced if not m.deprecated and not m.unpriced and fits(m))
        # A model's id in the book need not be one of the names it is asked for by.
        listed = [m.id for m in usable if find(priced, m.id) is m]
        return [f"{provider.name}/{m}" for m in dict.fromkeys([*provider.models, *listed])]

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
            raise _unspoken(asked, serving[0], name, dialect)
        same = [route for route in routes if route.dialect == dialect]
        chosen = same or routes
        if len(chosen) > 1:
            raise _ambiguous(asked, chosen)
        return self._scoped(chosen[0], asked)

    def _scoped(self, route: Route, asked: str) -> Route:
        """Name what serves a query: all names of a model that have one price are one scope."""
        provider = route.provider.name
        priced = self._book.model(route.provider.prices, route.model) if route.model else None
        model = priced.id if priced is not None else route.model
        alias = (f"route:{short(asked)}",) if asked in self._aliases else ()
        named = (f"model:{provider}/{short(model)}",) if model else ()
        return msgspec.structs.replace(route, scopes=(*alias, *named, f"provider:{provider}"))

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


def _chats_or_embeds(model: Model) -> bool:
    return model.chats() or model.embeds()


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


def _unspoken(asked: str, provider: Provider, model: str, dialect: str) -> Refused:
    if not provider.serving(model):
        return Refused(
            "unsupported_crossing",
            f"{asked!r} is a model of {provider.name} that this gateway has no way to ask there. "
            f"It serves {'; '.join(map(' '.join, provider.serves.values()))}.",
        )
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
