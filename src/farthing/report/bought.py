"""What was bought: by provider, by model and its version, meters, commitments and credit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from farthing import clock
from farthing.report.asking import TOKENS
from farthing.report.columns import UNKNOWN
from farthing.report.draft import Block, Cell, Draft, plot, table, text
from farthing.report.recorded import chosen_entries
from farthing.report.spans import Slice, period_of, slices_of

ANSWERED = [200, 299]
QUERIES = ["settled", "void", "unresolved"]
"""Each query has one ending of these; what is decided of it later is another leaf."""

MODELS_SHOWN, MODELS_PLOTTED, PROVIDERS_PLOTTED = 12, 6, 5
# Meters that are not tokens of text, as a reader calls them.
OTHER_METERS = {
    "reasoning": "Tokens of reasoning, a part of output",
    "input_audio": "Tokens of sound, in",
    "output_audio": "Tokens of sound, out",
    "input_image": "Tokens of images, in",
    "output_image": "Tokens of images, out",
    "web_searches": "Web searches",
    "characters": "Characters spoken",
    "audio_seconds": "Seconds transcribed",
    "search_units": "Searches of a reranker",
}


class Served(NamedTuple):
    """A model as it was asked of a provider, and as that named it in its answers."""

    provider: str
    model: str
    answered: str


def bought(draft: Draft) -> None:
    """Write the section."""
    blocks = [
        text(
            "List is what the price book asks, contracted what is left of it after discounts, "
            "effective what that was bought for where a commitment paid. What providers have "
            "billed is on their invoices, and those are not in the log."
        ),
        _by_provider(draft),
        _by_model(draft),
        _meters(draft),
        *_commitments(draft),
        _credits(draft),
    ]
    draft.section("bought", "What was bought", blocks)


def _costs(draft: Draft, name: str, **conditions: Any) -> list[Cell]:
    known = draft.where(**conditions, cost="known")
    return [
        draft.figure(f"{name}.{each}", "USD", "sum", of=column, where=known)
        for each, column in COSTS.items()
    ]


COSTS = {"list": "list_cost", "contracted": "cost", "effective": "effective"}


def providers_of(draft: Draft) -> list[str]:
    """Return the providers that were used, the dearest first."""
    facts, mine = draft.facts, draft.asking.rows(draft.where())
    costs = np.where(facts.cost == UNKNOWN, 0, facts.cost)
    found = [
        (-int(costs[mine & (facts.provider == code)].sum()), facts.name(int(code)))
        for code in np.unique(facts.provider[mine])
    ]
    return [name for _, name in sorted(found)]


def _by_provider(draft: Draft) -> Block | None:
    rows: list[list[Cell]] = []
    everything = draft.where(cost="known")
    for provider in providers_of(draft):
        name, mine = f"bought.provider.{provider}", {"provider": [provider]}
        queries = draft.where(kind=QUERIES, **mine)
        part: dict[str, Any] = {
            "where": draft.where(cost="known", **mine),
            "among": everything,
            "of": "cost",
        }
        rows.append([
            provider,
            draft.figure(f"{name}.queries", "queries", "count", where=queries),
            *_costs(draft, name, **mine),
            draft.figure(f"{name}.share", "share", "share", **part),
        ])  # fmt: skip
    if not rows:
        return text("Nothing was bought.")
    counted = draft.figure("bought.queries", "queries", "count", where=draft.where(kind=QUERIES))
    rows.append(["All", counted, *_costs(draft, "bought"), ""])
    columns = ["Provider", "Queries", "List", "Contracted", "Effective", "Share"]
    return table("By provider", columns, rows, total=True)


def served_of(draft: Draft) -> list[Served]:
    """Return the models that answered and their versions, the dearest first."""
    facts = draft.facts
    mine = draft.asking.rows(draft.where(kind=QUERIES, http_status=ANSWERED))
    width = len(facts.names)
    codes = (facts.provider[mine].astype(np.int64) * width + facts.model[mine]) * width
    groups, inverse = np.unique(codes + facts.answered_model[mine], return_inverse=True)
    costs = np.bincount(inverse, np.maximum(facts.cost[mine], 0), len(groups))
    found = []
    for group, cost in zip(groups.tolist(), costs.tolist(), strict=True):
        names = (group // width // width, group // width % width, group % width)
        found.append((-cost, Served(*(facts.name(code) for code in names))))
    return [served for _, served in sorted(found)]


def _by_model(draft: Draft) -> Block | None:
    served = served_of(draft)
    rows, others = [], list[dict[str, Any]]()
    for number, each in enumerate(served[:MODELS_SHOWN], start=1):
        condition: dict[str, Any] = {
            "provider": [each.provider], "model": [each.model], "answered_model": [each.answered],
            "http_status": ANSWERED,
        }  # fmt: skip
        others.append(condition)
        version = each.answered if each.answered != each.model else "the same"
        words: list[Cell] = [f"{each.provider}/{each.model}", version or "no version told"]
        rows.append(_model_row(draft, f"bought.model.{number}", words, condition))
    if len(served) > MODELS_SHOWN:
        rest = {"not": others, "http_status": ANSWERED}
        rows.append(_model_row(draft, "bought.model.other", ["All others", ""], rest))
    refused = {"not": [{"http_status": ANSWERED}]}
    rows.append(
        _model_row(draft, "bought.model.none", ["Not answered, or settled later", ""], refused)
    )
    columns = [
        "Model", "Answered as", "Queries", "Input tokens", "From cache", "To cache",
        "Output tokens", "Contracted",
    ]  # fmt: skip
    return table("By model and version", columns, rows)


def _model_row(draft: Draft, name: str, words: list[Cell], condition: dict[str, Any]) -> list[Cell]:
    queries = draft.where(kind=QUERIES, **condition)
    sums = [
        draft.figure(f"{name}.{meter}", "tokens", "sum", of=meter, where=queries)
        for meter in ("input", "cache_read", "cache_writes", "output")
    ]
    counted = draft.figure(f"{name}.queries", "queries", "count", where=queries)
    known = draft.where(cost="known", **condition)
    cost = draft.figure(f"{name}.contracted", "USD", "sum", of="cost", where=known)
    return [*words, counted, *sums, cost]


def dearest_models(draft: Draft) -> Block | None:
    """Return a plot of the models on which most was spent, from the figures of their table."""
    shown = served_of(draft)[:MODELS_PLOTTED]
    labels = [f"{served.provider}/{served.answered or served.model}" for served in shown]
    cells: list[Cell] = [
        {"figure": f"bought.model.{number}.contracted"} for number in range(1, len(shown) + 1)
    ]
    return plot("bars", "Where it went: the dearest models", "USD", labels, [("Contracted", cells)])


def _meters(draft: Draft) -> Block | None:
    rows: list[list[Cell]] = []
    for meter, words in OTHER_METERS.items():
        if draft.facts.usage[meter].any():
            name, unit = f"bought.meter.{meter}", "tokens" if meter in TOKENS else "units"
            rows.append([words, draft.figure(name, unit, "sum", of=meter, where=draft.where())])
    return table("Other meters", ["Meter", "Used"], rows)


def _commitments(draft: Draft) -> Iterator[Block | None]:
    """Yield the tranches of the commitments in force, and how they were drawn down."""
    if not draft.whole:
        return
    rows: list[list[Cell]] = []
    since, until = clock.iso(draft.facts.range.since), draft.inputs.until
    for _, entry in chosen_entries(draft.facts, {"kind": "commitment"}, before=True):
        if entry["starts"] < until and entry["ends"] > since:
            rows += [_tranche(draft, entry, n) for n in range(len(entry["tranches"]))]
            yield burn_down(draft, entry["id"], entry["provider"])
    columns = [
        "Commitment", "Ends", "Committed", "Bought for", "Drawn to date", "Drawn in the period",
        "Drawn at cost",
    ]  # fmt: skip
    yield table("Commitments", columns, rows)


def _tranche(draft: Draft, entry: dict[str, Any], number: int) -> list[Cell]:
    name, which = (
        f"commitment.{entry['id']}.{number + 1}",
        {"kind": "commitment", "id": entry["id"]},
    )
    source = f"commitment:{entry['id']}/{number + 1}"
    stated = [
        draft.figure(f"{name}.{of}", "USD", "stated", where=which, of=f"tranches/{number}/{of}")
        for of in ("usd", "paid")
    ]
    drawn = {"source": source, "of": "usd", "where": {}}
    return [
        f"{entry['provider']}, tranche {number + 1}",
        entry["tranches"][number]["ends"][:10],
        *stated,
        draft.figure(f"{name}.to-date", "USD", "paid-ever", source=source, of="usd"),
        draft.figure(f"{name}.drawn", "USD", "paid", **drawn),
        draft.figure(f"{name}.effective", "USD", "paid", **{**drawn, "of": "effective"}),
    ]


def burn_down(draft: Draft, commitment: str, provider: str) -> Block | None:
    """Return a plot of what was left of a commitment at the end of each slice of the period."""
    word, slices = slices_of(period_of(draft.inputs.period), draft.facts.range.until)
    cells = [
        draft.figure(
            f"commitment.{commitment}.{word}.{number}", "USD", "left",
            commitment=commitment, until=clock.iso(each.ends),
        )
        for number, each in enumerate(slices, start=1)
    ]  # fmt: skip
    labels = [each.label for each in slices]
    title = f"Left of the commitment with {provider} at the end of each {word}"
    return plot(
        "columns", title, "USD", labels, [(f"Left, of all tranches with {provider}", cells)]
    )


def span_of(each: Slice) -> list[str]:
    """Return a slice as a condition has it."""
    return [clock.iso(each.begins), clock.iso(each.ends)]


def _credits(draft: Draft) -> Block | None:
    if not draft.whole or not list(chosen_entries(draft.facts, {"kind": "top-up"}, before=True)):
        return None
    top_ups = {"where": {"kind": "top-up"}, "of": "usd"}
    rows: list[list[Cell]] = [
        ["Added in the period", draft.figure("credit.added", "USD", "total", **top_ups)],
        [
            "Paid for queries in the period",
            draft.figure("credit.paid", "USD", "paid", source="credit", of="usd", where={}),
        ],
    ]
    return table("Prepaid credit", ["Credit", "Amount"], rows)


def trend(draft: Draft) -> Block | None:
    """Return a plot of costs in each slice of the period, by provider."""
    word, slices = slices_of(period_of(draft.inputs.period), draft.facts.range.until)
    providers, numbered = providers_of(draft), list(enumerate(slices, start=1))
    groups = [(name, {"provider": [name]}) for name in providers[:PROVIDERS_PLOTTED]]
    if rest := providers[PROVIDERS_PLOTTED:]:
        groups.append(("others", {"provider": rest}))
    series = [
        (name, [_in_slice(draft, f"trend.{word}.{n}.{name}", each, mine) for n, each in numbered])
        for name, mine in groups
    ]
    return plot("columns", f"Cost by {word}", "USD", [each.label for each in slices], series)


def _in_slice(draft: Draft, name: str, each: Slice, mine: dict[str, Any]) -> Cell:
    known = draft.where(cost="known", at=span_of(each), **mine)
    return draft.figure(name, "USD", "sum", of="cost", where=known)
