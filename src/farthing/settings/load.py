"""Read farthing.toml: errors name the file, the line, and what to write instead."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import msgspec

from farthing.errors import ConfigError
from farthing.settings.schema import Settings

FILE_NAME = "farthing.toml"

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
    XDG configuration folder and the data folder.

    Raises:
        ConfigError: the file is missing, not TOML, or says something that is not a setting.
    """
    path = explicit or next((p for p in _places(data) if p.is_file()), None)
    if path is None:
        return Settings(), None
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    return parse_settings(text, path), path


def _places(data: Path) -> list[Path]:
    config = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    return [Path.cwd() / FILE_NAME, config / "farthing" / FILE_NAME, data / FILE_NAME]


def parse_settings(text: str, path: Path) -> Settings:
    """Return the settings a TOML text says; decimals are read exactly, never as floats."""
    try:
        table = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    try:
        settings = msgspec.convert(table, Settings)
        _check(settings)
        return settings
    except msgspec.ValidationError as error:
        raise ConfigError(_explain(str(error), table, text, path)) from None


def _check(settings: Settings) -> None:
    """Reject values that have the right type and no meaning."""
    split_address(settings.listen)
    bounds: dict[str, float] = {
        "workers": settings.workers,
        "default_output_tokens": settings.default_output_tokens,
        "local.context_tokens": settings.local.context_tokens,
        "local.parallel": settings.local.parallel,
        **{
            f"http.{name}": getattr(settings.http, name) for name in settings.http.__struct_fields__
        },
    }
    for name, value in bounds.items():
        if value <= 0:
            raise msgspec.ValidationError(f"Expected a number above 0 - at `$.{name}`")
    for index, row in enumerate(settings.prices):
        for name in ("input", "output", "cache_read", "cache_write", "cache_write_1h", "request"):
            price = getattr(row, name)
            if price is not None and not (price.is_finite() and 0 <= price < 10**9):
                raise msgspec.ValidationError(
                    f"Expected dollars for a million, 0 or more - at `$.prices[{index}].{name}`"
                )


def split_address(listen: str) -> tuple[str, int]:
    """Return the host and the port of "host:port" or "[ipv6]:port"."""
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise msgspec.ValidationError(
            'Expected an address and a port, such as "127.0.0.1:1960" - at `$.listen`'
        )
    return host.strip("[]"), int(port)


def _explain(error: str, table: dict[str, Any], text: str, path: Path) -> str:
    """Turn a validation error into file, line, what is wrong and what to write instead."""
    message, _, place = error.partition(" - at ")
    keys = _keys(place.strip("`"))
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
    for name, index in re.findall(r"\.([A-Za-z_]\w*)|\[(\d+|\.\.\.)\]", place):
        found.append(name if name else int(index) if index.isdigit() else "…")
    return found


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
    return re.sub(
        r"`([^`]+)`", lambda m: TOML_WORDS.get(m[1], m[0]), message[:1].lower() + message[1:]
    )


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
    """Find the line that sets a key, or else its table, by reading the headers in order.

    The TOML reader keeps no positions; this knows headers, keys and arrays of tables, which is
    all that farthing.toml has.
    """
    names = [key for key in keys if isinstance(key, str)]
    index = next((key for key in keys if isinstance(key, int)), 0)
    best, table, seen = 1, [], -1
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?", line)
        if header:
            table = [part.strip(" \"'") for part in header[1].split(".")]
            seen += line.lstrip().startswith("[[") and table == names[:1]
        elif match := re.match(r"""\s*(["']?)([\w.-]+)\1\s*=""", line):
            if _same([*table, *match[2].split(".")], names) and seen in (-1, index):
                return number
            continue
        else:
            continue
        if _same(table, names[: len(table)]) and seen in (-1, index):
            best = number
    return best


def _same(written: list[str], wanted: list[str]) -> bool:
    """Whether a written path is the wanted one; "…" stands for a name msgspec does not give."""
    return len(written) == len(wanted) and all(
        want in ("…", have) for have, want in zip(written, wanted, strict=True)
    )
