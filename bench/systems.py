"""The systems that farthing is compared with: no gateway at all, and nginx."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from bench.measure import BenchError, Result, cpu_ns, pinned, resident_mb, tree

START_SECONDS, STOP_SECONDS = 10.0, 60.0
# The headers that OpenAI's client library sends beside the rig's own.
CLIENT_HEADERS = (
    "Accept-Encoding: identity",
    "X-Stainless-Lang: python",
    "X-Stainless-Package-Version: 2.6.1",
    "X-Stainless-OS: Linux",
    "X-Stainless-Runtime: CPython",
)

NGINX_CONFIG = """\
{user}worker_processes 1;
daemon off;
error_log {folder}/error.log warn;
pid {folder}/nginx.pid;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_buffer_size 256k;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream provider {{
        server 127.0.0.1:{mock};
        keepalive 1024;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://provider;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}
}}
"""


class System:
    """Something a query passes through. As it is, nothing: the rig asks itself."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = 0
        self.version = ""
        self.headers: tuple[str, ...] = CLIENT_HEADERS
        self.process: subprocess.Popen[bytes] | None = None
        self.worker: list[int] = []

    def start(self) -> None:
        """Start it; afterwards it serves."""

    def stop(self) -> None:
        """Stop it and everything it has started, whatever has happened."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGCONT)
            self.process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def pause(self) -> None:
        """Keep it from using the core while others are measured."""

    def resume(self) -> None:
        """Let it go on."""

    def settle(self, result: Result) -> float:
        """Wait until all work of a run is done, check it; return the seconds it took."""
        check_answers(self.name, result)
        return 0.0

    def cpu(self) -> tuple[int, int]:
        """Return the CPU time used so far: by what serves queries, and by the rest of it."""
        if self.process is None:
            return 0, 0
        worker = cpu_ns(self.worker)
        return worker, cpu_ns(tree(self.process.pid)) - worker

    def resident(self) -> float:
        """Return the resident memory of what serves queries, in megabytes."""
        return sum(map(resident_mb, self.worker))


class Nginx(System):
    """A plain reverse proxy: the least that a gateway in between can cost."""

    def __init__(self, program: str, folder: Path, mock: int, core: int) -> None:
        super().__init__("nginx")
        self.version = _nginx_version(program)
        self._program = program
        self._folder = folder / "nginx"
        self._mock = mock
        self._core = core

    def start(self) -> None:
        """Start it with a configuration of its own."""
        self._folder.mkdir()
        self.port = free_port()
        config = self._folder / "nginx.conf"
        user = "user root;\n" if os.getuid() == 0 else ""
        config.write_text(
            NGINX_CONFIG.format(user=user, folder=self._folder, mock=self._mock, port=self.port)
        )
        with pinned(self._core), (self._folder / "output").open("wb") as output:
            self.process = subprocess.Popen(
                [self._program, "-p", str(self._folder), "-c", str(config)],
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._wait()
        self.worker = tree(self.process.pid)[1:]

    def _wait(self) -> None:
        assert self.process is not None
        until = time.monotonic() + START_SECONDS
        while self.process.poll() is None and time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.05)
        raise BenchError(f"nginx did not start: {(self._folder / 'output').read_text().strip()}")


def check_answers(name: str, result: Result) -> None:
    """Let no bad answer pass for a fast one.

    Raises:
        BenchError: a query was not answered, or not well.
    """
    fields = ("non_2xx", "broken", "wrong_size", "unanswered")
    bad = {field: getattr(result, field) for field in fields if getattr(result, field)}
    if bad or result.answered != result.sent:
        counted = ", ".join(f"{number} {field}" for field, number in bad.items())
        raise BenchError(
            f"{name}: of {result.sent} queries {result.answered} were served: {counted}"
        )


def find_nginx() -> str | None:
    """Return nginx's path; installed if it is missing and that can be done here."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    found = shutil.which("nginx", path=path)
    if found is None and os.getuid() == 0 and shutil.which("apt-get"):
        for package in ("nginx-light", "nginx"):
            command = ["apt-get", "install", "-y", "-q", package]
            if subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode == 0:
                break
        found = shutil.which("nginx", path=path)
    return found


def free_port() -> int:
    """Return a loopback port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _nginx_version(program: str) -> str:
    told = subprocess.run([program, "-v"], capture_output=True, check=False).stderr.decode()
    return told.strip().rpartition("/")[2]
