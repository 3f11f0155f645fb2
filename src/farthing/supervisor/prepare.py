"""What is checked and made before a gateway's processes are told to begin.

It is a module of its own because it imports much. The supervisor imports it when the processes
have been started already, and they import what they need meanwhile.
"""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path

import msgspec

from farthing.local.model import Speed, known_speed
from farthing.local.price import priced
from farthing.paths import DataFolder
from farthing.prices.book import Model, PriceBook
from farthing.prices.compile import make_book
from farthing.providers import load_providers
from farthing.settings import Settings, load_settings

log = logging.getLogger("farthing")


def check(data: DataFolder, settings: Settings) -> None:
    """Look at what the settings name; make the folders and secrets that are missing.

    Raises:
        ConfigError: something is not as it must be.
    """
    load_providers(settings, os.environ)  # its errors are for the one who starts us
    data.pepper()
    for folder in (data.price_books, data.logs):
        folder.mkdir(exist_ok=True, mode=0o700)
    # What few settings name takes long to import.
    if settings.witnesses:
        from farthing.evidence.witnesses import check_witnesses  # noqa: PLC0415

        check_witnesses(settings.witnesses)
    if settings.contents:
        from farthing.vault.keys import master_key  # noqa: PLC0415

        master_key(data)


def try_records(data: DataFolder, settings: Settings) -> None:
    """Make the records' tables in a server. One that is away is only warned of: they can wait."""
    from farthing.ledger.database import DatabaseAwayError, speaking  # noqa: PLC0415
    from farthing.ledger.records import open_records  # noqa: PLC0415

    try:
        with speaking(settings.database):
            open_records(data, settings.database).dispose()
    except DatabaseAwayError as problem:
        log.warning("%s. Queries are served and journaled meanwhile", problem)


def price_book_for(data: DataFolder, config: Path | None) -> tuple[Settings, PriceBook]:
    """Return the settings, and the price book a gateway would start with on a data folder."""
    settings, _ = load_settings(config, data.root)
    data.price_books.mkdir(exist_ok=True, mode=0o700)
    speed = known_speed(data.local_speed)
    measured = local_rows(speed, settings) if speed is not None else []
    path = make_book(data.price_books, settings.prices, measured)
    return settings, PriceBook(path.read_bytes())


def local_rows(speed: Speed, settings: Settings) -> list[Model]:
    """Return the embedded model's rows of the price book."""
    local = settings.local
    return [priced(speed, local.dollars_per_hour, local.context_tokens)]


def config_digest(settings: Settings) -> str:
    """Return the SHA-256 of the settings in force; of the database only where it is."""
    where = None
    if settings.database:
        from farthing.ledger.database import shown  # noqa: PLC0415

        where = shown(settings.database)
    public = msgspec.structs.replace(settings, database=where)
    return hashlib.sha256(msgspec.json.encode(public, order="deterministic")).hexdigest()
