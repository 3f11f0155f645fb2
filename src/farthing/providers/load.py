"""Read the providers: built-in TOML files, farthing.toml, and the environment's keys."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from farthing.errors import ConfigError
from farthing.settings import ProviderSettings, Settings
from farthing.wire import DIALECTS

AUTHS = {
    "bearer": b"authorization: Bearer %s\r\n",
    "x-api-key": b"x-api-key: %s\r\n",
    "api-key": b"api-key: %s\r\n",
    "x-goog-api-key": b"x-goog-api-key: %s\r\n",
    "signed": b"",  # each request by itself: signing.py
    "none": b"",
}

LOCAL = "local"


class Bound(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Tokens a provider may count beyond the bytes of a request: its templates and prompts."""

    query_tokens: int = 1024
    """For any query."""
    tool_tokens: int = 2048
    """For a query with tools, above that."""
    image_tokens: int | None = None
    """For one image; None where no bound is known."""
    made_images: dict[str, int] = {}
    """The most tokens of one image that is made, by model (a pattern, in small letters)."""


class Provider(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One address that serves models, and how to speak to it."""

    base_url: str
    dialects: dict[str, str]
    """The dialects it speaks, each with its path after base_url."""
    docs: str = ""
    """The provider's own page that says so."""
    name: str = ""
    auth: str = "bearer"
    auths: dict[str, str] = {}
    """How the key is sent in dialects that want it otherwise."""
    place: str = ""
    """What stands for {place} in base_url, unless a variable says it: a region, or an address."""
    place_env: tuple[str, ...] = ()
    signed_env: tuple[str, str, str] | None = None
    """Variables of a key's id, its secret and its session, where requests can be signed instead."""
    key_id: str = ""
    session: str = ""
    key_env: tuple[str, ...] = ()
    """Environment variables that may hold the key; the first that is set counts."""
    key: str = ""
    key_from: str = ""
    """Where the key was found, for people to read."""
    prices: str = ""
    models: tuple[str, ...] = ()
    output_cap_field: str = "max_tokens"
    counts: dict[str, str] = {}
    """Paths that count a request's input tokens, by dialect: asked first where the usage of a
    stream cannot be relied on."""
    free: dict[str, str] = {}
    """Dialects whose requests are billed nothing, each with the page that says so."""
    searching: tuple[str, ...] = ()
    """Models (as patterns, in small letters) that search unasked, for a fee of each query."""
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

    def usable(self) -> bool:
        """Whether queries can be sent to it: switched on, with a key if it needs one."""
        keyed = self.auth == "none" or bool(self.key)
        return self.enabled and keyed and "{place}" not in self.base_url


Providers = dict[str, Provider]


def load_providers(settings: Settings, environ: Mapping[str, str]) -> Providers:
    """Return every provider farthing knows, usable or not, by name.

    Raises:
        ConfigError: a [providers.NAME] table does not make a provider.
    """
    known = {name: built_in(name) for name in built_in_names()}
    for name, changes in settings.providers.items():
        known[name] = _changed(name, known.get(name), changes)
    return {name: _with_key(p, settings.providers.get(name), environ) for name, p in known.items()}


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
    if "models" in said:
        said["models"] = tuple(said["models"])
    if changes.image_tokens is not None:
        bound = known.bound if known else Bound()
        said["bound"] = msgspec.structs.replace(bound, image_tokens=changes.image_tokens)
    provider = _new(name, said) if known is None else msgspec.structs.replace(known, **said)
    _check(name, provider)
    return provider


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


def _with_key(
    provider: Provider, changes: ProviderSettings | None, environ: Mapping[str, str]
) -> Provider:
    """Find the provider's key: a file or a variable that was named, or else its usual ones."""
    if changes is not None and changes.api_key_file is not None:
        path = Path(changes.api_key_file).expanduser()
        try:
            key = path.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            where = f"[providers.{provider.name}] api_key_file"
            raise ConfigError(f"{where}: cannot read {path}: {error}") from None
        return _keyed(provider, key, str(path))
    names = provider.key_env
    if changes is not None and changes.api_key_env is not None:
        names = (changes.api_key_env,)
        provider = msgspec.structs.replace(provider, key_env=names)
    provider = _placed(provider, environ)
    for name in names:
        if key := environ.get(name, "").strip():
            return _keyed(provider, key, name)
    if provider.signed_env is not None:
        key_id, secret, session = (environ.get(n, "").strip() for n in provider.signed_env)
        if key_id and secret:
            signing = msgspec.structs.replace(
                provider, auth="signed", key_id=key_id, session=session
            )
            return _keyed(signing, secret, provider.signed_env[0])
    return provider


def _placed(provider: Provider, environ: Mapping[str, str]) -> Provider:
    """Fill in where base_url leaves a place."""
    told = (environ.get(name, "").strip().rstrip("/") for name in provider.place_env)
    place = next((found for found in told if found), provider.place)
    base_url = provider.base_url.replace("{place}", place) if place else provider.base_url
    return msgspec.structs.replace(provider, base_url=base_url, place=place)


def _keyed(provider: Provider, key: str, source: str) -> Provider:
    if not (key.isascii() and key.isprintable()):
        raise ConfigError(
            f"the key for {provider.name} in {source} has characters that no header can carry"
        )
    return msgspec.structs.replace(provider, key=key, key_from=source)
