"""A model card in the form of the Hugging Face hub: metadata as YAML, then text.

https://huggingface.co/docs/hub/model-cards . It has what the ledger knows of a model in a period;
of the rest it says that it is not known.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from farthing import clock
from farthing.report.columns import Range
from farthing.report.inuse import Metric, Use, scored_of

TASK = {"type": "text-generation", "name": "Queries through the gateway"}
UNKNOWN = (
    "its developer and its license",
    "its architecture and its size",
    "what it was trained on, how, and until when",
    "its intended uses, its biases and its risks",
    "the languages it is good at",
)


def metadata(span: Range, uses: list[Use]) -> dict[str, Any]:
    """Return the metadata of a model, of which `uses` are all versions that answered."""
    name = uses[0].name
    return {
        "license": "unknown",
        "tags": ["farthing"],
        "model-index": [
            {"name": name, "results": [result for use in uses for result in _results(span, use)]}
        ],
    }


def _results(span: Range, use: Use) -> Iterator[dict[str, Any]]:
    days = f"{clock.iso(span.since)[:10]} to {clock.iso(span.until)[:10]}"
    version = use.version or "unknown"
    yield {
        "task": TASK,
        "dataset": {
            "type": "farthing-ledger",
            "name": f"{use.queries} queries, {days}, version {version}",
        },
        "metrics": [_metric(metric) for metric in use.metrics],
        "source": _source(span, use.leaves.first, use.leaves.last),
    }
    for index, leaf in use.evaluations:
        if "scores" in leaf:  # a result has metrics, and one that failed has none
            yield _evaluated(span, index, leaf)


def _evaluated(span: Range, index: int, leaf: dict[str, Any]) -> dict[str, Any]:
    version = f" {leaf['version']}" if leaf["version"] else ""
    return {
        "task": {"type": "text-generation", "name": f"{leaf['task']}{version}"},
        "dataset": {
            "type": f"sha256:{leaf['dataset_sha256']}",
            "name": f"{leaf['task']}, {leaf['samples']} samples; {scored_of(leaf)}",
        },
        "metrics": [_score(score) for score in leaf["scores"]],
        "source": _source(span, index, index),
    }


def _score(score: dict[str, Any]) -> dict[str, str]:
    interval = ""
    if score.get("low"):
        interval = f", 95 % from {score['low']} to {score['high']} ({score['method']})"
    name = f"{score['scorer']}, n={score.get('n', 0)}{interval}"
    return {"type": score["metric"], "name": name, "value": score["value"]}


def _metric(metric: Metric) -> dict[str, Any]:
    interval = f", 95 % from {metric.low} to {metric.high}" if metric.low else ""
    return {
        "type": metric.type.partition(",")[0],
        "name": f"{metric.type}, n={metric.n}{interval}",
        "value": metric.value,
    }


def _source(span: Range, first: int, last: int) -> dict[str, str]:
    """Return where it can be checked: leaves of the transparency log."""
    return {
        "name": f"transparency log {span.origin}, leaves {first} to {last} of {span.size}",
        "url": f"farthing:{span.origin}#{first}-{last}",
    }


def card(span: Range, uses: list[Use]) -> str:
    """Return the whole card."""
    name = uses[0].name
    versions = ", ".join(use.version for use in uses if use.version) or "no version was told"
    lines = [
        "---",
        *yaml_lines(metadata(span, uses)),
        "---",
        "",
        f"# {name}",
        "",
        f"Used from {clock.iso(span.since)} to {clock.iso(span.until)} through farthing. The "
        f"provider named in its answers: {versions}.",
        "",
        "## Not known here",
        "",
        "The ledger knows what was asked of the model, what it cost and how it answered. It does "
        "not know, and this card does not say:",
        "",
        *(f"- {unknown}" for unknown in UNKNOWN),
        "",
        "The provider's own documents may.",
    ]
    return "\n".join(lines) + "\n"


def yaml_lines(value: dict[str, Any] | list[Any], indent: str = "") -> Iterator[str]:
    """Yield a value as YAML in blocks; texts are quoted as JSON does, which YAML reads."""
    items = value.items() if isinstance(value, dict) else ((None, inner) for inner in value)
    for name, inner in items:
        label = "-" if name is None else f"{name}:"
        if not isinstance(inner, dict | list) or not inner:
            yield f"{indent}{label} {json.dumps(inner, ensure_ascii=False)}"
        elif name is None:
            first, *rest = yaml_lines(inner, indent + "  ")
            yield f"{indent}- {first.lstrip()}"
            yield from rest
        else:
            yield f"{indent}{label}"
            yield from yaml_lines(inner, indent + "  ")
