"""The transparency log over HTTP: its files, and receipts made from them.

Files are read and proofs made in a thread, so that no query waits for a disk.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING

from farthing.errors import Malformed, Refused
from farthing.evidence.tiles import ENTRIES, Tile

if TYPE_CHECKING:
    from farthing.evidence.receipt import Receipt

LOG = b"/log/"
RECEIPT = "/receipt"
CHECKPOINTS = ("checkpoint", "cosigned")
"""The latest, and the last one that a witness has cosigned."""
# What a time stamp is of, and the stamp, with the type that RFC 3161, section 3.4, has for it.
STAMP = re.compile(r"timestamps/[1-9][0-9]{0,17}\.(tsr|checkpoint)")
STAMP_TYPES = {
    "tsr": b"content-type: application/timestamp-reply\r\n",
    "checkpoint": b"content-type: text/plain; charset=utf-8\r\n",
}

# A checkpoint comes every second or so; a receipt waits for the one that covers it.
PATIENCE_SECONDS = 5.0
LOOK_AGAIN_SECONDS = 0.1

TEXT = b"content-type: text/plain; charset=utf-8\r\n"
BYTES = b"content-type: application/octet-stream\r\n"
# c2sp.org/tlog-tiles: a checkpoint is cached for seconds at most, a tile for ever.
FRESH = b"cache-control: no-cache\r\n"
FOREVER = b"cache-control: public, max-age=31536000, immutable\r\n"

Page = tuple[bytes, bytes]
"""Lines of headers, and a body."""


class LogPages:
    """What is served of a log's folder; None where the gateway keeps no log."""

    def __init__(self, folder: Path | None, *, entries: bool) -> None:
        self._folder = folder
        self._entries = entries

    async def file(self, name: bytes) -> Page:
        """Return a file of the log.

        Raises:
            Malformed: there is none of that name that is served.
        """
        path = name.decode("latin-1")
        tile = None if path in CHECKPOINTS else Tile.of(path)
        stamp = STAMP.fullmatch(path)
        if path not in CHECKPOINTS and tile is None and stamp is None:
            raise _missing(path)
        if tile is not None and tile.level == ENTRIES and not self._entries:
            raise Malformed(
                "not_found",
                "This gateway does not serve the entries of its log; its operator can, with "
                "log_entries = true in farthing.toml.",
            )
        try:
            data = await asyncio.to_thread(self._read, path)
        except FileNotFoundError:
            raise _missing(path) from None
        if stamp is not None:
            return STAMP_TYPES[stamp[1]] + FOREVER, data
        return (TEXT + FRESH if tile is None else BYTES + FOREVER), data

    def _read(self, path: str) -> bytes:
        if self._folder is None:
            raise FileNotFoundError
        return (self._folder / path).read_bytes()

    async def receipt(self, query: str, position: int | None, question: bytes = b"") -> Page:
        """Return the receipt of the query whose last ending is the journal's entry at a position.

        `entry=NUMBER` asks for an earlier ending of it, as which its cost was not known yet.

        Raises:
            Malformed: it has not ended, or that entry is no ending of it.
            Refused: no checkpoint covers it yet.
        """
        if position is None or self._folder is None:
            raise Malformed("no_receipt", f"There is no receipt of {query!r}: it has not ended.")
        if question:
            position = _asked_entry(question, position)
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE_SECONDS
        while True:
            receipt = await asyncio.to_thread(_receipt_at, self._folder, position)
            if receipt is not None:
                if question and receipt.query != query:
                    raise Malformed("no_receipt", f"That entry is no ending of {query!r}.")
                name = b'content-disposition: attachment; filename="%s.tlog-proof"\r\n'
                return TEXT + name % query.encode(), receipt.encode()
            if loop.time() >= until:
                raise Refused(
                    "not_logged_yet",
                    f"The log has not come to {query!r} yet; try again shortly.",
                    retry_after=5,
                )
            await asyncio.sleep(LOOK_AGAIN_SECONDS)


def _receipt_at(folder: Path, position: int) -> Receipt | None:
    # Signatures take long to import, and most workers are never asked for one.
    from farthing.evidence.receipt import receipt_at  # noqa: PLC0415

    return receipt_at(folder, position)


def _asked_entry(question: bytes, last: int) -> int:
    """Return the entry that is asked for; no ending of a query comes behind its last."""
    name, _, number = question.partition(b"=")
    if name != b"entry" or not number.isdigit() or len(number) > 18 or int(number) > last:
        raise Malformed("no_receipt", "Ask for entry=NUMBER, of an earlier ending of the query.")
    return int(number)


def _missing(path: str) -> Malformed:
    return Malformed("not_found", f"There is no {path!r} in the log.")
