"""Where a log's files are read from: its folder, or its address."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

from farthing.evidence.tiles import TILE_BYTES_MOST, Fetch

PATIENCE_SECONDS = 30.0


def source_of(where: str) -> Fetch:
    """Return what reads the files of a log at an http address or in a folder."""
    if where.startswith(("http://", "https://")):
        return lambda path: _get(f"{where.rstrip('/')}/{path}")
    return lambda path: (Path(where) / path).read_bytes()


def _get(url: str) -> bytes:
    """Read a file over HTTP.

    Raises:
        OSError: it cannot be read; FileNotFoundError, if there is none.
    """
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310
            data: bytes = answer.read(TILE_BYTES_MOST + 1)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 404:
            raise FileNotFoundError(f"there is no {url}") from None
        raise OSError(f"{url} answered {error.code}") from None
    if len(data) > TILE_BYTES_MOST:
        raise OSError(f"{url} is longer than any file of a log")
    return data
