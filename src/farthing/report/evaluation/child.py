"""The process that runs the framework: one task, one model, no way to a model but the gateway.

It is a process of its own because the framework is heavy, because a task is somebody's program, and
because what it must not see (other keys, other addresses) is then simply not there.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from farthing.errors import ConfigError
from farthing.providers.clients import INSPECT_MODEL, pointed_at
from farthing.report.evaluation.log import read
from farthing.report.evaluation.samples import digest
from farthing.report.evaluation.told import Began, Broke, Said, Sampled, Told, encode

Say = Callable[[Said], None]

# The framework would try for ever what the gateway or a provider puts off.
TRIES_AGAIN = 5


def main() -> None:
    """Run what the first line of standard input says; tell of it on standard output."""
    told = msgspec.json.decode(sys.stdin.buffer.readline(), type=Told)
    say = _own_output()
    threading.Thread(target=_stop_with, args=(sys.stdin.fileno(),), daemon=True).start()
    os.environ.update(pointed_at(told.address, told.key))
    try:
        _run(told, say)
    except KeyboardInterrupt:
        say(Broke("cancelled"))
    except Exception as problem:  # noqa: BLE001  (a task is somebody's program: anything may come)
        say(Broke(f"{type(problem).__name__}: {problem}"))


def _run(told: Told, say: Say) -> None:
    from inspect_ai import eval as evaluate  # noqa: PLC0415  (takes seconds)
    from inspect_ai.model import get_model  # noqa: PLC0415

    task = _task(told)
    epochs = told.epochs or task.epochs or 1
    samples = list(task.dataset)[: told.limit]
    ids = [number if s.id is None else s.id for number, s in enumerate(samples, 1)]
    say(Began(task.name, str(task.version), digest(samples, ids), len(samples), epochs))
    headers = {"farthing-tags": told.tag}
    model = get_model(
        INSPECT_MODEL.format(told.model), max_retries=0, default_headers=headers, memoize=False
    )
    with _progress(say), suppress(KeyboardInterrupt):
        evaluate(
            task,
            model=model,
            limit=told.limit,
            epochs=told.epochs,
            display="none",
            log_dir=told.folder,
            log_format="eval",
            log_level="error",
            log_realtime=False,
            ctl_server=False,
            score_display=False,
            # What fails is told with the rest, which is asked all the same.
            fail_on_error=False,
            max_retries=TRIES_AGAIN,
            max_connections=told.at_once,
            max_samples=told.at_once,
            max_tokens=told.max_tokens,
        )
    log = _log(told.folder)
    if log.eval.dataset.sample_ids != ids:
        raise ConfigError("the framework asked other samples than the data set has; no figures")
    say(read(log))


def _log(folder: str) -> Any:
    """Return the log on the disk, whose digest is recorded, however the run ended."""
    from inspect_ai.log import read_eval_log  # noqa: PLC0415

    paths = sorted(Path(folder).glob("*.eval"))
    if not paths:
        raise ConfigError("cancelled before the framework began its log")
    return read_eval_log(str(paths[-1]))


def _task(told: Told) -> Any:
    """Return the one task that is meant."""
    from inspect_ai._eval.loader import load_tasks  # noqa: PLC0415  (as its own command does)

    file, at, name = told.task.partition("@")
    os.chdir(Path(file).parent)  # it takes no other paths, and a task's files are beside it
    tasks = load_tasks([Path(file).name + at + name], _arguments(told.arguments))
    if len(tasks) == 1:
        return tasks[0]
    names = ", ".join(f"{told.task}@{task.name}" for task in tasks)
    raise ConfigError(f"say which task: {names}" if tasks else f"{told.task} has no such task")


def _arguments(written: dict[str, str]) -> dict[str, Any]:
    """Return a task's arguments, read as YAML, as Inspect does."""
    import yaml  # noqa: PLC0415  (comes with the framework)

    return {name: yaml.safe_load(text) for name, text in written.items()}


@contextmanager
def _progress(say: Say) -> Iterator[None]:
    """Tell of each sample when it ends."""
    from inspect_ai.hooks import Hooks, SampleEnd, hooks  # noqa: PLC0415

    @hooks(name="farthing_progress", description="Tells farthing of samples that ended.")
    class Progress(Hooks):
        async def on_sample_end(self, data: SampleEnd) -> None:
            say(Sampled(data.sample.error is None))

    yield


def _own_output() -> Say:
    """Return what writes to standard output; what a task prints goes to standard error."""
    output = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def say(what: Said) -> None:
        output.write(encode(what) + b"\n")

    return say


def _stop_with(lifeline: int) -> None:
    """Interrupt this process when nobody holds the other end of its standard input any more."""
    while os.read(lifeline, 4096):
        pass
    os.kill(os.getpid(), signal.SIGINT)


if __name__ == "__main__":
    main()
