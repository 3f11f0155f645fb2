"""Write docs/reference/ from the code it documents: `python docs/generate.py`.

`make check` runs it with --check and fails when a page is no longer what it would write.
"""

from __future__ import annotations

import ast
import inspect
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
from dialects import dialects_page
from statements import schema_file, statements_page

from farthing.errors import CODES
from farthing.ledger import entry
from farthing.ledger.records import STATUSES
from farthing.providers.credentials import OAUTH
from farthing.providers.load import built_in, built_in_names
from farthing.settings import schema

FOLDER = Path(__file__).parent / "reference"


def fields(module: ModuleType, kind: type) -> Iterator[tuple[str, str, str, str]]:
    """Yield a struct's fields: name, type, default, and the text under each in the source."""
    defaults = {field.name: _default(field) for field in msgspec.structs.fields(kind)}
    tree = ast.parse(inspect.getsource(module))
    body = next(
        n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == kind.__name__
    ).body
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            text = ""
            if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                text = " ".join(str(after.value.value).split())
            yield node.target.id, ast.unparse(node.annotation), defaults[node.target.id], text


def _default(field: msgspec.structs.FieldInfo) -> str:
    """Return a default as farthing.toml would say it."""
    value = field.default
    if value is msgspec.NODEFAULT:
        return "" if field.required else "none"
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def cell(text: str) -> str:
    """Return a text as it may stand in a table's cell."""
    return text.replace("|", "\\|")


def errors_page() -> str:
    """The error codes."""
    rows = "\n".join(
        f"| `{code}` | {status} | {cell(text)} |" for code, (status, text) in CODES.items()
    )
    return f"""# Errors

Every error has the shape of the dialect it was asked in, a status, and a code that stays the same
from version to version. The code stands in the header `farthing-error` and in the body's
`error.code`; the body's `error.message` says what to do next. Errors that a provider answers
with pass through unchanged and have no `farthing-error`.

| code | status | meaning |
|---|---|---|
{rows}
"""


def settings_page() -> str:
    """The settings."""
    parts = [
        """# Settings

farthing needs no settings file. It reads `farthing.toml` if there is one: the file named with
`--config`, else in the working folder, else `farthing/farthing.toml` in the XDG configuration
folder, else in the data folder. An error in it names the file, the line and what to write.

Dollars are decimal numbers, read exactly. A provider whose usual environment variable holds a key
is used without any settings: see [providers](providers.md).
"""
    ]
    tables = {
        schema.Settings: "At the top",
        schema.HttpSettings: "[http]",
        schema.LocalSettings: "[local]",
        schema.OtelSettings: "[otel]",
        schema.ProviderSettings: "[providers.NAME]",
        schema.PriceOverride: "[[prices]]",
        schema.ContentsRule: "[[contents]]",
        schema.WitnessSettings: "[[witnesses]]",
        schema.StatementSettings: "[statement]",
        schema.SystemSettings: '[statement.systems."PROVIDER/MODEL"]',
    }
    for kind, title in tables.items():
        about = (kind.__doc__ or "").partition(": ")[2] or (kind.__doc__ or "")
        parts.append(f"\n## {title}\n\n{about[:1].upper()}{about[1:]}\n")
        parts.append("| setting | default | meaning |\n|---|---|---|")
        for name, _, default, text in fields(schema, kind):
            if text:
                shown = f"`{cell(default)}`" if default else "required"
                parts.append(f"| `{name}` | {shown} | {cell(text)} |")
    parts.append(EXAMPLE)
    return "\n".join(parts)


EXAMPLE = """
## An example

```toml
listen = "0.0.0.0:1960"
workers = 2

[models]
fast = "openai/gpt-4o-mini"

[providers.openai]
api_key_file = "/run/secrets/openai"

[providers.inhouse]
base_url = "http://10.0.0.7:8000/v1"
auth = "none"
dialects = { chat = "/chat/completions" }
models = ["qwen3-32b"]
allow_private_address = true

[[prices]]
provider = "inhouse"
model = "qwen3-32b"
input = 0.08
output = 0.24

[[contents]]
keep = "commitments"

[[contents]]
scope = "team:legal"
keep = "contents"
retention_days = 180
```
"""


