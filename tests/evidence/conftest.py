"""What tests of the log share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import farthing


@pytest.fixture
def environ() -> dict[str, str]:
    """The environment of a child process that imports the farthing under test."""
    return {**os.environ, "PYTHONPATH": str(Path(farthing.__file__).parent.parent)}
