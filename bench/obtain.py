"""Getting the programs that are compared: what is missing is installed where that may be done.

Debian's packages are installed as the system's; the others go below bench/build, and nothing
outside of it is touched. What cannot be had is left out of the comparison, with a word.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from bench.measure import BUILD, HERE

PEERS = HERE / "peers"


def find_program(name: str, *packages: str) -> Path | None:
    """Return a program's path; the first of its Debian packages that can be is installed."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    found = shutil.which(name, path=path)
    if found is None and os.getuid() == 0 and shutil.which("apt-get"):
        any(
            _ran(["apt-get", "install", "-y", "-q", "--no-install-recommends", package])
            for package in packages
        )
        found = shutil.which(name, path=path)
    return Path(found) if found else None


def find_in_environment(name: str, program: str) -> Path | None:
    """Return a program of a Python environment of its own, made from peers/NAME.in."""
    folder, wanted = BUILD / name, PEERS / f"{name}.in"
    if not _has(folder, wanted):
        shutil.rmtree(folder, ignore_errors=True)
        pip = [str(folder / "bin/python"), "-m", "pip", "--disable-pip-version-check", "install"]
        pip += ["--quiet", "--retries", "1", "--timeout", "20", "--only-binary", ":all:"]
        if not (
            _ran([sys.executable, "-m", "venv", str(folder)]) and _ran([*pip, "-r", str(wanted)])
        ):
            return None
        _mark(folder, wanted)
    [site] = folder.glob("lib/python*/site-packages")
    found = [path for path in (folder / "bin" / program, site / program) if path.exists()]
    return found[0] if found else None


def find_in_node(name: str) -> Path | None:
    """Return the folder that Node packages were installed in, as peers/package.json says."""
    folder, wanted = BUILD / name, PEERS / "package.json"
    if not shutil.which("node") or not shutil.which("npm"):
        return None
    if not _has(folder, wanted):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        shutil.copy(wanted, folder)
        # Its packages run nothing while they are installed.
        command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"]
        if not _ran([*command, "--fetch-retries=1"], folder):
            return None
        _mark(folder, wanted)
    return folder


def _has(folder: Path, wanted: Path) -> bool:
    """Tell whether a folder holds what is wanted now."""
    mark = folder / "wanted"
    return mark.exists() and mark.read_text() == wanted.read_text()


def _mark(folder: Path, wanted: Path) -> None:
    (folder / "wanted").write_text(wanted.read_text())


def _ran(command: list[str], folder: Path | None = None) -> bool:
    ran = subprocess.run(
        command, check=False, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return ran.returncode == 0
