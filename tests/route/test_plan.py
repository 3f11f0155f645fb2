"""Routes: from the model a client names to the provider that serves it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from farthing.errors import FarthingError, Malformed
from farthing.ledger.registry import short
from farthing.prices.book import Book, Model, PriceBook, Row
from farthing.prices.compile import make_book
from farthing.providers import Provider, Providers, load_providers
from farthing.route.plan import REMEMBERED, Route, Router
from farthing.settings import Settings
from farthing.wire.dialect import Dialect
from farthing.wire.surfaces import SURFACES

PRICE = [Row({"input": [(0, 1)], "output": [(0, 2)]})]


def provider(name: str, *dialects: str, **fields: object) -> Provider:
    made = Provider(
        "https://h", {d: f"/{d}" for d in dialects or ["chat"]}, name=name, prices=name, key="k"
    )
    return msgspec.structs.replace(made, **fields)


def router(*providers: Provider, aliases: dict[str, str] | None = None, **models: str) -> Router:
    """Make a router; `models` are each provider's, in words."""
    rows = {name: [Model(m, PRICE) for m in told.split()] for name, told in models.items()}
    known: Providers = {p.name: p for p in providers}
    return Router(known, PriceBook(Book("test", rows).encoded()), aliases or {})


def route(of: Provider, model: str, dialect: str, alias: str = "", book: str = "") -> Route:
    """Return the route to a model; `alias` and `book` are other names of it."""
    served = (f"model:{of.name}/{book or model}", f"provider:{of.name}")
    return Route(of, model, dialect, (f"route:{alias}", *served) if alias else served)


ACME, BETA = provider("acme"), provider("beta", "messages")
KEYLESS = provider("keyless", key="", key_env=("KEYLESS_KEY", "OTHER_KEY"))


def refusal(of: Router, model: str, dialect: str = "chat") -> FarthingError:
    with pytest.raises(FarthingError) as error:
        of.plan(model, dialect)
    return error.value


# -- the one that serves it -----------------------------------------------------------------------


def test_a_model_goes_to_the_provider_that_the_book_prices_it_for() -> None:
    assert router(ACME, BETA, acme="m", beta="n").plan("m", "chat") == route(ACME, "m", "chat")


def test_a_model_that_a_provider_lists_goes_there_without_a_price() -> None:
    lister = provider("lister", models=("own",))
    assert router(ACME, lister, acme="m").plan("own", "chat") == route(lister, "own", "chat")


def test_a_provider_can_be_named_before_the_model() -> None:
    of = router(ACME, provider("other"), acme="m", other="m")
    assert of.plan("acme/m", "chat") == route(ACME, "m", "chat")
    assert of.plan("acme/unpriced", "chat") == route(ACME, "unpriced", "chat"), (
        "the book says its say later"
    )


def test_a_model_s_own_name_may_have_a_slash() -> None:
    of = router(ACME, acme="maker/m")
    assert of.plan("maker/m", "chat") == route(ACME, "maker/m", "chat")
    assert of.plan("acme/maker/m", "chat") == route(ACME, "maker/m", "chat")


def test_a_prefix_that_is_a_provider_without_a_key_may_be_part_of_another_s_name() -> None:
    of = router(ACME, KEYLESS, acme="keyless/m", keyless="m")
    assert of.plan("keyless/m", "chat") == route(ACME, "keyless/m", "chat")


def test_a_provider_s_prices_may_be_under_another_name() -> None:
    renamed = provider("renamed", prices="acme")
    assert router(renamed, acme="m").plan("m", "chat") == route(renamed, "m", "chat")


def test_a_book_may_know_a_model_by_another_spelling_and_the_client_s_is_sent() -> None:
    assert router(ACME, acme="m").plan("M", "chat") == route(ACME, "M", "chat", book="m")


# -- aliases --------------------------------------------------------------------------------------


