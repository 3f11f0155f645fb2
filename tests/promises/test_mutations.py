"""The promises have tests that bite: each line that keeps one is taken out, and the tests go red.

Each mutation is made in a copy of the source, in which the tests named for it then run. It must
match its file exactly once, so that it cannot come to mean nothing when the code changes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import farthing

ROOT = Path(farthing.__file__).resolve().parent.parent.parent
TIMEOUT_SECONDS = 600


class Mutation(NamedTuple):
    """A line that keeps a promise, what it becomes, and the tests that must notice."""

    promise: str
    file: str
    line: str
    becomes: str
    tests: str


VAULT = "tests/vault"
STATE, SIMULATION = "tests/ledger/test_state.py", "tests/promises/test_simulated_ledger.py"

MUTATIONS = [
    Mutation(
        "the limit check",
        "ledger/account.py",
        "if posted + held + quantity > meter.amount and not meter.soft:",
        "if False:",
        f"{STATE} {SIMULATION}",
    ),
    Mutation(
        "what is held counts",
        "ledger/account.py",
        "if posted + held + quantity > meter.amount and not meter.soft:",
        "if posted + quantity > meter.amount and not meter.soft:",
        SIMULATION,
    ),
    Mutation(
        "prepaid credit is checked",
        "ledger/account.py",
        "(free := self.credit.free(now)) < wanted[0]",
        "(free := self.credit.free(now)) < 0",
        STATE,
    ),
    Mutation(
        "the fsync",
        "ledger/journal.py",
        "        self.disk.sync(self._file)\n        self.durable = position",
        "        self.durable = position",
        "tests/promises/test_simulated_disk.py",
    ),
    Mutation(
        "a record counts when it is on the disk",
        "ledger/commit.py",
        'self._power = durability == "power"',
        "self._power = False",
        "tests/ledger/test_commit.py",
    ),
    Mutation(
        "the unique id", "ledger/state.py", "if entry.id in self.seen:", "if False:", SIMULATION
    ),
    Mutation(
        "one ending",
        "ledger/state.py",
        "if self.holds.pop(query, None) is None:",
        "if self.holds.get(query) is None:",
        STATE,
    ),
    Mutation(
        "a key's limits are those of all it belongs to",
        "ledger/registry.py",
        'return Refusal("stale_path")',
        "return None",
        "tests/ledger/test_registry.py",
    ),
    Mutation(
        "an overrun trips its model",
        "ledger/state.py",
        "self.tripped[_served(hold)] = entry.at",
        "pass",
        STATE,
    ),
    Mutation(
        "the hold before the sending",
        "proxy/handle.py",
        "        await query.hold()\n",
        "        query.admitted = query._hold()\n",
        "tests/proxy/test_handle.py tests/promises/test_limit.py",
    ),
    Mutation(
        "the hold is durable before the sending",
        "proxy/query.py",
        "        told = await self._app.ledger.hold(hold)\n"
        "        if isinstance(told, Refusal) and told.code",
        "        self._app.ledger.hold(hold)\n        told = None\n"
        "        if isinstance(told, Refusal) and told.code",
        "tests/proxy/test_handle.py tests/promises/test_limit.py",
    ),
    Mutation(
        "the settlement in `finally`",
        "proxy/handle.py",
        "        finally:\n            outcome = query.end()\n",
        "        except ZeroDivisionError:\n            pass\n        outcome = query.end()\n",
        "tests/proxy/test_handle.py tests/proxy/test_query.py",
    ),
    Mutation(
        "nothing is sent while the ledger cannot answer",
        "ledger/client.py",
        "        if self._connection is None or not self.ready:\n            return ready(DOWN)\n",
        "        if self._connection is None or not self.ready:\n            return ready(None)\n",
        "tests/ledger/test_client.py",
    ),
    Mutation(
        "room is kept for every ending",
        "ledger/ledger.py",
        "needed += len(self.state.holds) * ENDING_MOST + ",
        "needed += ",
        "tests/ledger/test_ledger.py",
    ),
    Mutation(
        "a lost worker's queries stay held",
        "ledger/ledger.py",
        "self.end(Unresolved(at=clock.wall(), id=hold.id, reason=reason))",
        "self.end(Void(at=clock.wall(), id=hold.id, reason=reason))",
        "tests/ledger/test_server.py",
    ),
    Mutation(
        "a commitment's salt is on the disk before the ending",
        "vault/writer.py",
        "                self._disk.sync(segment.file)\n",
        "",
        VAULT,
    ),
    Mutation(
        "an ending waits for the vault",
        "vault/drafts.py",
        "        self._vault.put(_Job(size, finish.records, finish.done))\n",
        "        self._vault.put(_Job(size, finish.records))\n        finish.done(None)\n",
        VAULT,
    ),
    Mutation(
        "what the vault cannot take is not sent",
        "vault/drafts.py",
        "if not self.ready or not self.has_room(len(prompt)):",
        "if False:",
        VAULT,
    ),
    Mutation(
        "what is erased is overwritten",
        "vault/segment.py",
        "disk.write(file, bytes(frame.size - HEAD.size), frame.offset + HEAD.size)",
        "pass",
        VAULT,
    ),
    Mutation(
        "it is overwritten before it counts as erased",
        "vault/segment.py",
        "            disk.sync(file)\n            for frame in here:\n"
        "                disk.write(file, HEAD",
        "            for frame in here:\n                disk.write(file, HEAD",
        VAULT,
    ),
    Mutation(
        "an erasure is written down before it begins",
        "vault/erase.py",
        "        self._write(intent)\n        return self._carry_out(intent, begun=False)",
        "        return self._carry_out(intent, begun=False)",
        VAULT,
    ),
    Mutation(
        "an erasure is recorded after it was done",
        "vault/erase.py",
        "        segment.erase(self._disk, filter(goes, frames))\n"
        "        entries = list(intent.entries())\n"
        "        self._record([e for e in entries if not (begun and self._is_recorded(e))])\n",
        "        entries = list(intent.entries())\n"
        "        self._record([e for e in entries if not (begun and self._is_recorded(e))])\n"
        "        segment.erase(self._disk, filter(goes, frames))\n",
        VAULT,
    ),
    Mutation(
        "an erasure is recorded once",
        "vault/erase.py",
        "if not (begun and self._is_recorded(e))",
        "if e",
        VAULT,
    ),
    Mutation(
        "a record belongs to its query",
        "vault/writer.py",
        "decrypt(nonce, data, label + ledger.encode() + segment)",
        "decrypt(nonce, data, ledger.encode() + segment)",
        VAULT,
    ),
]


def status_of(folder: Path, tests: str) -> int:
    """Run tests on the source in a folder; return pytest's exit status."""
    environ = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests.split()]
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, check=False, timeout=TIMEOUT_SECONDS
    )
    assert done.returncode in (0, 1), done.stdout.decode()
    return done.returncode


def copied(folder: Path) -> Path:
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    return folder / "src"


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: m.promise)
def test_every_mutation_is_of_a_line_that_is_there(mutation: Mutation) -> None:
    text = (ROOT / "src/farthing" / mutation.file).read_text()
    assert text.count(mutation.line) == 1


@pytest.mark.soak
def test_unchanged_the_tests_pass(tmp_path: Path) -> None:
    tests = dict.fromkeys(name for m in MUTATIONS for name in m.tests.split())
    assert status_of(copied(tmp_path), " ".join(tests)) == 0


@pytest.mark.soak
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: m.promise)
def test_without_it_the_tests_go_red(tmp_path: Path, mutation: Mutation) -> None:
    source = copied(tmp_path)
    file = source / "farthing" / mutation.file
    file.write_text(file.read_text().replace(mutation.line, mutation.becomes))
    assert status_of(source, mutation.tests) == 1, f"nobody misses {mutation.promise}"
