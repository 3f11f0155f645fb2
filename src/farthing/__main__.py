"""`python -m farthing` is the `farthing` command."""

from farthing.cli.main import run

run()