def test_an_alias_stands_for_a_model() -> None:
    of = router(ACME, provider("other"), aliases={"fast": "acme/m"}, acme="m", other="m")
    assert of.plan("fast", "chat") == route(ACME, "m", "chat", "fast")


def test_an_alias_comes_before_a_model_of_the_same_name() -> None:
    assert router(ACME, aliases={"m": "acme/n"}, acme="m n").plan("m", "chat") == route(
        ACME, "n", "chat", "m"
    )


def test_an_alias_of_an_alias_is_not_followed() -> None:
    of = router(ACME, aliases={"a": "b", "b": "acme/m"}, acme="m")
    assert refusal(of, "a").code == "unknown_model"


def test_a_refusal_names_what_the_client_wrote_and_not_the_alias_s_meaning() -> None:
    assert "'fast'" in refusal(router(ACME, aliases={"fast": "nothing"}), "fast").message


# -- nobody, or several ---------------------------------------------------------------------------


def test_a_request_without_a_model_says_so() -> None:
    problem = refusal(router(ACME, acme="m"), "")
    assert isinstance(problem, Malformed)
    assert problem.code == "unknown_model"
    assert "set `model`" in problem.message


@pytest.mark.parametrize("name", ["nothing", "nobody/m", "acme/", "/m", "/"])
def test_an_unknown_model_says_where_the_known_ones_are(name: str) -> None:
    problem = refusal(router(ACME, acme="m"), name)
    assert (problem.code, problem.status) == ("unknown_model", 404)
    assert repr(name) in problem.message
    assert "GET /v1/models" in problem.message


@pytest.mark.parametrize("name", ["m", "keyless/m", "keyless/anything"])
def test_a_provider_without_a_key_says_which_variable_to_set(name: str) -> None:
    problem = refusal(router(ACME, KEYLESS, acme="n", keyless="m"), name)
    assert (problem.code, problem.status) == ("unknown_model", 404)
    assert "served by keyless" in problem.message
    assert "set KEYLESS_KEY or OTHER_KEY" in problem.message


def test_several_providers_of_one_model_are_named_and_none_is_guessed() -> None:
    problem = refusal(router(ACME, provider("other"), acme="m", other="m"), "m")
    assert (problem.code, problem.status) == ("ambiguous_model", 400)
    assert "acme/m, other/m" in problem.message


def test_of_several_providers_the_only_one_of_the_dialect_is_taken() -> None:
    of = router(ACME, BETA, acme="m", beta="m")
    assert of.plan("m", "chat") == route(ACME, "m", "chat")
    assert of.plan("m", "messages") == route(BETA, "m", "messages")


# -- crossings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["m", "acme/m", "fast"])
def test_a_provider_of_another_dialect_is_spoken_to_in_its_own(name: str) -> None:
    of = router(ACME, acme="m", aliases={"fast": "acme/m"})
    alias = "fast" if name == "fast" else ""
    assert of.plan(name, "messages") == route(ACME, "m", "chat", alias)


def test_of_a_provider_s_own_dialects_the_first_is_spoken() -> None:
    both = provider("both", "responses", "chat")
    assert router(both, both="m").plan("m", "messages").dialect == "responses"
    assert router(both, both="m").plan("m", "chat").dialect == "chat"


def test_several_providers_of_other_dialects_are_named_too() -> None:
    of = router(ACME, provider("other"), acme="m", other="m")
    assert refusal(of, "m", "messages").code == "ambiguous_model"


# -- scopes ---------------------------------------------------------------------------------------


def test_a_query_is_counted_under_its_alias_its_model_and_its_provider() -> None:
    of = router(ACME, acme="m", aliases={"fast": "acme/m"})
    assert of.plan("fast", "chat").scopes == ("route:fast", "model:acme/m", "provider:acme")
    assert of.plan("m", "chat").scopes == ("model:acme/m", "provider:acme")
    assert of.plan("m", "messages").scopes == of.plan("m", "chat").scopes


