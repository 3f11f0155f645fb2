"""Providers: one TOML file for each, and the loader that reads them."""

from farthing.providers.load import Provider, Providers, load_providers

__all__ = ["Provider", "Providers", "load_providers"]
