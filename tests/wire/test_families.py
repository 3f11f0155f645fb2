"""Families: what can be translated is translated by its family's own, and by no other."""

import subprocess
import sys

import pytest

from farthing.wire import DIALECTS
from farthing.wire.families import FAMILIES, translation


def test_every_family_that_crosses_has_its_translation() -> None:
    assert {d.family for d in DIALECTS.values() if d.crosses} == set(FAMILIES)


@pytest.mark.parametrize("here", [d for d in DIALECTS.values() if d.crosses], ids=lambda d: d.name)
def test_each_dialect_crosses_to_each_of_its_family(here: object) -> None:
    for there in DIALECTS.values():
        if there.crosses and there.family == here.family:  # type: ignore[attr-defined]
            made = translation(here.name, there.name, "m", {})  # type: ignore[attr-defined]
            assert type(made).__name__ == FAMILIES[there.family][1]


@pytest.mark.parametrize(("here", "there"), [("chat", "embeddings"), ("embeddings", "counting")])
def test_none_crosses_to_another_family(here: str, there: str) -> None:
    with pytest.raises(KeyError):
        translation(here, there, "m", {})


def test_all_are_imported_when_asked_for_and_none_before() -> None:
    asked = (
        "import sys; from farthing.wire import families\n"
        "there = lambda: [m in sys.modules for m, _ in families.FAMILIES.values()]\n"
        "print(any(there())); families.load(); print(all(there()))"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, check=True)
    assert done.stdout.split() == [b"False", b"True"]
