"""Read the providers: built-in TOML files, farthing.toml, and the environment's keys."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from importlib import resources
from urllib.parse import urlsplit

import msgspec

from farthing.errors import ConfigError
from farthing.providers.blanks import unfilled
from farthing.providers.credentials import with_key
from farthing.providers.grants import Grant
from farthing.settings import ProviderSettings, Settings
from farthing.wire import DIALECTS
from farthing.wire.dialect import Dialect
from farthing.wire.envelopes import ENVELOPES

AUTHS = {
    "bearer": b"authorization: Bearer %s\r\n",
    "x-api-key": b"x-api-key: %s\r\n",
    "api-key": b"api-key: %s\r\n",
    "x-goog-api-key": b"x-goog-api-key: %s\r\n",
    "signed": b"",  # each request by itself: signing.py
    "oauth": b"",  # with an access token: proxy/tokens.py
    "none": b"",
}

LOCAL = "local"


class Bound(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What bounds the tokens a provider counts. Models are named by patterns in small letters."""

    query_tokens: int = 1024
    """What its templates add to the bytes of any query."""
    tool_tokens: int = 2048
    """What they add to a query with tools, above that."""
    image_tokens: int | None = None
    """The most for one image; None where no bound is known."""
    made_images: dict[str, int] = {}
    """The most tokens of one image that is made, by model."""
    windows: dict[str, int] = {}
    """The most input a model takes, as documented: what is longer it refuses, and does not bill.
    The first pattern that fits counts."""
    windowed: tuple[str, ...] = ()
    """Kinds of content ("image", "document", "audio", "video") that cost their input tokens and
    nothing else, so that the window bounds them."""
    least_cap: int = 0
    """A smaller cap on output is raised to this one."""
    beside_cap: tuple[str, ...] = ()
    """Models whose reasoning the cap on output does not count."""
    reasoning_tokens: int | None = None
    """The most tokens of such reasoning; None: as many as the window has."""
    marked_writes: bool = False
    """Whether only what a request marks is written to a cache at a price of its own."""
    unbounded: dict[str, str] = {}
    """Models that cost more than one answer's tokens, and what that is."""


# Of a provider that is not built in nobody has read how much its prompts add; of one such, recorded
# answers counted up to 2,144 tokens above the bytes of the request.
UNKNOWN = Bound(query_tokens=4096)

# What farthing.toml may say of a bound.
BOUNDS = ("image_tokens", "query_tokens", "reasoning_tokens")


