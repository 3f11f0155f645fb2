"""Find what opens a provider: its key, a signing key or credentials; and fill in its address."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from farthing.errors import ConfigError
from farthing.providers.blanks import PLACE, fill, values
from farthing.providers.grants import read_grant
from farthing.settings import ProviderSettings

if TYPE_CHECKING:
    from farthing.providers.load import Provider

OAUTH = "oauth"


def with_key(
    provider: Provider, changes: ProviderSettings | None, environ: Mapping[str, str]
) -> Provider:
    """Return a provider with its key (a file or a variable that was named, or else one of its
    usual ones) and without blanks, as far as they are told.

    Raises:
        ConfigError: what farthing.toml names cannot be read, or no header can carry it.
    """
    if changes is not None and changes.api_key_file is not None:
        path = Path(changes.api_key_file).expanduser()
        found = _from_file(provider, path, f"[providers.{provider.name}] api_key_file")
    elif changes is not None and changes.api_key_env is not None:
        named = msgspec.structs.replace(provider, key_env=(changes.api_key_env,))
        found = _from_environment(named, environ)
        if found.problem:
            raise ConfigError(f"[providers.{provider.name}] api_key_env: {found.problem}")
    else:
        found = _from_environment(provider, environ)
    return _filled(found, environ)


def _from_file(provider: Provider, path: Path, where: str) -> Provider:
    try:
        text = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{where}: cannot read {path}: {error}") from None
    if provider.auth != OAUTH:
        return _keyed(provider, text, str(path))
    try:
        grant, secret = read_grant(text)
    except ConfigError as problem:
        raise ConfigError(f"{where}: {path} {problem}") from None
    if not (grant.token_uri.startswith("https://") or provider.allow_private_address):
        raise ConfigError(f"{where}: {path} has a token_uri that is not https://")
    return msgspec.structs.replace(provider, grant=grant, key=secret, key_from=str(path))


def _from_environment(provider: Provider, environ: Mapping[str, str]) -> Provider:
    for name in provider.key_env:
        told = environ.get(name, "").strip()
        if told and provider.auth == OAUTH:
            return _from_named_file(provider, Path(told).expanduser(), name)
        if told:
            return _keyed(provider, told, name)
    if provider.signed_env is not None:
        key_id, secret, session = (environ.get(n, "").strip() for n in provider.signed_env)
        if key_id and secret:
            signing = msgspec.structs.replace(
                provider, auth="signed", key_id=key_id, session=session
            )
            return _keyed(signing, secret, provider.signed_env[0])
    return provider


def _from_named_file(provider: Provider, path: Path, variable: str) -> Provider:
    """Read the credentials a variable names. Others read that variable too, so what is not for
    this provider leaves it unusable, and stops nothing."""
    try:
        return _from_file(provider, path, variable)
    except ConfigError as problem:
        return msgspec.structs.replace(provider, problem=str(problem))


def _keyed(provider: Provider, key: str, source: str) -> Provider:
    if not (key.isascii() and key.isprintable()):
        raise ConfigError(
            f"the key for {provider.name} in {source} has characters that no header can carry"
        )
    return msgspec.structs.replace(provider, key=key, key_from=source)


def _filled(provider: Provider, environ: Mapping[str, str]) -> Provider:
    """Fill in the blanks of its addresses, and choose what goes with its place."""
    granted = provider.grant.project if provider.grant is not None else ""
    usual = {PLACE: provider.place, "project": granted, **provider.blanks}
    told = values(usual, {PLACE: provider.place_env, **provider.blanks_env}, environ)
    for name, value in told.items():
        if not (value.isascii() and value.isprintable()) or " " in value:
            raise ConfigError(f"{provider.name}: no address can carry {value!r} as its {name}")
    place = told.get(PLACE, "")
    base_url = provider.places.get(place, provider.base_url)
    return msgspec.structs.replace(
        provider,
        base_url=fill(base_url, told),
        place=place,
        dialects={name: fill(path, told) for name, path in provider.dialects.items()},
        prices=provider.prices_at.get(place, provider.prices),
    )
