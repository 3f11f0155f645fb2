"""What a program that we start is told, so that it reaches the gateway and nothing else."""

from __future__ import annotations

import re

from farthing.providers.clients import INSPECT_MODEL, INSPECT_NEEDS, pointed_at


def test_every_address_and_every_key_is_the_gateways() -> None:
    told = pointed_at("http://127.0.0.1:1960", "fk_a_b")
    addresses = {n: v for n, v in told.items() if n.endswith("_BASE_URL")}
    keys = {n: v for n, v in told.items() if n.endswith("_API_KEY")}
    assert {*addresses, *keys} == set(told)
    assert {n.removesuffix("_BASE_URL") for n in addresses} == {
        n.removesuffix("_API_KEY") for n in keys
    }
    assert set(keys.values()) == {"fk_a_b"}
    assert all(re.fullmatch(r"http://127\.0\.0\.1:1960(/v1)?", v) for v in addresses.values())


def test_the_framework_names_a_model_by_service_and_name() -> None:
    service = INSPECT_MODEL.format("local/m").split("/")[1]
    assert f"{service.upper()}_BASE_URL" in pointed_at("", "")
    assert "inspect_ai" in INSPECT_NEEDS