class Provider(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One address that serves models, and how to speak to it."""

    base_url: str
    dialects: dict[str, str]
    """The dialects it speaks, each with its path after base_url."""
    docs: str = ""
    """The provider's own page that says so."""
    name: str = ""
    telemetry_name: str = ""
    """What OpenTelemetry's conventions call it, where that is not its name."""
    auth: str = "bearer"
    auths: dict[str, str] = {}
    """How the key is sent in dialects that want it otherwise."""
    place: str = ""
    """What stands for {place} in base_url, unless a variable says it: a region, or an address."""
    place_env: tuple[str, ...] = ()
    places: dict[str, str] = {}
    """The base_url of places that have another."""
    prices_at: dict[str, str] = {}
    """Whose prices hold in some places, where they are not those of `prices`."""
    blanks: dict[str, str] = {}
    """What stands for other blanks in base_url and paths, unless a variable says it."""
    blanks_env: dict[str, tuple[str, ...]] = {}
    signed_env: tuple[str, str, str] | None = None
    """Variables of a key's id, its secret and its session, where requests can be signed instead."""
    key_id: str = ""
    session: str = ""
    key_env: tuple[str, ...] = ()
    """Environment variables that may hold the key; the first that is set counts."""
    key: str = ""
    grant: Grant | None = None
    """What access tokens are asked for with, where they are sent; `key` is its secret then."""
    scope: str = ""
    """What access tokens are asked for."""
    problem: str = ""
    """Why it cannot be used, where something was found to open it."""
    key_from: str = ""
    """Where the key was found, for people to read."""
    prices: str = ""
    headers: dict[str, dict[str, str]] = {}
    """Headers of its dialects' own, by dialect, where the client sends none: a version, say."""
    envelopes: dict[str, str] = {}
    """Dialects that it takes in an envelope of its own, each with the envelope's name."""
    serves: dict[str, tuple[str, ...]] = {}
    """Dialects that only some models are served in, each with patterns of their names."""
    models: tuple[str, ...] = ()
    output_cap_field: str = "max_tokens"
    counts: dict[str, str] = {}
    """Paths that count a request's input tokens, by dialect: asked first where the usage of a
    stream cannot be relied on."""
    free: dict[str, str] = {}
    """Dialects whose requests are billed nothing, each with the page that says so."""
    searching: tuple[str, ...] = ()
    """Models (as patterns, in small letters) that search unasked, for a fee of each query."""
    unasked_tiers: tuple[str, ...] = ()
    """Tiers that may serve, at their own price, a query that names none."""
    states_cost: bool = False
    """Whether its answers say what they were billed, in dollars: then that is what they cost."""
    stream_usage: bool = True
    """Whether the usage of a stream must be asked for; some send it always."""
    bound: Bound = Bound()
    allow_private_address: bool = False
    enabled: bool = True

    @property
    def host(self) -> str:
        """The host name of base_url."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def port(self) -> int:
        """The port of base_url."""
        parts = urlsplit(self.base_url)
        return parts.port or (443 if parts.scheme == "https" else 80)

    @property
    def tls(self) -> bool:
        """Whether base_url is https."""
        return urlsplit(self.base_url).scheme == "https"

    def speaks(self, dialect: str) -> Dialect:
        """Return a dialect of its own, as it is spoken to in it."""
        envelope = self.envelopes.get(dialect)
        return DIALECTS[dialect] if envelope is None else ENVELOPES[envelope]

    def usable(self) -> bool:
        """Whether queries can be sent to it: switched on, with a key if it needs one."""
        keyed = self.auth == "none" or bool(self.key)
        return self.enabled and keyed and not self.problem and not self.unfilled()

    def unfilled(self) -> list[str]:
        """Return the blanks of its addresses that nothing says."""
        return unfilled([self.base_url, *self.dialects.values()])

    def serving(self, model: str) -> list[str]:
        """Return the dialects that it serves a model in, in its order."""
        name = model.lower()
        return [
            dialect
            for dialect in self.dialects
            if any(fnmatchcase(name, pattern) for pattern in self.serves.get(dialect, ("*",)))
        ]


Providers = dict[str, Provider]


def load_providers(settings: Settings, environ: Mapping[str, str]) -> Providers:
    """Return every provider farthing knows, usable or not, by name.

    Raises:
        ConfigError: a [providers.NAME] table does not make a provider.
    """
    known = {name: built_in(name) for name in built_in_names()}
    for name, changes in settings.providers.items():
        known[name] = _changed(name, known.get(name), changes)
    return {name: with_key(p, settings.providers.get(name), environ) for name, p in known.items()}


def built_in_names() -> list[str]:
    """Return the names of the providers that come with farthing."""
    folder = resources.files("farthing.providers")
    return sorted(
        f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")
    )


def built_in(name: str) -> Provider:
    """Read one built-in provider."""
    text = resources.files("farthing.providers").joinpath(f"{name}.toml").read_text("utf-8")
    provider = msgspec.convert(tomllib.loads(text), Provider)
    return msgspec.structs.replace(provider, name=name, prices=provider.prices or name)


def _changed(name: str, known: Provider | None, changes: ProviderSettings) -> Provider:
    """Apply a [providers.NAME] table to a built-in provider, or make one of it."""
    said = {
        field: value
        for field, value in msgspec.structs.asdict(changes).items()
        if value is not None and field in Provider.__struct_fields__
    }
    said |= {field: tuple(said[field]) for field in ("models", "unasked_tiers") if field in said}
    if known is not None:
        said |= _kept(known, changes)
    bounds = {name: getattr(changes, name) for name in BOUNDS}
    bounds = {name: value for name, value in bounds.items() if value is not None}
    said["bound"] = msgspec.structs.replace(known.bound if known else UNKNOWN, **bounds)
    provider = _new(name, said) if known is None else msgspec.structs.replace(known, **said)
    _check(name, provider)
    return provider


def _kept(known: Provider, changes: ProviderSettings) -> dict[str, object]:
    """Return what a table changes only in part, or changes with something else: it comes before
    the environment, and its address and prices hold in every place."""
    said: dict[str, object] = {}
    if changes.base_url is not None:
        said["places"] = {}
    if changes.place is not None:
        said["place_env"] = ()
    if changes.blanks is not None:
        said["blanks"] = {**known.blanks, **changes.blanks}
        said["blanks_env"] = {
            name: told for name, told in known.blanks_env.items() if name not in changes.blanks
        }
    if changes.prices is not None:
        said["prices_at"] = {}
    return said


NEEDED = {
    "base_url": 'base_url = "https://…/v1"',
    "dialects": 'dialects = { chat = "/chat/completions" }',
}


def _new(name: str, said: dict[str, object]) -> Provider:
    for field, example in NEEDED.items():
        if field not in said:
            raise ConfigError(f"[providers.{name}] is not built in, so it needs {field}: {example}")
    return msgspec.convert({"name": name, "prices": name, **said}, Provider)


def _check(name: str, provider: Provider) -> None:
    where = f"[providers.{name}]"
    _check_headers(where, provider.headers)
    if provider.base_url.startswith("{"):
        return  # what it is, a variable says
    if urlsplit(provider.base_url).scheme not in ("http", "https") or not provider.host:
        raise ConfigError(f"{where} base_url must begin with https:// (or http://) and a host")
    try:
        _ = provider.port
    except ValueError as error:
        raise ConfigError(f"{where} base_url: {error}") from None
    if provider.auth not in AUTHS:
        raise ConfigError(f"{where} auth must be one of {', '.join(AUTHS)}, not {provider.auth!r}")
    for dialect in provider.free.keys() - DIALECTS.keys():
        raise ConfigError(f"{where} free: there is no dialect {dialect!r}")
    for dialect, path in provider.dialects.items():
        if dialect not in DIALECTS or not path.startswith("/"):
            names = " or ".join(DIALECTS)
            raise ConfigError(
                f'{where} dialects: write {names} = "/path", not {dialect} = {path!r}'
            )


def _check_headers(where: str, headers: dict[str, dict[str, str]]) -> None:
    for dialect, told in headers.items():
        known = DIALECTS[dialect].passed_headers if dialect in DIALECTS else ()
        for name, value in told.items():
            if name not in known or not (value.isascii() and value.isprintable()):
                raise ConfigError(
                    f"{where} headers: {dialect} has no header {name} = {value!r}; it has "
                    f"{', '.join(known) or 'none of its own'}"
                )