def ledger_page() -> str:
    """The journal's entries."""
    parts = [
        """# The ledger

The journal (`journal/` in the data folder) is the one record; the SQL tables and the snapshots are
made from it and can be made again. Its segments, `00000001.journal` and so on, are sequences of
groups, each with a header of 28 bytes (`FGRP`, payload length, CRC-32, number of the first entry,
number of entries known to be on the disk; little-endian) and a MessagePack array of entries. An
entry is a MessagePack array: its tag, then the fields below in this order. Amounts are nanodollars,
times nanoseconds since 1970 (UTC).

| bytes | in each segment but the first, before its groups: the link, 64 bytes |
|---|---|
| 4 | `FSEG` |
| 4 | CRC-32 of what follows |
| 8 | the segment's number |
| 8 | entries in the segments before it |
| 8 | bytes of the segment before it, without its seal |
| 32 | SHA-256 of the link of the segment before it and of the headers of its groups |

| bytes | in each segment but the last, after its groups: the seal, 24 bytes |
|---|---|
| 4 | `FEND` |
| 4 | CRC-32 of what follows |
| 8 | the segment's number |
| 8 | entries up to its end |

A snapshot, named after the number of entries in it, is `FSNP`, the SHA-256 of what follows (32
bytes) and a MessagePack array: the ledger's id, that number, the checksum of the group that ends
there, and the state. Deleting snapshots is safe; the next start is slower.
"""
    ]
    parts.append(
        "\n## What became of a query\n\n`farthing log`, `GET /v1/queries/{id}` and "
        "`farthing ledger show` tell it as its status:\n\n| status | |\n|---|---|"
    )
    parts += [f"| `{status}` | {cell(text)} |" for status, text in STATUSES.items()]
    parts.append(
        """
Of what it cost, `from_credit_usd` and `from_commitment_usd` were paid by credits (of every scope on
its path that has one) and by commitments with its provider. `effective_usd` is its cost with what
commitments paid at what that much of them was bought for; `list_usd` is without a commitment's
discount, and unknown where the cost was settled from evidence."""
    )
    for kind in entry.Entry.__args__:
        tag = kind.__struct_config__.tag
        parts.append(f"\n## `{tag}`\n\n{inspect.cleandoc(kind.__doc__ or '')}\n")
        parts.append("| field | type | |\n|---|---|---|")
        parts += [
            f"| `{name}` | `{cell(type_)}` | {cell(text)} |"
            for name, type_, _, text in fields(sys.modules[kind.__module__], kind)
        ]
    return "\n".join(parts) + "\n"


def providers_page() -> str:
    """The built-in providers."""
    rows = []
    for name in built_in_names():
        provider = built_in(name)
        keys = (
            " or ".join(f"`{variable}`" for variable in provider.key_env) or "started by farthing"
        )
        if provider.auth == OAUTH:
            keys += ", a file of credentials"
        if not provider.enabled:
            keys += ", and a table that turns it on"
        dialects = ", ".join(provider.dialects)
        rows.append(
            f"| {name} | {keys} | {dialects} | `{provider.base_url}` | [docs]({provider.docs}) |"
        )
    table = "\n".join(rows)
    return f"""# Providers

A provider is used as soon as its variable holds a key (and, where its address has a blank, that is
told by another variable, or by `place` and `blanks` in the settings). Name a model as
`provider/model`, or by its own name where only one provider has it. Each provider is one TOML file
in `src/farthing/providers/`; another one with the same dialect needs only a `[providers.NAME]`
table in [farthing.toml](settings.md).

| name | key | dialects | address | source |
|---|---|---|---|---|
{table}
"""


def cli_page() -> str:
    """Every command's help, as it prints it."""
    os.environ.update(COLUMNS="88", NO_COLOR="1", TERM="dumb")
    from typer.main import get_command  # noqa: PLC0415  (reads the environment when imported)
    from typer.testing import CliRunner  # noqa: PLC0415

    from farthing.cli.main import app  # noqa: PLC0415

    runner, parts = CliRunner(), ["# Commands\n"]
    for words in commands(get_command(app)):
        shown = " ".join(["farthing", *words])
        printed = runner.invoke(app, [*words, "--help"], prog_name="farthing").output
        text = "\n".join(line.rstrip() for line in printed.strip().splitlines())
        parts.append(f"## `{shown}`\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


def commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield every command's words, groups before what is in them."""
    yield words
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*words, name))


PAGES = {
    "dialects.md": dialects_page,
    "errors.md": errors_page,
    "settings.md": settings_page,
    "ledger.md": ledger_page,
    "providers.md": providers_page,
    "cli.md": cli_page,
    "statement.md": statements_page,
    "statement.schema.json": schema_file,
}


def stale() -> list[str]:
    """Return the pages that are not what would be written now."""
    return [
        name
        for name, make in PAGES.items()
        if not (FOLDER / name).exists() or (FOLDER / name).read_text() != make()
    ]


def main() -> None:
    """Write the pages, or with --check say which are stale."""
    if "--check" in sys.argv:
        if names := stale():
            sys.exit(f"stale: {', '.join(names)}; run python docs/generate.py")
        return
    FOLDER.mkdir(exist_ok=True)
    for name, make in PAGES.items():
        (FOLDER / name).write_text(make())


if __name__ == "__main__":
    main()
