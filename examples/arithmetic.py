"""Whole-number arithmetic with exact answers: `farthing eval examples/arithmetic.py`.

The sums are made from a seed, so everybody is asked the same ones: the data set's digest in the
ledger is the same wherever it runs. An answer counts if its last number is right.
"""

import random

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import GenerateConfig
from inspect_ai.scorer import match
from inspect_ai.solver import generate, system_message

OPERATIONS = {
    "plus": lambda one, other: one + other,
    "minus": lambda one, other: one - other,
    "times": lambda one, other: one * other,
}


@task
def arithmetic(samples: int = 20, digits: int = 1, seed: int = 1960) -> Task:
    """Ask for sums, differences and products of whole numbers with so many digits."""
    draw, asked = random.Random(seed), []  # noqa: S311  (a data set, not a secret)
    for number in range(samples):
        word = draw.choice(list(OPERATIONS))
        one, other = (draw.randrange(10 ** (digits - 1), 10**digits) for _ in range(2))
        answer = OPERATIONS[word](one, other)
        asked.append(
            Sample(id=number + 1, input=f"What is {one} {word} {other}?", target=str(answer))
        )
    return Task(
        dataset=MemoryDataset(asked, name="arithmetic"),
        solver=[system_message("Answer with the number alone."), generate()],
        scorer=match(location="end", numeric=True),
        config=GenerateConfig(max_tokens=24, temperature=0),
        version=1,
    )
