"""Read farthing.toml: errors name the file, the line, and what to write instead."""

from __future__ import annotations

import difflib
import math
import os
import re
import tomllib
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

import msgspec

from farthing import money
from farthing.errors import ConfigError
from farthing.settings.schema import ContentsRule, Settings

FILE_NAME = "farthing.toml"
DATABASE_ENV = "FARTHING_DATABASE"

# What a key belongs to: by these alone it is decided what is kept of its queries.
CONTENTS_SCOPES = ("org", "team", "project", "key")

# What msgspec's places have where a table's own names stand.
UNNAMED = "…"

# The prices a row may say, in dollars.
PRICES = (
    "input",
    "output",
    "cache_read",
    "cache_write",
    "cache_write_1h",
    "input_audio",
    "request",
)

# A part of a TOML key, quoted or bare.
KEY_PART = r"""(?:"[^"]*"|'[^']*'|[\w-]+)"""
DOTTED_KEY = rf"{KEY_PART}(?:\s*\.\s*{KEY_PART})*"

# Python's names of types, in the words of TOML.
TOML_WORDS = {
    "str": "a string",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "an array",
    "object": "a table",
    "decimal": "a decimal number",
}


def load_settings(explicit: Path | None, data: Path) -> tuple[Settings, Path | None]:
    """Return the settings and the file they came from (None when there is none).

    The file is `explicit`, or else the first farthing.toml found in the working folder, the
    XDG configuration folder and the data folder. The environment's FARTHING_DATABASE comes before
    what it says of the database.

    Raises:
        ConfigError: the file is missing, not TOML, or says something that is not a setting.
    """
    path = explicit or next((p for p in _places(data) if p.is_file()), None)
    if path is None:
        return _with_environment(Settings()), None
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    return _with_environment(parse_settings(text, path)), path


def _with_environment(settings: Settings) -> Settings:
    database = os.environ.get(DATABASE_ENV) or settings.database
    return msgspec.structs.replace(settings, database=database)


def _places(data: Path) -> list[Path]:
    config = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    return [Path.cwd() / FILE_NAME, config / "farthing" / FILE_NAME, data / FILE_NAME]


def parse_settings(text: str, path: Path) -> Settings:
    """Return the settings a TOML text says; decimals are read exactly, never as floats."""
    try:
        table = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    except InvalidOperation:
        raise ConfigError(f"{path}: a number's exponent is too large") from None
    try:
        settings = msgspec.convert(table, Settings)
        _check(settings)
        return settings
    except msgspec.ValidationError as error:
        raise ConfigError(_explain(str(error), table, text, path)) from None


def _check(settings: Settings) -> None:
    """Reject values that have the right type and no meaning."""
    split_address(settings.listen)
    local, http = settings.local, settings.http
    for name, value in {
        "workers": settings.workers,
        "default_output_tokens": settings.default_output_tokens,
        "unresolved_days": settings.unresolved_days,
        "witness_seconds": settings.witness_seconds,
        "timestamp_hours": settings.timestamp_hours,
        "contents_bytes": settings.contents_bytes,
        "local.context_tokens": local.context_tokens,
        "local.parallel": local.parallel,
        **{f"http.{name}": getattr(http, name) for name in http.__struct_fields__},
    }.items():
        _expect(0 < value < math.inf, "a number above 0", name)
    _expect(local.threads >= 0, "0 or more", "local.threads")
    _expect(_amount(local.dollars_per_hour), "an amount of dollars", "local.dollars_per_hour")
    for name, provider in settings.providers.items():
        for field in ("image_tokens", "query_tokens", "reasoning_tokens"):
            _expect((getattr(provider, field) or 0) >= 0, "0 or more", f"providers.{name}.{field}")
    collector, authority = settings.otel.endpoint, settings.timestamp_url
    good = not collector or _is_address(collector)
    _expect(good, 'an address such as "http://127.0.0.1:4318"', "otel.endpoint")
    _expect(not authority or _is_address(authority), "an http address", "timestamp_url")
    origin = settings.log_origin
    named = origin.isprintable() and "+" not in origin and " " not in origin
    _expect(named, 'a name without spaces and "+"', "log_origin")
    for index, witness in enumerate(settings.witnesses):
        _expect(_is_address(witness.url), "an http address", f"witnesses[{index}].url")
    _check_contents(settings.contents)
    for index, row in enumerate(settings.prices):
        tokens = row.context_tokens
        where = f"prices[{index}].context_tokens"
        _expect(tokens is None or tokens > 0, "a number above 0", where)
        for name in PRICES:
            price = getattr(row, name)
            good = price is None or (price.is_finite() and 0 <= price < 10**9)
            _expect(good, "dollars for a million, 0 or more", f"prices[{index}].{name}")


def _check_contents(rules: list[ContentsRule]) -> None:
    """Reject a rule that would be no query's, or of which nobody knows which counts."""
    scopes = [rule.scope for rule in rules]
    for index, rule in enumerate(rules):
        kind, _, name = rule.scope.partition(":")
        known = not rule.scope or (kind in CONTENTS_SCOPES and name and name != "*")
        where = f"contents[{index}]"
        what = f"one of {', '.join(CONTENTS_SCOPES)}, a colon and a name"
        _expect(bool(known), what, f"{where}.scope")
        _expect(rule.scope not in scopes[:index], "one row for each scope", f"{where}.scope")
        days = rule.retention_days
        _expect(days is None or days > 0, "a number above 0", f"{where}.retention_days")