@pytest.mark.parametrize("asked", ["M", "acme/M", "acme/m"])
def test_all_names_of_a_model_that_has_one_price_are_one_scope(asked: str) -> None:
    of = router(ACME, acme="m")
    assert of.plan(asked, "chat").scopes == of.plan("m", "chat").scopes


def test_a_provider_s_scope_is_its_own_name_and_not_that_of_its_prices() -> None:
    renamed = provider("renamed", prices="acme")
    assert router(renamed, acme="m").plan("m", "chat").scopes == (
        "model:renamed/m",
        "provider:renamed",
    )


def test_long_names_are_known_by_their_digests() -> None:
    long, alias = "m" * 200, "a" * 200
    of = router(ACME, aliases={alias: f"acme/{long}"}, acme="x")
    assert of.plan(alias, "chat").scopes == (
        f"route:{short(alias)}",
        f"model:acme/{short(long)}",
        "provider:acme",
    )
    assert of.plan(alias, "chat").model == long, "and sent as they are"
    assert all(len(scope) <= 160 for scope in of.plan(alias, "chat").scopes)


def test_no_model_s_name_is_that_of_all_models() -> None:
    assert router(ACME, acme="x").plan("acme/*", "chat").scopes[0] == f"model:acme/{short('*')}"


# -- memory ---------------------------------------------------------------------------------------


def test_what_is_remembered_is_remembered_by_dialect() -> None:
    both = provider("both", "chat", "messages")
    of = router(ACME, both, acme="m", both="n")
    assert of.plan("m", "chat") is of.plan("m", "chat")
    assert of.plan("m", "messages") == route(ACME, "m", "chat")
    assert of.plan("n", "messages") == route(both, "n", "messages")
    assert of.plan("n", "chat") == route(both, "n", "chat")


def test_no_more_routes_are_remembered_than_the_bound() -> None:
    of = router(ACME, acme="m")
    for number in range(REMEMBERED + 10):
        of.plan(f"acme/{number}", "chat")
    assert len(of._found) <= REMEMBERED
    assert of.plan("acme/0", "chat") == route(ACME, "0", "chat")


# -- lists ----------------------------------------------------------------------------------------


def test_every_model_of_a_usable_provider_is_listed_once_after_the_aliases() -> None:
    lister = provider("lister", models=("own", "m"))
    of = router(lister, KEYLESS, aliases={"fast": "lister/m"}, lister="m n", keyless="x")
    assert of.models() == ["fast", "lister/own", "lister/m", "lister/n"]


def test_models_that_are_old_or_have_no_usable_price_are_not_listed() -> None:
    rows = [
        Model("m", PRICE),
        Model("old", PRICE, deprecated=True),
        Model("odd", PRICE, unpriced="something"),
        Model("embeds", [Row({"input": [(0, 1)]})]),
    ]
    of = Router({"acme": ACME}, PriceBook(Book("test", {"acme": rows}).encoded()), {})
    assert of.models() == ["acme/m"]


def test_candidates_are_the_routes_of_a_dialect() -> None:
    both = provider("both", "chat", "messages")
    of = router(ACME, BETA, both, aliases={"fast": "acme/m"}, acme="m a/b", beta="n", both="o")
    found = [(r.provider.name, r.model, r.dialect) for r in of.candidates("chat")]
    own, crossed = [("acme", "m", "chat"), ("acme", "a/b", "chat")], ("beta", "n", "messages")
    assert found == [*own, crossed, ("both", "o", "chat")]
    spoken = [route.dialect for route in of.candidates("messages")]
    assert spoken == ["chat", "chat", "messages", "messages"]


# -- defects --------------------------------------------------------------------------------------


def test_every_model_that_is_listed_can_be_asked_for(tmp_path: Path) -> None:
    book = PriceBook(make_book(tmp_path, [], []).read_bytes())
    environ = {name: "key" for p in load_providers(Settings(), {}).values() for name in p.key_env}
    providers = load_providers(Settings(), environ)
    unpriced = []
    for name in Router(providers, book, {}).models():
        prefix, _, model = name.partition("/")
        if book.model(providers[prefix].prices, model) is None:
            unpriced.append(name)
    assert unpriced == []


