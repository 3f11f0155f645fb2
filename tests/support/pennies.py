"""An Inspect task for tests: how many of the answers say "penny", as our provider's all do."""

import os
import sys
from pathlib import Path

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import get_model
from inspect_ai.scorer import includes
from inspect_ai.solver import Generate, TaskState, generate, solver

CONNECTED = Path(__file__).with_name("connected.txt")
SEEN = Path(__file__).with_name("seen.txt")


@task
def pennies(n: int = 3, other: str = "") -> Task:
    def heard(event: str, arguments: tuple[object, ...]) -> None:
        if event == "socket.connect":
            with CONNECTED.open("a") as file:
                file.write(f"{arguments[1]}\n")

    sys.addaudithook(heard)
    SEEN.write_text("\n".join(f"{name}={value}" for name, value in os.environ.items()))
    samples = [
        Sample(id=f"s{i}", input=f"What is {i} farthings?", target="x" if i % 3 == 0 else "penny")
        for i in range(n)
    ]
    asked = [ask(other), generate()] if other else generate()
    data = MemoryDataset(samples, name="pennies")
    return Task(dataset=data, solver=asked, scorer=includes(), version=2)


@solver
def ask(model: str):  # type: ignore[no-untyped-def]
    """Ask another model as well, by the name that a vendor's own client has for it."""

    async def solve(state: TaskState, _: Generate) -> TaskState:
        print("what a task prints is in nobody's way")
        await get_model(model).generate("Is a penny four farthings?")
        return state

    return solve


@task
def another() -> Task:
    return pennies(1)