def _expect(good: bool, what: str, where: str) -> None:
    if not good:
        raise msgspec.ValidationError(f"Expected {what} - at `$.{where}`")


def _amount(dollars: Decimal) -> bool:
    try:
        money.nanodollars(dollars)
    except ValueError:
        return False
    return True


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        good = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return good and parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in url


def split_address(listen: str) -> tuple[str, int]:
    """Return the host and the port of "host:port" or "[ipv6]:port"."""
    host, _, port = listen.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise msgspec.ValidationError(
            'Expected an address and a port, such as "127.0.0.1:1960" - at `$.listen`'
        )
    return host.strip("[]"), int(port)


def _explain(error: str, table: dict[str, Any], text: str, path: Path) -> str:
    """Turn a validation error into file, line, what is wrong and what to write instead."""
    message, _, place = error.partition(" - at ")
    keys = _named(_keys(place.strip("`")), error, table)
    unknown = re.fullmatch(r"Object contains unknown field `(.+)`", message)
    if unknown:
        keys.append(unknown[1])
        message = f"there is no setting `{_dotted(keys)}`{_suggestion(keys)}"
    elif match := re.fullmatch(r"Object missing required field `(.+)`", message):
        message = f"`{_dotted([*keys, match[1]])}` is missing; add `{match[1]} = …`"
    else:
        message = f"`{_dotted(keys)}`: {_plain(message, keys)}"
    return f"{path}, line {_line(keys, text)}: {message}"


def _keys(place: str) -> list[str | int]:
    """Split msgspec's path ("$.prices[0].input", "$.providers[...]") into keys and indices."""
    found: list[str | int] = []
    for name, index in re.findall(r"\.([\w-]+)|\[(\d+|\.\.\.)\]", place):
        found.append(name if name else int(index) if index.isdigit() else UNNAMED)
    return found


def _named(keys: list[str | int], error: str, table: dict[str, Any]) -> list[str | int]:
    """Put in the first name that msgspec leaves out: the one that errs the same on its own."""
    if UNNAMED not in keys:
        return keys
    place = keys.index(UNNAMED)
    holder: Any = table
    for key in keys[:place]:
        holder = holder[key]
    for name, value in holder.items():
        alone: Any = {name: value}
        for key in reversed(keys[:place]):
            alone = {key: alone}
        try:
            msgspec.convert(alone, Settings)
        except msgspec.ValidationError as same:
            if str(same) == error:
                return _named([*keys[:place], name, *keys[place + 1 :]], error, alone)
    return keys


def _dotted(keys: list[str | int]) -> str:
    return ".".join(str(key) for key in keys if not isinstance(key, int))


def _suggestion(keys: list[str | int]) -> str:
    """Name the settings that stand where the unknown one does, the most alike first."""
    known = _fields_at(keys[:-1])
    close = difflib.get_close_matches(str(keys[-1]), known, n=1, cutoff=0.6)
    if close:
        return f"; did you mean `{close[0]}`?"
    return f"; the settings here are {', '.join(f'`{name}`' for name in known)}"


def _plain(message: str, keys: list[str | int]) -> str:
    """Say a type error in the words of TOML rather than of Python."""
    if message.startswith("Invalid enum value"):
        choices = " or ".join(f'"{value}"' for value in get_args(_type_at(keys)))
        return f"{message.removeprefix('Invalid enum value ')} is not a choice; write {choices}"
    if message.startswith("Invalid RFC3339"):
        return "expected a date without quotes, such as 2026-12-31"
    words = message[:1].lower() + message[1:]
    return re.sub(r"`([^`]+?)(?: \| null)?`", lambda m: TOML_WORDS.get(m[1], m[0]), words)


def _type_at(keys: list[str | int]) -> Any:
    """Return the declared type of the setting at a path."""
    kind: Any = Settings
    for key in keys:
        names = {f.name: f.type for f in _fields(kind)}
        kind = names[key] if key in names else (get_args(kind) or (kind,))[-1]
    return kind


def _fields_at(keys: list[str | int]) -> list[str]:
    kind = _type_at(keys)
    while get_args(kind):
        kind = get_args(kind)[-1]
    return [field.name for field in _fields(kind)]


def _fields(kind: Any) -> tuple[msgspec.structs.FieldInfo, ...]:
    is_struct = isinstance(kind, type) and issubclass(kind, msgspec.Struct)
    return msgspec.structs.fields(kind) if is_struct else ()


def _line(keys: list[str | int], text: str) -> int:
    """Find the line that sets a key, or else the nearest table around it.

    The TOML reader keeps no positions; this knows headers, keys and arrays of tables, which is
    all that farthing.toml has.
    """
    names = [key for key in keys if isinstance(key, str)]
    index = next((key for key in keys if isinstance(key, int)), 0)
    best, depth, table, seen = 1, 0, [], -1
    for number, line in enumerate(text.splitlines(), start=1):
        written: list[str] = []
        if header := re.match(rf"\s*\[\[?\s*({DOTTED_KEY})\s*\]", line):
            written = table = _parts(header[1])
            seen += line.lstrip().startswith("[[") and table == names[:1]
        elif setting := re.match(rf"\s*({DOTTED_KEY})\s*=", line):
            written = [*table, *_parts(setting[1])]
        here = written == names[: len(written)] and seen in (-1, index)
        if here and len(written) > depth:
            best, depth = number, len(written)
    return best


def _parts(key: str) -> list[str]:
    return [part.strip("\"'") for part in re.findall(KEY_PART, key)]
