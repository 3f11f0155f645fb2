"""What opens a provider: keys have their tests in test_load.py, credentials here."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.google import pem, service_account, write

from farthing.errors import ConfigError
from farthing.providers.load import Provider, load_providers
from farthing.settings import ProviderSettings, Settings

URI = "https://oauth2.example.com/token"


def vertex(environ: dict[str, str], table: ProviderSettings | None = None) -> Provider:
    tables = {} if table is None else {"vertex": table}
    return load_providers(Settings(providers=tables), environ)["vertex"]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    file = write(tmp_path, service_account(URI))
    return {"GOOGLE_APPLICATION_CREDENTIALS": str(file), "GOOGLE_CLOUD_LOCATION": "europe-west1"}


def test_a_service_account_and_a_location_make_it_usable(environ: dict[str, str]) -> None:
    found = vertex(environ)
    assert found.usable()
    assert found.grant is not None and found.grant.token_uri == URI
    assert (found.key, found.key_from) == (pem(), environ["GOOGLE_APPLICATION_CREDENTIALS"])
    assert found.base_url == (
        "https://europe-west1-aiplatform.googleapis.com/v1/projects/project-1"
        "/locations/europe-west1"
    )


def test_credentials_alone_turn_nothing_on(environ: dict[str, str]) -> None:
    del environ["GOOGLE_CLOUD_LOCATION"]
    found = vertex(environ)
    assert not found.usable()
    assert found.unfilled() == ["place"]
    assert vertex(environ, ProviderSettings(place="us-east5")).usable()


def test_the_environment_s_project_comes_before_the_account_s(environ: dict[str, str]) -> None:
    found = vertex({**environ, "GOOGLE_CLOUD_PROJECT": "p2"})
    assert "/projects/p2/" in found.base_url
    found = vertex(
        {**environ, "GOOGLE_CLOUD_PROJECT": "p2"}, ProviderSettings(blanks={"project": "p3"})
    )
    assert "/projects/p3/" in found.base_url


@pytest.mark.parametrize(
    ("place", "host"),
    [
        ("global", "aiplatform.googleapis.com"),
        ("us", "aiplatform.us.rep.googleapis.com"),
        ("us-east5", "us-east5-aiplatform.googleapis.com"),
    ],
)
def test_some_places_have_a_host_of_their_own(
    environ: dict[str, str], place: str, host: str
) -> None:
    found = vertex({**environ, "GOOGLE_CLOUD_LOCATION": place})
    assert found.host == host
    assert found.base_url.endswith(f"/projects/project-1/locations/{place}")


def test_the_book_s_prices_are_the_global_ones(environ: dict[str, str]) -> None:
    assert vertex({**environ, "GOOGLE_CLOUD_LOCATION": "global"}).prices == "google"
    assert vertex(environ).prices == "vertex", "a region may cost more than the book says"
    assert vertex(environ, ProviderSettings(prices="google")).prices == "google"
    everywhere = {**environ, "GOOGLE_CLOUD_LOCATION": "global"}
    assert vertex(everywhere, ProviderSettings(prices="mine")).prices == "mine"


def test_an_address_of_one_s_own_is_kept_in_any_place(environ: dict[str, str]) -> None:
    table = ProviderSettings(base_url="https://mine.example.com/{project}/{place}")
    found = vertex({**environ, "GOOGLE_CLOUD_LOCATION": "global"}, table)
    assert found.base_url == "https://mine.example.com/project-1/global"


def test_credentials_that_others_read_stop_nothing(tmp_path: Path) -> None:
    file = write(tmp_path, {"type": "external_account"})
    environ = {"GOOGLE_APPLICATION_CREDENTIALS": str(file), "GOOGLE_CLOUD_LOCATION": "global"}
    found = vertex(environ)
    assert not found.usable()
    assert "has type 'external_account'" in found.problem
    found = vertex({**environ, "GOOGLE_APPLICATION_CREDENTIALS": "/nowhere"})
    assert "cannot read /nowhere" in found.problem


def test_credentials_that_the_settings_name_must_be_right(tmp_path: Path) -> None:
    file = write(tmp_path, {"type": "external_account"})
    for table, environ in (
        (ProviderSettings(api_key_file=str(file)), {}),
        (ProviderSettings(api_key_env="MINE"), {"MINE": str(file)}),
    ):
        with pytest.raises(ConfigError) as problem:
            vertex(environ, table)
        assert "[providers.vertex] api_key_" in str(problem.value)
        assert "has type 'external_account'" in str(problem.value)


def test_an_assertion_is_not_sent_in_the_clear(tmp_path: Path) -> None:
    file = write(tmp_path, service_account("http://oauth2.example.com/token"))
    with pytest.raises(ConfigError) as problem:
        vertex({}, ProviderSettings(api_key_file=str(file)))
    assert "token_uri that is not https://" in str(problem.value)
    table = ProviderSettings(api_key_file=str(file), place="global", allow_private_address=True)
    assert vertex({}, table).usable(), "within a network of one's own it may be"


@pytest.mark.parametrize("value", ["a b", b"a\\r\\nb".decode("unicode_escape"), "é"])
def test_what_no_address_can_carry_is_said(environ: dict[str, str], value: str) -> None:
    with pytest.raises(ConfigError) as problem:
        vertex({**environ, "GOOGLE_CLOUD_PROJECT": value})
    assert "as its project" in str(problem.value)
