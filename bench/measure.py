"""Measuring on a machine of few cores: who used how much of which one, and for how long."""

from __future__ import annotations

import contextlib
import datetime
import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import msgspec

HERE = Path(__file__).resolve().parent
BUILD = HERE / "build"
PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")

# A process tree that uses less of a core than this has nothing left to do. A gateway at rest
# looks at its journal five times a second, which costs about a hundredth.
QUIET_SHARE, QUIET_SECONDS, QUIET_PATIENCE = 0.06, 0.5, 120.0

# File systems in memory, on which a sync does nothing.
IN_MEMORY = ("tmpfs", "ramfs")


class BenchError(Exception):
    """The comparison cannot be made, or its numbers would be wrong."""


class Result(msgspec.Struct):
    """What the rig prints; all but `completed` and the latencies counts the warm-up too."""

    completed: int
    per_second: float
    events: int
    """All events of streams that came, the warm-up's as well."""
    events_per_second: float
    p50_us: float
    p99_us: float
    max_us: float
    delay_p50_us: float
    """How long events of paced streams were under way, from the rig to the rig."""
    delay_p99_us: float
    delay_max_us: float
    stalled: int
    """Writes of such events that had to wait for room; their delays are told too low."""
    sent: int
    answered: int
    non_2xx: int
    broken: int
    wrong_size: int
    """Answers whose body lacked a word of the rig's, or was not as long if nothing rewrites it."""
    unanswered: int
    idle: float
    """The share of the time in which the rig had nothing to do; near 0, it was the limit."""
    on_core: float
    """The share of the time in which it had its core to itself."""
    input_tokens: int
    output_tokens: int


# -- cores and processes ------------------------------------------------------------------------


