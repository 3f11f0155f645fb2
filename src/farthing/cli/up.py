"""`farthing up` and `farthing serve`: start a gateway and keep it running."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
import uvloop

from farthing.cli.output import ConfigFile, Data, Json, data_folder, errors, print_json
from farthing.errors import ConfigError
from farthing.local.weights import MODEL
from farthing.paths import DataFolder, write_private
from farthing.runtime import log_as
from farthing.settings import Settings, load_settings
from farthing.settings.load import split_address
from farthing.supervisor import Gateway, GatewayOptions

Listen = Annotated[
    str | None, typer.Option(help="Address and port, instead of the settings'.", show_default=False)
]
Workers = Annotated[
    int | None,
    typer.Option(min=1, help="Worker processes, instead of the settings'.", show_default=False),
]


def up(
    data: Data = None,
    config: ConfigFile = None,
    listen: Listen = None,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """Start the gateway with the embedded model and a first key, ready to try."""
    _run(_options(data, config, listen, workers, local=True), json=json, first_key=True)


def serve(
    data: Data = None,
    config: ConfigFile = None,
    listen: Listen = None,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """Start the gateway as the settings say: no embedded model unless they do, no key made."""
    _run(_options(data, config, listen, workers, local=False), json=json, first_key=False)


def _options(
    data: Path | None, config: Path | None, listen: str | None, workers: int | None, *, local: bool
) -> GatewayOptions:
    folder = data_folder(data)
    try:
        settings, _ = load_settings(config, folder.root)
        if listen is not None:
            split_address(listen)
            settings = msgspec.structs.replace(settings, listen=listen)
    except (ConfigError, msgspec.ValidationError) as problem:
        _end(problem)
    if workers is not None:
        settings = msgspec.structs.replace(settings, workers=workers)
    return GatewayOptions(folder.root, settings, local_by_default=local)


def _run(options: GatewayOptions, *, json: bool, first_key: bool) -> None:
    try:
        log_as("supervisor")
        uvloop.run(_keep_up(options, json=json, first_key=first_key))
    except ConfigError as problem:
        _end(problem)


def _end(problem: Exception) -> None:
    errors.print(f"farthing: {problem}", soft_wrap=True, markup=False)
    raise typer.Exit(1) from None


async def _keep_up(options: GatewayOptions, *, json: bool, first_key: bool) -> None:
    """Start, say where, wait for a signal, stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    gateway = Gateway(options)
    if not json:
        errors.print("Starting …", style="dim")
    await gateway.start()
    try:
        fresh = await _first_key(gateway.data) if first_key else None
        if json:
            print_json(_told(gateway, fresh))
        else:
            _greet(gateway, fresh, first_key=first_key)
        await _until(stop, gateway)
        errors.print("Stopping: open queries may end …", style="dim")
    finally:
        await gateway.stop()


async def _until(stop: asyncio.Event, gateway: Gateway) -> None:
    """Wait for a signal.

    Raises:
        ConfigError: what follows the journal did not start.
    """
    assert gateway.behind is not None, "it has started"
    told = asyncio.create_task(stop.wait())
    await asyncio.wait({told, gateway.behind}, return_when=asyncio.FIRST_COMPLETED)
    if gateway.behind.done():
        gateway.behind.result()
    await told


async def _first_key(data: DataFolder) -> str | None:
    """Return the text of a key for the owner of this folder if one was made now, else None."""
    # `serve` makes none, and is not to wait for what makes one.
    from farthing.ledger import admin  # noqa: PLC0415
    from farthing.policy.keys import make_key  # noqa: PLC0415

    if data.first_key.exists():
        text = data.first_key.read_text().strip()
        known = (await admin.read_standing(data)).keys
        public = text.split("_")[1] if text.count("_") == 2 else ""
        if any(k.key.id == public and k.revoked_at is None for k in known):
            return None
    new = make_key("first", data.pepper(), admin.now(), admin.who())
    refusals = await admin.record(data, [new.entry])
    if refusals != [None]:
        raise ConfigError(f"the ledger did not take the first key: {refusals[0]}")
    write_private(data.first_key, new.text + "\n")
    return new.text


def _told(gateway: Gateway, fresh: str | None) -> dict[str, object]:
    return {
        "address": gateway.address,
        "data": str(gateway.data.root),
        "key": fresh,
        "key_file": str(gateway.data.first_key) if gateway.data.first_key.exists() else None,
        "models": _models(gateway.settings, gateway),
        "processes": gateway.process_ids(),
    }


def _models(settings: Settings, gateway: Gateway) -> list[str]:
    from farthing.providers import load_providers  # noqa: PLC0415  (it is imported by now)

    names = [f"local/{MODEL}"] if gateway.local is not None else []
    usable = [p.name for p in load_providers(settings, os.environ).values() if p.usable()]
    return [*names, *(f"{name}/…" for name in usable)]


def _program() -> str:
    """Return how to call this command: it need not be on the PATH."""
    called = sys.argv[0]
    return called if Path(called).name == "farthing" else "farthing"


def _greet(gateway: Gateway, fresh: str | None, *, first_key: bool) -> None:
    """Print where the gateway is, the key, and a line to try; each line can be copied whole."""
    serves = ", ".join(_models(gateway.settings, gateway)) or "no provider yet: farthing doctor"
    lines = [f"farthing is up    {gateway.address}", f"data              {gateway.data.root}"]
    lines.append(f"models            {serves}")
    if not first_key:
        print("\n".join(lines), flush=True)  # noqa: T201
        return
    path = gateway.data.first_key
    if fresh is not None:
        lines.append(f"key               {fresh}   (kept in {path})")
    else:
        lines.append(f"key               the one in {path}")
    bearer = fresh or f"$(cat '{path}')"
    model = MODEL if gateway.local is not None else "MODEL"
    body = (
        f'{{"model": "{model}", "messages": [{{"role": "user", "content": '
        f'"What is a farthing?"}}], "max_tokens": 60}}'
    )
    lines += [
        "",
        "Try it:",
        f'curl -i {gateway.address}/v1/chat/completions -H "Authorization: Bearer {bearer}" '
        f"-H 'Content-Type: application/json' -d '{body}'",
        "",
        f"Then, in another terminal: {_program()} log          Stop with Ctrl-C.",
    ]
    print("\n".join(lines), flush=True)  # noqa: T201
