"""The schema of farthing.toml: what every setting has in common."""

from __future__ import annotations

import typing
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from farthing.settings import (
    HttpSettings,
    LocalSettings,
    PriceOverride,
    ProviderSettings,
    Settings,
)
from farthing.settings.load import parse_settings

TABLES: list[type[msgspec.Struct]] = [
    Settings,
    HttpSettings,
    LocalSettings,
    ProviderSettings,
    PriceOverride,
]
FIELDS = [
    pytest.param(field, id=f"{table.__name__}.{field.name}")
    for table in TABLES
    for field in msgspec.structs.fields(table)
]


def _parts(kind: object) -> set[object]:
    """Return the types that a declared type is made of."""
    inner = typing.get_args(kind)
    return {kind}.union(*(_parts(part) for part in inner)) if inner else {kind}


def test_no_setting_is_needed() -> None:
    assert parse_settings("", Path("farthing.toml")) == Settings()


@pytest.mark.parametrize("field", FIELDS)
def test_only_durations_are_floats(field: msgspec.structs.FieldInfo) -> None:
    of_money = field.name == "audio_seconds"  # a price of each
    duration = field.name.endswith(("_seconds", "_hours")) and not of_money
    assert (float in _parts(field.type)) == duration


@pytest.mark.parametrize("field", FIELDS)
def test_every_setting_of_money_is_a_decimal(field: msgspec.structs.FieldInfo) -> None:
    money = {"dollars_per_hour", "input", "output", "cache_read", "cache_write", "request"}
    money |= {"cache_write_1h", "input_audio", "input_image", "output_image"}
    money |= {"characters", "audio_seconds", "search_units"}
    assert (Decimal in _parts(field.type)) == (field.name in money)


@pytest.mark.parametrize("table", TABLES)
def test_a_table_knows_its_settings_and_no_others(table: type[msgspec.Struct]) -> None:
    assert table.__struct_config__.forbid_unknown_fields
    assert table.__struct_config__.frozen


def test_a_limit_without_a_default_is_none_and_not_zero() -> None:
    bare = ProviderSettings()
    assert (bare.image_tokens, bare.query_tokens, bare.reasoning_tokens) == (None,) * 3
    assert bare.unasked_tiers is None, "none said is not none there"
    price = PriceOverride("p", "m", Decimal(1), Decimal(2))
    assert (price.cache_read, price.cache_write, price.cache_write_1h, price.request) == (None,) * 4


def test_a_private_address_is_not_allowed_unless_said() -> None:
    assert ProviderSettings().allow_private_address in (False, None)


def test_a_record_survives_the_loss_of_power_unless_said() -> None:
    assert Settings().durability == "power"


def test_the_gateway_listens_to_this_machine_alone_unless_said() -> None:
    assert Settings().listen.startswith("127.0.0.1:")
