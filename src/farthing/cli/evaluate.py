"""`farthing eval`: run an Inspect task through the gateway, and record the result."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from farthing.cli.amounts import dollars
from farthing.cli.evals import presented, print_table
from farthing.cli.output import (
    Data,
    Json,
    data_folder,
    errors,
    examples,
    expected,
    print_json,
    stop,
)
from farthing.ledger.evaluation import COMPLETE, Evaluation
from farthing.local.weights import MODEL
from farthing.report.evaluation.run import Asked, Run
from farthing.report.evaluation.told import Began, Said, Sampled

# Without a limit several samples are asked at once. With one they are asked one by one: what is
# held for an open query is not there for the next, which would be refused though it can be paid.
AT_ONCE = 4

EPILOG = examples(
    "eval examples/arithmetic.py",
    "eval examples/arithmetic.py --model fast --limit 20 --max-cost 0.05 -T digits=2",
    "eval tasks.py@facts --model fast --model local/smollm2-135m-instruct --epochs 3",
)


Task = Annotated[str, typer.Argument(metavar="TASK.py[@NAME]", help="The task's file.")]
Models = Annotated[
    list[str] | None,
    typer.Option("--model", "-m", help="A model or a route; say it again for another."),
]
SampleLimit = Annotated[
    int | None, typer.Option(min=1, show_default=False, help="Only its first samples.")
]
Epochs = Annotated[
    int | None, typer.Option(min=1, show_default=False, help="Ask each sample so often.")
]
MaxCost = Annotated[
    str | None,
    typer.Option(
        metavar="DOLLARS",
        show_default=False,
        help="The most that one model's queries may cost together: a hard limit.",
    ),
]
Arguments = Annotated[
    list[str] | None,
    typer.Option("-T", metavar="NAME=VALUE", help="An argument of the task's own."),
]
AtOnce = Annotated[
    int | None,
    typer.Option(
        min=1,
        show_default=False,
        help=f"Queries open at once. [default: {AT_ONCE}; with --max-cost 1, as what is held for "
        "one is not there for the next]",
    ),
]
MaxTokens = Annotated[
    int | None,
    typer.Option(min=1, show_default=False, help="Output cap, instead of the task's."),
]
Within = Annotated[
    str | None,
    typer.Option(
        "--in",
        metavar="SCOPE",
        show_default=False,
        help="Whose limits and credits count, such as team:search.",
    ),
]


def evaluate(
    task: Task,
    model: Models = None,
    limit: SampleLimit = None,
    epochs: Epochs = None,
    max_cost: MaxCost = None,
    argument: Arguments = None,
    at_once: AtOnce = None,
    max_tokens: MaxTokens = None,
    within: Within = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Evaluate models with an Inspect task through the running gateway; record it in the ledger.

    Each model gets a key of its own, revoked at the end. Needs: pip install 'farthing[eval]'.
    """
    folder, most = data_folder(data), dollars("--max-cost", max_cost) if max_cost else None
    rows: list[dict[str, Any]] = []
    stopped = False
    for name in model or [MODEL]:
        asked = Asked(
            task=task,
            model=name,
            arguments=_arguments(argument or []),
            limit=limit,
            epochs=epochs,
            max_usd=most,
            at_once=at_once or (AT_ONCE if most is None else 1),
            max_tokens=max_tokens,
            parent=within or "",
        )
        with expected(), _progress(name) as tell:
            run = Run(folder, asked, tell)
            with _stopping(run.stop) as signals:
                made = run.run()
            stopped = bool(signals)
        rows.append(_row(made))
        if json:
            print_json(rows[-1])
        if stopped:
            break
    if not json:
        _print(rows)
    if stopped or any(row["outcome"] != COMPLETE for row in rows):
        raise typer.Exit(1)


def _arguments(written: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in written]
    for name, equals, _ in pairs:
        if not name or not equals:
            stop(f"-T: {name!r} is no argument; write NAME=VALUE", status=2)
    return {name: value for name, _, value in pairs}


def _row(made: Evaluation) -> dict[str, Any]:
    told = msgspec.structs.asdict(made)
    return presented({**told, "scores": [msgspec.structs.asdict(score) for score in made.scores]})


def _print(rows: list[dict[str, Any]]) -> None:
    print_table(rows, "nothing was evaluated")
    for row in rows:
        if row["reason"]:
            errors.print(f"{row['model']}: {row['reason']}", style="yellow", markup=False)
        elif row["queries"] != row["calls"]:
            said = f"the ledger has {row['queries']} queries, the framework's log {row['calls']}"
            errors.print(f"{row['model']}: {said}", style="yellow", markup=False)


@contextmanager
def _progress(model: str) -> Iterator[Callable[[Said], None]]:
    """Show a bar of samples on standard error."""
    parts = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*parts, TimeElapsedColumn(), console=errors, transient=True) as bar:
        line = bar.add_task(f"{model}: starting", total=None)

        def tell(said: Said) -> None:
            if isinstance(said, Began):
                total = said.samples * said.epochs
                bar.update(line, description=f"{model}: {said.task}", total=total)
            elif isinstance(said, Sampled):
                bar.advance(line)

        yield tell


@contextmanager
def _stopping(stop_it: Callable[[], None]) -> Iterator[list[int]]:
    """Let Ctrl-C and SIGTERM stop the run, which then records how far it came; list the signals."""
    signals: list[int] = []

    def stopping(number: int, _: object) -> None:
        signals.append(number)
        stop_it()

    before = {number: signal.signal(number, stopping) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
