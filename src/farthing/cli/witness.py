"""`farthing witness`: a witness of other people's logs, to run where their operators are not."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from farthing.cli.output import Json, console, examples, expected, print_json, run, stop
from farthing.evidence.cosign import COSIGNATURE
from farthing.evidence.note import NoteError, Signer, Verifier, good_name
from farthing.evidence.store import Store
from farthing.evidence.witness import Witness
from farthing.paths import DataFolder, default_data, lock, new_secret, secret_of
from farthing.proxy.server import ClientConnection
from farthing.proxy.witness import WitnessServer
from farthing.runtime import log_as
from farthing.settings.load import split_address

KEY = "witness-key"

EXAMPLES = examples(
    "witness --name witness.example.org/w1 --listen 0.0.0.0:1961 --log 'farthing/…+…+…'",
    "witness --name w1 --log 'log.example.com/a+…+…' --log 'log.example.com/b+…+…'",
)


def witness(
    log: Annotated[
        list[str],
        typer.Option(
            metavar="KEY",
            show_default=False,
            help="A log's public key, as `farthing log-key` prints it; may be repeated, for more "
            "logs or for more keys of one.",
        ),
    ],
    name: Annotated[
        str | None,
        typer.Option(
            show_default=False,
            help="What it signs as, such as an address without https://. [default: this host's]",
        ),
    ] = None,
    listen: Annotated[str, typer.Option(help="Address and port.")] = "127.0.0.1:1961",
    folder: Annotated[
        Path | None,
        typer.Option(
            show_default=False,
            help="Where its key and what it saw are kept. [default: witness in the data folder]",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Run a witness (c2sp.org/tlog-witness): cosign checkpoints of logs that only ever grew.

    Run it elsewhere, by somebody else. It prints the public key of its cosignatures, which logs are
    set up with (`witnesses` in farthing.toml) and receipts are verified by (`--witness`). Keep its
    folder: a witness that forgot what it saw is to get another key.
    """
    try:
        keys = [Verifier.of(key) for key in log]
        host, port = split_address(listen)
    except (NoteError, msgspec.ValidationError) as problem:
        stop(str(problem))
    with expected():
        log_as("witness")
        root = DataFolder(folder or default_data() / "witness").root
        held = lock(root / "lock", f"another witness runs on {root}")
    try:
        with expected():
            signer = _signer(root, name or f"{socket.gethostname()}/farthing-witness")
        made = Witness(root, signer, keys, lambda: int(time.time()))
        run(_serve(made, host, port, json=json))
    finally:
        os.close(held)


def _signer(root: Path, name: str) -> Signer:
    """Return the witness's key, made at its first start."""
    if not good_name(name):
        stop(f'{name!r} is no name to sign as: no spaces, no "+"', 2)
    store = Store(root)
    if store.read(KEY) is None:
        store.replace(KEY, new_secret())
    return Signer(name, secret_of(store.read(KEY) or b"", root / KEY), COSIGNATURE)


async def _serve(witness: Witness, host: str, port: int, *, json: bool) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    pages = WitnessServer(witness)
    try:
        server = await loop.create_server(lambda: ClientConnection(pages), host, port)
    except OSError as error:
        stop(f"cannot listen on {host}:{port}: {error.strerror}; choose another with --listen")
    port = server.sockets[0].getsockname()[1]
    key, address = str(witness.signer.verifier), f"http://{_shown(host)}:{port}"
    if json:
        print_json({"address": address, "key": key})
    else:
        print(key, flush=True)  # noqa: T201  (to be copied: never wrapped, never coloured)
        console.print(f"witnessing at {address}", soft_wrap=True)
    await ended.wait()
    server.close()
    await pages.close()


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
