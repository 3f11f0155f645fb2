"""Where a log's files are read from."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from farthing.evidence import source
from farthing.evidence.source import source_of


class Files(BaseHTTPRequestHandler):
    """Serves one file, and a path that is broken."""

    def do_GET(self) -> None:
        found = {"/log/checkpoint": (200, b"here"), "/log/broken": (500, b"")}
        status, body = found.get(self.path, (404, b""))
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Files) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/log"
        server.shutdown()
        thread.join()


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_bytes(b"here")
    assert source_of(str(tmp_path))("checkpoint") == b"here"
    with pytest.raises(FileNotFoundError):
        source_of(str(tmp_path))("tile/0/000")


@pytest.mark.parametrize("end", ["", "/"])
def test_an_address(address: str, end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch = source_of(address + end)
    assert fetch("checkpoint") == b"here"
    with pytest.raises(FileNotFoundError, match="there is no http"):
        fetch("tile/0/000")
    with pytest.raises(OSError, match="answered 500"):
        fetch("broken")
    monkeypatch.setattr(source, "TILE_BYTES_MOST", 3)
    with pytest.raises(OSError, match="longer than any file"):
        fetch("checkpoint")
