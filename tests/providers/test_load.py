"""Providers: the built-in ones are sound, and farthing.toml and the environment change them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from farthing.errors import ConfigError
from farthing.providers.load import (
    AUTHS,
    LOCAL,
    Provider,
    Providers,
    built_in,
    built_in_names,
    load_providers,
)
from farthing.settings import ProviderSettings, Settings
from farthing.wire import DIALECTS
from farthing.wire.envelopes import ENVELOPES

ACME = ProviderSettings(
    base_url="https://llm.example.com/v1", dialects={"chat": "/chat/completions"}
)


def load(environ: dict[str, str] | None = None, /, **tables: ProviderSettings) -> Providers:
    return load_providers(Settings(providers=tables), environ or {})


def changed(table: ProviderSettings, **fields: object) -> ProviderSettings:
    return msgspec.structs.replace(table, **fields)


def told(**tables: ProviderSettings) -> str:
    with pytest.raises(ConfigError) as error:
        load(**tables)
    return str(error.value)


# -- the built-in ones ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", built_in_names())
def test_a_built_in_provider_is_sound(name: str) -> None:
    provider = built_in(name)
    assert provider.name == name
    assert provider.prices
    assert provider.dialects
    assert provider.dialects.keys() <= DIALECTS.keys()
    assert provider.counts.keys() <= provider.dialects.keys()
    for path in [*provider.dialects.values(), *provider.counts.values()]:
        assert path.startswith("/")
    assert provider.auth in AUTHS
    assert provider.docs.startswith("https://"), "its own page says how it is spoken to"
    assert provider.bound.query_tokens > 0
    assert provider.bound.tool_tokens > 0
    assert provider.bound.image_tokens is None or provider.bound.image_tokens > 0
    assert provider.free.keys() <= provider.dialects.keys()
    assert all(page.startswith("https://") for page in provider.free.values())
    assert all(tokens > 0 for tokens in provider.bound.made_images.values())


@pytest.mark.parametrize("name", built_in_names())
def test_a_built_in_provider_s_bounds_make_sense(name: str) -> None:
    bound = built_in(name).bound
    assert set(bound.windowed) <= {"image", "document", "audio", "video"}
    assert bool(bound.windowed) <= bool(bound.windows), "without a window nothing is bounded by it"
    assert all(tokens > 0 for tokens in bound.windows.values())
    patterns = [*bound.windows, *bound.beside_cap, *bound.unbounded]
    assert all(pattern == pattern.lower() for pattern in patterns)
    assert bool(bound.beside_cap) <= ("*" in bound.windows), "any model there may reason"


def places(name: str) -> dict[str, str]:
    """Return the variables that say where a provider is, if its address leaves that open."""
    provider = built_in(name)
    address = provider.base_url.startswith("{place}")
    return dict.fromkeys(provider.place_env, "https://mine.example.com") if address else {}


@pytest.mark.parametrize("name", [name for name in built_in_names() if name != LOCAL])
def test_a_provider_elsewhere_is_spoken_to_in_secret_and_needs_a_key(name: str) -> None:
    provider = load(places(name))[name]
    assert provider.tls
    assert provider.port == 443
    assert provider.key_env
    assert not provider.allow_private_address
    assert not provider.usable()


def test_no_two_providers_that_are_on_read_one_variable() -> None:
    on = [provider for provider in map(built_in, built_in_names()) if provider.enabled]
    variables = [name for provider in on for name in provider.key_env]
    assert len(variables) == len(set(variables))


# -- keys -----------------------------------------------------------------------------------------


def test_a_provider_without_a_key_is_known_and_not_usable() -> None:
    assert load().keys() == set(built_in_names())
    assert not any(provider.usable() for provider in load().values())


# Those that a key in the environment is enough for.
KEYED = [
    name
    for name in built_in_names()
    if name != LOCAL and built_in(name).enabled and built_in(name).auth != "oauth"
]


@pytest.mark.parametrize("name", KEYED)
def test_the_environment_s_key_makes_a_provider_usable_and_no_other(name: str) -> None:
    variable = built_in(name).key_env[0]
    providers = load({variable: " secret\n", **places(name)})
    assert [p.name for p in providers.values() if p.usable()] == [name]
    assert (providers[name].key, providers[name].key_from) == ("secret", variable)


def test_of_several_variables_the_first_that_is_set_counts() -> None:
    name = next(name for name in built_in_names() if len(built_in(name).key_env) > 1)
    first, second = built_in(name).key_env[:2]
    assert load({first: "one", second: "two"})[name].key == "one"
    assert load({first: " ", second: "two"})[name].key == "two"


@pytest.mark.parametrize("empty", ["", " ", "\n"])
def test_a_blank_key_is_none(empty: str) -> None:
    table = changed(ACME, api_key_env="ACME_KEY")
    assert not load({"ACME_KEY": empty}, acme=table)["acme"].usable()


def test_a_variable_that_is_named_replaces_the_usual_ones() -> None:
    name = next(name for name in built_in_names() if built_in(name).key_env)
    usual = built_in(name).key_env[0]
    tables = {name: ProviderSettings(api_key_env="MINE")}
    providers = load({usual: "theirs", "MINE": "mine"}, **tables)
    assert (providers[name].key, providers[name].key_from) == ("mine", "MINE")
    assert load({usual: "theirs"}, **tables)[name].key == ""


def test_a_key_file_comes_before_every_variable(tmp_path: Path) -> None:

    file = tmp_path / "key"
    file.write_text("from-file\n")
    table = changed(ACME, api_key_file=str(file), api_key_env="ACME_KEY")
    provider = load({"ACME_KEY": "from-environment"}, acme=table)["acme"]
    assert (provider.key, provider.key_from) == ("from-file", str(file))


def test_a_key_file_that_is_missing_says_which() -> None:
    message = told(acme=changed(ACME, api_key_file="/nowhere/key"))
    assert message.startswith("[providers.acme] api_key_file: cannot read /nowhere/key")


# -- farthing.toml --------------------------------------------------------------------------------


def test_a_provider_of_one_s_own_is_made_of_its_table() -> None:
    provider = load({}, acme=ACME)["acme"]
    assert (provider.name, provider.prices) == ("acme", "acme")
    assert (provider.host, provider.port, provider.tls) == ("llm.example.com", 443, True)
    assert provider.output_cap_field == "max_tokens"
    assert provider.bound.image_tokens is None, "no bound is known for its images"
    assert provider.bound.query_tokens == 4096, "nobody has read how much its prompts add"
    assert not provider.allow_private_address


def test_a_provider_that_needs_no_key_is_usable_without() -> None:
    assert load(acme=changed(ACME, auth="none"))["acme"].usable()


def test_a_provider_that_is_switched_off_is_not_usable() -> None:
    name = built_in_names()[0]
    environ = {built_in(name).key_env[0]: "secret"}
    assert not load(environ, **{name: ProviderSettings(enabled=False)})[name].usable()


def test_what_a_table_does_not_say_stays_as_it_was() -> None:
    name = next(n for n in built_in_names() if built_in(n).bound.image_tokens)
    before = built_in(name)
    after = load(**{name: ProviderSettings(image_tokens=77, models=["m"])})[name]
    assert after.bound == msgspec.structs.replace(before.bound, image_tokens=77)
    assert after.models == ("m",)
    bare = msgspec.structs.replace(after, bound=before.bound, models=before.models)
    assert bare == before


def test_a_table_says_what_bounds_a_provider_s_tokens() -> None:
    told = ProviderSettings(image_tokens=1, query_tokens=2, reasoning_tokens=3)
    own = changed(ACME, image_tokens=1, query_tokens=2, reasoning_tokens=3)
    for name, settings in (("acme", own), (built_in_names()[0], told)):
        bound = load(**{name: settings})[name].bound
        assert (bound.image_tokens, bound.query_tokens, bound.reasoning_tokens) == (1, 2, 3)


@pytest.mark.parametrize("tiers", [[], ["fast"]])
def test_a_table_says_which_tiers_serve_what_names_none(tiers: list[str]) -> None:
    name = next(n for n in built_in_names() if built_in(n).unasked_tiers)
    assert load(**{name: ProviderSettings(unasked_tiers=tiers)})[name].unasked_tiers == tuple(tiers)
    assert load()[name].unasked_tiers == built_in(name).unasked_tiers


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("base_url", "http://127.0.0.1:9/v1"),
        ("auth", "none"),
        ("prices", "other"),
        ("output_cap_field", "max_completion_tokens"),
        ("dialects", {"messages": "/m"}),
        ("allow_private_address", True),
    ],
)
def test_what_a_table_says_replaces_what_was(field: str, value: object) -> None:
    name = next(name for name in built_in_names() if name != LOCAL)
    table = changed(ProviderSettings(), **{field: value})
    assert getattr(load(**{name: table})[name], field) == value


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (ProviderSettings(), 'not built in, so it needs base_url: base_url = "https://'),
        (
            ProviderSettings(base_url="https://x"),
            "not built in, so it needs dialects: dialects = {",
        ),
        (changed(ACME, base_url="llm.example.com"), "base_url must begin with https://"),
        (changed(ACME, base_url="ftp://llm.example.com"), "base_url must begin with https://"),
        (changed(ACME, base_url="https://"), "base_url must begin with https://"),
        (
            changed(ACME, auth="basic"),
            "auth must be one of bearer, x-api-key, api-key, x-goog-api-key, signed, oauth, none,",
        ),
        (changed(ACME, dialects={"chta": "/x"}), "dialects: write chat or messages"),
        (changed(ACME, dialects={"chat": "x"}), "not chat = 'x'"),
    ],
)
def test_a_table_that_makes_no_provider_says_what_to_write(
    table: ProviderSettings, words: str
) -> None:
    message = told(acme=table)
    assert message.startswith("[providers.acme] ")
    assert words in message


@pytest.mark.parametrize(
    ("url", "host", "port", "tls"),
    [
        ("https://h/v1", "h", 443, True),
        ("http://h/v1", "h", 80, False),
        ("http://h:8080", "h", 8080, False),
        ("https://[::1]:8443/v1", "::1", 8443, True),
    ],
)
def test_an_address_is_taken_apart(url: str, host: str, port: int, tls: bool) -> None:
    provider = Provider(base_url=url, dialects={})
    assert (provider.host, provider.port, provider.tls) == (host, port, tls)


# -- dialects, places and blanks ------------------------------------------------------------------


def test_a_model_is_served_in_the_dialects_whose_patterns_it_fits() -> None:
    bedrock = built_in("bedrock")
    every = ["converse", "bedrock-embeddings", "converse-counting"]
    assert bedrock.serving("us.Anthropic.claude-opus-5-v1:0") == [*every, "messages"]
    assert bedrock.serving("amazon.nova-pro-v1:0") == every
    assert built_in("vertex").serving("gemini-2.5-pro") == ["gemini"]
    assert built_in("vertex").serving("claude-opus-5") == ["messages"]
    assert built_in("vertex").serving("llama-4") == []
    assert built_in("openai").serving("anything") == list(built_in("openai").dialects)


@pytest.mark.parametrize("name", built_in_names())
def test_envelopes_and_patterns_are_of_dialects_that_a_provider_has(name: str) -> None:
    provider = built_in(name)
    assert provider.serves.keys() <= provider.dialects.keys()
    assert provider.envelopes.keys() <= provider.dialects.keys()
    assert set(provider.envelopes.values()) <= ENVELOPES.keys()


def test_a_dialect_in_an_envelope_is_spoken_otherwise() -> None:
    bedrock = built_in("bedrock")
    assert bedrock.speaks("messages") is ENVELOPES["invoke"]
    assert bedrock.speaks("converse") is DIALECTS["converse"]


AZURE = {"AZURE_OPENAI_API_KEY": "k", "AZURE_OPENAI_ENDPOINT": "https://r.openai.azure.com/"}


def test_the_older_azure_is_off_until_a_table_turns_it_on() -> None:
    assert not load(AZURE)["azure-deployments"].usable()
    tables = {"azure-deployments": ProviderSettings(), "azure": ProviderSettings(enabled=False)}
    providers = load(AZURE, **tables)
    assert [p.name for p in providers.values() if p.usable()] == ["azure-deployments"]
    older = providers["azure-deployments"]
    assert older.base_url == "https://r.openai.azure.com/openai/deployments"
    assert older.dialects["chat"] == "/{model}/chat/completions?api-version=2024-10-21"


def test_the_settings_fill_blanks_before_the_environment_does() -> None:
    environ = {**AZURE, "OPENAI_API_VERSION": "2025-01-01-preview"}
    name = "azure-deployments"
    spoken = load(environ, **{name: ProviderSettings()})[name].dialects
    assert spoken["embeddings"].endswith("?api-version=2025-01-01-preview")
    table = ProviderSettings(blanks={"version": "v9"}, place="https://mine.example.com")
    mine = load(environ, **{name: table})[name]
    assert mine.dialects["chat"].endswith("?api-version=v9")
    assert mine.base_url == "https://mine.example.com/openai/deployments"


def test_a_table_of_headers_is_checked() -> None:
    said = {"messages": {"anthropic-version": "2026-10-21"}}
    assert load(anthropic=ProviderSettings(headers=said))["anthropic"].headers == said
    for wrong in ({"messages": {"x-other": "1"}}, {"chat": {"a": "b"}}, {"nothing": {"a": "b"}}):
        assert "has no header" in told(anthropic=ProviderSettings(headers=wrong))
    split = {"messages": {"anthropic-beta": "a\r\nb"}}
    assert "has no header" in told(anthropic=ProviderSettings(headers=split))


# -- defects --------------------------------------------------------------------------------------


def test_a_scheme_in_capitals_is_the_same_scheme() -> None:
    provider = load(acme=changed(ACME, base_url="HTTPS://llm.example.com/v1"))["acme"]
    assert (provider.port, provider.tls) == (443, True)


@pytest.mark.parametrize("url", ["https://h:99999/v1", "https://h:port/v1"])
def test_a_port_that_is_none_is_said_at_the_start(url: str) -> None:
    assert "base_url" in told(acme=changed(ACME, base_url=url))


def test_a_table_that_says_nothing_of_private_addresses_leaves_them_allowed() -> None:
    assert built_in(LOCAL).allow_private_address
    assert load(**{LOCAL: ProviderSettings(models=["m"])})[LOCAL].allow_private_address


def test_a_key_file_that_is_no_text_says_which(tmp_path: Path) -> None:

    file = tmp_path / "key"
    file.write_bytes(b"\xff\xfe")
    assert str(file) in told(acme=changed(ACME, api_key_file=str(file)))


def test_what_is_free_is_a_dialect_that_there_is() -> None:
    table = ProviderSettings(free={"files": "https://x", "fiels": "https://x"})
    assert "there is no dialect 'fiels'" in told(openai=table)


def test_what_providers_count_beforehand_is_of_dialects_that_they_speak() -> None:
    for name in built_in_names():
        provider = built_in(name)
        assert provider.counts.keys() <= provider.dialects.keys()
        for dialect, path in provider.counts.items():
            assert path.startswith("/")
            assert DIALECTS[dialect].write_counting or dialect == "messages"