def test_a_provider_that_is_switched_off_does_not_ask_for_a_key() -> None:
    off = provider("off", enabled=False, key_env=("OFF_KEY",))
    message = refusal(router(ACME, off, acme="n", off="m"), "m").message
    assert "key" not in message
    assert "enabled" in message


# -- where no model is named ----------------------------------------------------------------------


def test_files_are_with_the_only_provider_that_has_them() -> None:
    keeper = provider("keeper", "files")
    found = router(ACME, keeper).keeper("files", "")
    assert found == Route(keeper, "", "files", ("provider:keeper",)), "and no model's limit counts"
    other = provider("other", "files")
    assert router(keeper, other).keeper("files", "other").provider is other


@pytest.mark.parametrize(
    ("named", "code", "words"),
    [
        ("", "ambiguous_provider", "one of: one, two"),
        ("nobody", "unknown_provider", "'nobody'"),
        ("keyless", "unknown_provider", "'keyless'"),
        ("acme", "unsupported_crossing", "acme has no files"),
    ],
)
def test_else_they_are_with_the_one_that_is_named(named: str, code: str, words: str) -> None:
    of = router(provider("one", "files"), provider("two", "files"), ACME, KEYLESS)
    with pytest.raises(FarthingError, match=words) as refused:
        of.keeper("files", named)
    assert refused.value.code == code


def test_files_that_nobody_has_are_not_there() -> None:
    with pytest.raises(FarthingError, match="No provider of this gateway has files") as refused:
        router(ACME).keeper("files", "")
    assert refused.value.code == "unsupported_crossing"


# -- embeddings -----------------------------------------------------------------------------------


def test_models_that_embed_are_candidates_for_embeddings_alone() -> None:
    both = provider("both", "chat", "cohere-embeddings")
    rows = [Model("m", PRICE), Model("m-embed", [Row({"input": [(0, 1)]})])]
    book = PriceBook(Book("test", {"both": rows, "acme": rows}).encoded())
    of = Router({"both": both, "acme": ACME}, book, {})
    assert of.models() == ["both/m", "both/m-embed", "acme/m"], "where they can be asked for"
    assert [route.model for route in of.candidates("chat")] == ["m", "m"]
    found = [(r.provider.name, r.model, r.dialect) for r in of.candidates("embeddings")]
    assert found == [("both", "m-embed", "cohere-embeddings")]


def test_a_provider_is_spoken_to_in_a_dialect_of_the_client_s_family_alone() -> None:
    every = provider("every", "chat", "cohere-embeddings", "counting")
    of = router(every, every="m")
    assert of.plan("m", "gemini-embeddings").dialect == "cohere-embeddings"
    assert of.plan("m", "gemini-counting").dialect == "counting"
    assert of.plan("m", "gemini").dialect == "chat"
    assert refusal(router(ACME, acme="m"), "m", "gemini-counting").code == "unsupported_crossing"


# -- surfaces -------------------------------------------------------------------------------------


@pytest.mark.parametrize("surface", SURFACES, ids=lambda d: d.name)
def test_a_surface_is_served_for_the_models_that_its_provider_says(surface: Dialect) -> None:
    served = {surface.name: ("fit-*",)}
    some = provider("some", "chat", surface.name, serves=served, models=("fit-1", "m"))
    of = router(some)
    assert of.plan("fit-1", surface.name) == route(some, "fit-1", surface.name)
    assert of.plan("some/Fit-2", surface.name).dialect == surface.name
    assert refusal(of, "m", surface.name).code == "unsupported_crossing", "and none is translated"
    only = router(provider("only", surface.name, models=("m",)))
    assert refusal(only, "m", "chat").code == "unsupported_crossing"
