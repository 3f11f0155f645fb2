"""`farthing log-key`: the transparency log's public key, and another one in its place."""

from __future__ import annotations

import typer

from farthing.cli.output import (
    ConfigFile,
    Data,
    Json,
    console,
    data_folder,
    expected,
    print_json,
    run,
)
from farthing.evidence.identity import verifier_of
from farthing.evidence.rotate import rotate
from farthing.settings import load_settings

app = typer.Typer(
    help="Print the transparency log's public key, by which receipts and logs are verified; or "
    "have another sign from now on.",
    invoke_without_command=True,
)


@app.callback()
def log_key(
    context: typer.Context, config: ConfigFile = None, data: Data = None, json: Json = False
) -> None:
    """Print the transparency log's public key, by which receipts and logs are verified."""
    if context.invoked_subcommand is not None:
        return
    folder = data_folder(data)
    with expected():
        settings, _ = load_settings(config, folder.root)
        key = verifier_of(folder, settings.log_origin)
    if json:
        print_json({"origin": key.name, "key": str(key)})
    else:
        print(key)  # noqa: T201  (to be copied: never wrapped, never coloured)


@app.command("rotate")
def rotate_command(config: ConfigFile = None, data: Data = None, json: Json = False) -> None:
    """Have a new key sign from the next checkpoint on, whether the gateway runs or not.

    The journal records it, with the old key's signature of the new one. Every checkpoint carries
    that too, so who has the old public key can go on verifying with it. The old private key is
    removed once the new one has signed.
    """
    folder = data_folder(data)
    with expected():
        settings, _ = load_settings(config, folder.root)
    made = run(rotate(folder, settings.log_origin))
    if json:
        print_json({"origin": made.key.name, "key": str(made.key), "before": str(made.before)})
        return
    print(made.key)  # noqa: T201  (to be copied: never wrapped, never coloured)
    console.print(
        "This key signs from the next checkpoint on. Give it to auditors and witnesses; the old "
        "one still verifies what it signed, and leads to this one.",
        soft_wrap=True,
    )