@contextlib.contextmanager
def pinned(*cores: int) -> Iterator[None]:
    """Let whatever is started inside run on some cores only, its children too."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def tree(root: int) -> list[int]:
    """Return a process and all its descendants."""
    found = [root]
    for parent in found:  # grows while it is walked
        with contextlib.suppress(OSError):
            for task in (PROC / str(parent) / "task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


def cpu_ns(processes: list[int]) -> int:
    """Return the CPU time that processes have used, the sum over their threads."""
    total = 0
    for process in processes:
        for task in (PROC / str(process) / "task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total


def resident_mb(process: int) -> float:
    """Return a process's resident memory, in megabytes."""
    pages = int((PROC / str(process) / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def proportional_mb(process: int) -> float:
    """Return a process's memory, in megabytes, where what it shares counts by its share."""
    for line in (PROC / str(process) / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise BenchError(f"the system does not say what process {process} shares")


def busy_seconds(core: int) -> float:
    """Return how long a core has worked since the machine began, for us or for others."""
    for line in (PROC / "stat").read_text().splitlines():
        name, *ticks = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _waiting, hard, soft, stolen = map(int, ticks[:8])
            return (user + nice + system + hard + soft + stolen) / TICKS
    raise BenchError(f"the machine has no core {core}; choose others with --cores")


def wait_until_quiet(processes: list[int]) -> float:
    """Wait until processes have nothing left to do; return after how many seconds they had not.

    Raises:
        BenchError: they do not come to rest.
    """
    began = time.monotonic()
    while (since := time.monotonic() - began) < QUIET_PATIENCE:
        before = cpu_ns(processes)
        time.sleep(QUIET_SECONDS)
        if cpu_ns(processes) - before < QUIET_SHARE * QUIET_SECONDS * 1e9:
            return since
    raise BenchError(f"processes {processes} are still busy after {QUIET_PATIENCE:g} seconds")


# -- the rig ------------------------------------------------------------------------------------


def build_rig() -> bool:
    """Compile the rig if its source is newer than it; return whether it speaks TLS."""
    BUILD.mkdir(exist_ok=True)
    compiler = os.environ.get("CC", "cc")
    has_tls = _compiles(compiler, "#include <openssl/ssl.h>")
    rig = BUILD / "rig"
    sources = [HERE / "rig.c", *HERE.glob("*.h")]
    if rig.exists() and all(s.stat().st_mtime < rig.stat().st_mtime for s in sources):
        return has_tls
    command = [compiler, "-std=c11", "-O2", "-Wall", "-Wextra", str(sources[0]), "-o", str(rig)]
    command += ["-lm", *(["-DTLS", "-lssl", "-lcrypto"] if has_tls else [])]
    try:
        subprocess.run(command, check=True)
    except subprocess.CalledProcessError:
        raise BenchError("the rig does not compile") from None
    return has_tls


def _compiles(compiler: str, source: str) -> bool:
    command = [compiler, "-E", "-x", "c", "-", "-o", os.devnull]
    try:
        ran = subprocess.run(command, input=source.encode(), capture_output=True, check=False)
    except FileNotFoundError:
        raise BenchError(f"no C compiler `{compiler}`: apt-get install gcc libc6-dev") from None
    return ran.returncode == 0


def start_rig(arguments: list[str], *cores: int) -> subprocess.Popen[bytes]:
    """Start the rig on its core, or on some that it shares with others."""
    with pinned(*cores):
        return subprocess.Popen(
            [str(BUILD / "rig"), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )


def run_rig(arguments: list[str], seconds: float, *cores: int) -> Result:
    """Run the rig on its core and return what it counted."""
    process = start_rig([*arguments, "--seconds", str(seconds)], *cores)
    try:
        out, err = process.communicate(timeout=seconds + 60)
    except subprocess.TimeoutExpired:
        raise BenchError("the rig did not end") from None
    finally:
        process.kill()
        process.wait()
    if process.returncode:
        raise BenchError(err.decode().strip() or f"the rig ended with {process.returncode}")
    return msgspec.json.decode(out, type=Result)


# -- the machine --------------------------------------------------------------------------------


def machine(folder: Path) -> dict[str, str]:
    """Return what the numbers were measured on."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    libraries = ("uvloop", "httptools", "msgspec", "sqlalchemy")
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{_processor()}, {os.cpu_count()} cores",
        "kernel": f"{platform.system()} {platform.release()}",
        "python": ", ".join([python, *(f"{n} {metadata.version(n)}" for n in libraries)]),
        "disk": f"{file_system(folder)[0]}; write and fdatasync of 4 kB: {sync_us(folder):.0f} µs",
    }


def _processor() -> str:
    for line in (PROC / "cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def file_system(folder: Path) -> tuple[str, str]:
    """Return the type and the mount point of the file system that a folder is on."""
    best, kind = Path("/"), "unknown"
    for line in (PROC / "self/mounts").read_text().splitlines():
        _, mount, found, *_ = line.split()
        point = Path(mount.encode().decode("unicode_escape"))
        if folder.resolve().is_relative_to(point) and len(point.parts) >= len(best.parts):
            best, kind = point, found
    return kind, str(best)


def check_disk(folder: Path) -> None:
    """Refuse a folder in memory: a sync there costs nothing and proves nothing.

    Raises:
        BenchError: it is one.
    """
    kind, point = file_system(folder)
    if kind in IN_MEMORY:
        raise BenchError(
            f"{folder} is in memory ({kind} at {point}), where nothing is synced to a disk; "
            "choose a folder on a disk with --folder"
        )


def sync_us(folder: Path, times: int = 100) -> float:
    """Return the median time of a write of 4 kB and its fdatasync, in microseconds."""
    took = []
    with tempfile.TemporaryFile(dir=folder) as file:
        os.posix_fallocate(file.fileno(), 0, 4096 * times)
        for number in range(times):
            began = time.perf_counter()
            os.pwrite(file.fileno(), b"." * 4096, 4096 * number)
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    return statistics.median(took) * 1e6
