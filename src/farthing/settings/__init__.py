"""Settings: their schema, and reading them from farthing.toml and the environment."""

from farthing.settings.load import load_settings
from farthing.settings.schema import (
    ContentsRule,
    HttpSettings,
    LocalSettings,
    OtelSettings,
    PriceOverride,
    ProviderSettings,
    Settings,
)

__all__ = [
    "ContentsRule",
    "HttpSettings",
    "LocalSettings",
    "OtelSettings",
    "PriceOverride",
    "ProviderSettings",
    "Settings",
    "load_settings",
]
