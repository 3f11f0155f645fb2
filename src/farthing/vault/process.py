"""The vault's process: erases what policy says is over, beside the gateway and behind its back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path

import uvloop

from farthing import clock
from farthing.errors import ConfigError
from farthing.ledger import admin
from farthing.ledger.entry import Entry
from farthing.ledger.reported import Erasure
from farthing.paths import DataFolder
from farthing.runtime import Runtime, give_way, log_as, read_told, say_ready, stop_event
from farthing.settings import ContentsRule
from farthing.vault.erase import Eraser
from farthing.vault.rules import Rules
from farthing.vault.sweep import sweep

log = logging.getLogger("farthing")

EVERY_SECONDS = 3600.0
AGAIN_SECONDS = 30.0


def eraser_of(data: DataFolder) -> Eraser:
    """Return what erases in a data folder's vault, and records it there.

    Raises:
        ConfigError: the ledger does not take an entry, when it is recorded.
    """

    def record(entries: list[Erasure]) -> None:
        wanted: list[Entry] = [*entries]
        refusals = asyncio.run(admin.record(data, wanted)) if wanted else []
        refused = next((refusal for refusal in refusals if refusal is not None), None)
        if refused is not None:
            raise ConfigError(
                f"what was erased could not be recorded yet ({refused.code}); it will be, when the "
                "ledger takes it"
            )

    data.vault.mkdir(exist_ok=True, mode=0o700)
    return Eraser(data.vault, data.journal, record)


class Sweeping:
    """Sweeps a data folder's vault in turns, whatever happens."""

    def __init__(self, data: DataFolder, rules: Rules) -> None:
        self._data = data
        self._rules = rules
        self._eraser = eraser_of(data)

    def turn(self) -> float:
        """Sweep; return how many seconds to wait before the next turn."""
        try:
            count = sweep(self._data.vault, self._rules, self._eraser, clock.wall())
        except (OSError, ConfigError) as problem:
            log.error("the vault could not be swept (%s); trying again", problem)
            return AGAIN_SECONDS
        if count:
            log.info("contents and salts of %d queries were erased: their time was over", count)
        return EVERY_SECONDS


async def unmade(data: DataFolder, rules: list[ContentsRule]) -> list[str]:
    """Return the scopes of rules that nothing belongs to, as they were never made.

    Raises:
        ConfigError: the ledger does not answer.
    """
    told = await admin.read_standing(data)
    made = told.parents.keys() | {f"key:{known.key.id}" for known in told.keys}
    return [rule.scope for rule in rules if rule.scope and rule.scope not in made]


async def _serve(runtime: Runtime) -> None:
    stop = stop_event()
    data, rules = DataFolder(Path(runtime.data)), runtime.settings.contents
    sweeping = Sweeping(data, Rules(rules))
    say_ready()
    with contextlib.suppress(ConfigError):
        for scope in await unmade(data, rules):
            log.warning("[[contents]] has a rule for %s, which is not there: it is nobody's", scope)
    while not stop.is_set():
        seconds = await asyncio.to_thread(sweeping.turn)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)


def main() -> None:
    """Run it as a process of its own."""
    runtime = read_told(Runtime)
    log_as(runtime.name)
    give_way()
    uvloop.run(_serve(runtime))


if __name__ == "__main__":
    main()
