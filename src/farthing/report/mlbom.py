"""A bill of materials of the models in use: CycloneDX 1.7, as JSON.

https://cyclonedx.org/docs/1.7/json/ . It is made from the transparency log alone, and the same
leaves give the same bytes: its number is made of its content, its time is the period's end.
"""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from farthing import clock
from farthing.report.columns import Facts, Range
from farthing.report.inuse import Metric, Use, scored_of

# Whose numbers these are; the content makes the rest.
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://cyclonedx.org/docs/1.7/json/")

LIMITATIONS = (
    "Measured at the gateway, on the queries of this organisation alone; times have the gateway's "
    "own part in them.",
    "What the model is made of, how it was trained, and on what, is not known here: ask the "
    "provider for its documents.",
)

_encode = msgspec.json.Encoder(order="sorted").encode


def mlbom(facts: Facts, uses: list[Use]) -> dict[str, Any]:
    """Return the bill of materials of a period."""
    span = facts.range
    bom: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.7.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.7",
        "version": 1,
        "metadata": {
            "timestamp": clock.iso(span.until),
            "component": {"type": "platform", "bom-ref": "gateway", "name": "farthing"},
            "properties": _properties(
                {
                    "period:since": clock.iso(span.since), "period:until": clock.iso(span.until),
                    **_ledger(span, span.first, span.last),
                }
            ),
        },
        "components": [_component(span, use) for use in uses],
    }  # fmt: skip
    return {**bom, "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, _encode(bom).decode())}"}


def encoded(bom: dict[str, Any]) -> bytes:
    """Return a bill of materials as a file's bytes."""
    return msgspec.json.format(_encode(bom), indent=2) + b"\n"


def _component(span: Range, use: Use) -> dict[str, Any]:
    version = {"version": use.version} if use.version else {}
    return {
        "type": "machine-learning-model",
        "bom-ref": f"model:{use.name}@{use.version or 'unknown'}",
        "supplier": {"name": use.provider},
        "name": use.model,
        **version,
        "modelCard": {
            "modelParameters": _parameters(use),
            "quantitativeAnalysis": {
                "performanceMetrics": [*map(_metric, use.metrics), *_evaluated(use)]
            },
            "considerations": {"technicalLimitations": list(LIMITATIONS)},
            "properties": _properties({f"usage:{name}": str(n) for name, n in use.usage.items()}),
        },
        "properties": _properties(
            {
                "queries": str(use.queries),
                "cost_usd": use.cost,
                "queries_of_unknown_cost": str(use.unknown),
                **_ledger(span, use.leaves.first, use.leaves.last),
            }
        ),
    }


def _parameters(use: Use) -> dict[str, Any]:
    """Return what it was given and what it gave, as far as meters tell."""
    given = [name for name in use.usage if not name.startswith(("output", "reasoning"))]
    made = [name for name in use.usage if name.startswith("output")]
    return {
        "inputs": [{"format": name} for name in given],
        "outputs": [{"format": name} for name in made],
    }


def _metric(metric: Metric) -> dict[str, Any]:
    told = {"type": metric.type, "value": metric.value, "slice": f"{metric.slice}, n={metric.n}"}
    if not metric.low:
        return told
    return {**told, "confidenceInterval": {"lowerBound": metric.low, "upperBound": metric.high}}


def _evaluated(use: Use) -> list[dict[str, Any]]:
    """Return what evaluations found: each of an entry of the ledger, which says more."""
    return [
        _metric(
            Metric(
                f"{leaf['task']}: {score['metric']} by {score['scorer']}", score["value"],
                score.get("low", ""), score.get("high", ""), score.get("n", 0),
                f"evaluation of data SHA-256 {leaf['dataset_sha256']}, {scored_of(leaf)}, "
                f"interval {score.get('method') or 'none'}, leaf {index}",
            )
        )
        for index, leaf in use.evaluations
        for score in leaf.get("scores", ())
    ]  # fmt: skip


def _ledger(span: Range, first: int, last: int) -> dict[str, str]:
    return {
        "log:origin": span.origin,
        "log:tree_size": str(span.size),
        "log:root": span.root.hex(),
        "log:first_index": str(first),
        "log:last_index": str(last),
        "log:verified": "true" if span.verified else "false",
    }


def _properties(said: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": f"farthing:{name}", "value": value} for name, value in said.items()]
