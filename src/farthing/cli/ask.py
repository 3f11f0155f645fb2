"""`farthing ask`: one question through the gateway, streamed, with its cost."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import msgspec
import typer

from farthing import clock
from farthing.cli.output import Data, Json, console, data_folder, errors, print_json, run, stop
from farthing.errors import ConfigError
from farthing.local.weights import MODEL
from farthing.paths import DataFolder
from farthing.providers import Provider
from farthing.proxy.gather import Gathered
from farthing.proxy.http import message, request_head
from farthing.proxy.pool import UpstreamPool, own_pool
from farthing.settings import HttpSettings
from farthing.wire import sse


def ask(
    question: Annotated[str, typer.Argument(help="What to ask; - for standard input.")],
    model: Annotated[str, typer.Option("--model", "-m", help="Which model.")] = MODEL,
    max_tokens: Annotated[
        int | None, typer.Option(min=1, show_default=False, help="The most output tokens.")
    ] = None,
    max_cost: Annotated[
        str | None,
        typer.Option(metavar="DOLLARS", show_default=False, help="The most it may cost."),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            envvar="FARTHING_URL",
            show_default=False,
            help="The gateway. [default: the one running on the data folder]",
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            envvar="FARTHING_KEY",
            show_default=False,
            help="The key. [default: the first key in the data folder]",
        ),
    ] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Ask one question through the gateway; the answer as it comes, then what it cost."""
    folder = data_folder(data)
    text = sys.stdin.read() if question == "-" else question
    asked: dict[str, Any] = {
        "model": model,
        "stream": True,
        "messages": [{"role": "user", "content": text}],
    }
    if max_tokens is not None:
        asked["max_tokens"] = max_tokens
    run(_ask(_gateway(folder, url, key), msgspec.json.encode(asked), max_cost, json=json))


def _gateway(folder: DataFolder, url: str | None, key: str | None) -> Provider:
    """Return the gateway as something to connect to."""
    if url is None:
        if not folder.address.exists():
            stop(f"no gateway runs on {folder.root}; start one with `farthing up`")
        url = folder.address.read_text().strip()
    if key is None:
        if not folder.first_key.exists():
            stop("give a key with --key or FARTHING_KEY; `farthing keys create` makes one")
        key = folder.first_key.read_text().strip()
    return Provider(url, {}, name="the gateway", key=key, allow_private_address=True)


async def _ask(gateway: Provider, body: bytes, max_cost: str | None, *, json: bool) -> None:
    head = request_head(gateway, "POST", "/v1/chat/completions")
    if max_cost is not None:
        head += b"farthing-max-cost-usd: %s\r\n" % max_cost.removeprefix("$").encode()
    printer = _Printer(quiet=json)
    began = clock.monotonic()
    async with own_pool(HttpSettings()) as pool:
        answer = await _send(pool, gateway, head, body, printer)
        _served(answer)
        query = answer.arrived.result().own[b"farthing-request-id"].decode()
        found = await _send(
            pool, gateway, request_head(gateway, "GET", f"/v1/queries/{query}"), b""
        )
        record = _served(found)
    if json:
        print_json({"answer": printer.text, "query": record})
    else:
        _print_cost(record, (clock.monotonic() - began) / clock.SECOND)


def _served(answer: Gathered) -> Any:
    """Return what an answer says, if it is not an error and one JSON value."""
    status = answer.arrived.result().status
    try:
        told = msgspec.json.decode(bytes(answer.content))
    except msgspec.DecodeError:
        told = None
    if status != 200:
        said = told["error"]["message"] if told else "the answer is not a gateway's"
        raise ConfigError(f"{said} (HTTP {status})")
    return told


def _print_cost(record: dict[str, Any], seconds: float) -> None:
    usage = record["usage"] or {"input": "?", "cache_read": 0, "output": "?"}
    tokens = f"{usage['input']}+{usage['cache_read']} in, {usage['output']} out"
    cost = f"${record['cost_usd']}" if record["cost_usd"] else f"at most ${record['held_usd']}"
    line = f"{record['model']}  {cost}  {tokens} tokens  {seconds:.2f} s  {record['id']}"
    console.print()
    console.print(line, style="dim", soft_wrap=True)


async def _send(
    pool: UpstreamPool, gateway: Provider, head: bytes, body: bytes, printer: _Printer | None = None
) -> Gathered:
    connection = await pool.connect(gateway).in_task()
    answer = Gathered(printer.take if printer is not None else None)
    connection.send(message(head, body), answer)
    await answer.finished.in_task()
    return answer


class _Printer:
    """Prints the text of a stream's events as they come."""

    def __init__(self, *, quiet: bool) -> None:
        self.text = ""
        self._quiet = quiet
        self._carry = b""

    def take(self, piece: bytes) -> None:
        """Take a piece of the stream."""
        block = self._carry + piece
        whole = sse.complete_length(block)
        self._carry = block[whole:]
        for event in sse.events(block[:whole]):
            data = sse.data(event)
            if not data.startswith(b"{"):
                continue
            chunk = msgspec.json.decode(data)
            if "error" in chunk:
                errors.print(f"\n{chunk['error']['message']}", style="red", markup=False)
            for choice in chunk.get("choices") or ():
                self._say(choice["delta"].get("content") or "")

    def _say(self, text: str) -> None:
        self.text += text
        if not self._quiet:
            sys.stdout.write(text)
            sys.stdout.flush()
