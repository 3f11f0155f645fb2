"""`python -m farthing`."""

from __future__ import annotations

import subprocess
import sys

from farthing import __version__


def test_it_is_the_command() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "farthing", "version"], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == __version__
