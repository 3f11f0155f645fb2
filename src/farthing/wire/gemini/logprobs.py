"""Log-probabilities: `logprobsResult`, both ways."""

from __future__ import annotations

from typing import Any

from farthing.wire.canon import JSON, TokenLogprob
from farthing.wire.crossing import Crossing


def read_logprobs(told: Any) -> list[TokenLogprob] | None:
    """Read a `logprobsResult`; None when it is not as regular as it should be."""
    if not isinstance(told, dict):
        return None
    chosen, tops = told.get("chosenCandidates"), told.get("topCandidates")
    if not isinstance(chosen, list) or not chosen:
        return None
    if tops is None:
        tops = [{"candidates": []}] * len(chosen)
    if not isinstance(tops, list) or len(tops) != len(chosen):
        return None
    made = [_read(one, _alternatives(top)) for one, top in zip(chosen, tops, strict=True)]
    read = [token for token in made if token is not None]
    return read if len(read) == len(made) else None


def _alternatives(top: Any) -> list[Any] | None:
    match top:
        case {"candidates": list(found)} if len(top) == 1:
            return found
    return None


def _read(told: Any, top: list[Any] | None) -> TokenLogprob | None:
    match told:
        case {"token": str(token), "logProbability": (float() | int()) as logprob}:
            others = [_read(other, []) for other in top or []]
            likeliest = [other for other in others if other is not None]
            if top is None or len(likeliest) < len(others):
                return None
            rest = {k: v for k, v in told.items() if k not in ("token", "logProbability")}
            return TokenLogprob(token=token, logprob=logprob, top=likeliest, rest=rest)
    return None


def write_logprobs(tokens: list[TokenLogprob], tops: bool, crossing: Crossing) -> JSON:
    """Write a `logprobsResult`; `tops`: whether with the likeliest alternatives."""
    made: JSON = {"chosenCandidates": [_write(token, crossing) for token in tokens]}
    if tops:
        made["topCandidates"] = [
            {"candidates": [_write(other, crossing) for other in token.top]} for token in tokens
        ]
    return made


def _write(token: TokenLogprob, crossing: Crossing) -> JSON:
    rest = crossing.rest(token, "logprobs", {"tokenId": "hint"})
    return {**rest, "token": token.token, "logProbability": token.logprob}
