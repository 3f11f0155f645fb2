"""Log-probabilities of an answer's tokens, both ways."""

from __future__ import annotations

from farthing.wire.canon import JSON, TokenLogprob
from farthing.wire.chat.nested import inner
from farthing.wire.take import Taker

FLAT = "flat"  # the form of a token that tells no alternatives


def take_logprobs(choice: Taker) -> tuple[list[TokenLogprob], Taker | None]:
    """Take a choice's log-probabilities, and the object they were in."""
    if not choice.left.get("logprobs"):
        return [], None
    box = inner(choice, "logprobs")
    tokens = _read(box.left.get("content")) if box else None
    if box is None or not tokens:
        return [], box
    del box.left["content"]
    return tokens, box


def read_tokens(logprobs: object) -> list[TokenLogprob]:
    """Read the log-probabilities of a stream's chunk, which stay in it, too."""
    found = _read(logprobs.get("content")) if isinstance(logprobs, dict) else None
    return found or []


def _read(told: object, depth: int = 0) -> list[TokenLogprob] | None:
    """Return tokens, when each of them is understood."""
    if not isinstance(told, list):
        return None
    tokens = [_read_token(one, depth) for one in told]
    known = [token for token in tokens if token is not None]
    return known if len(known) == len(tokens) else None


def _read_token(told: object, depth: int) -> TokenLogprob | None:
    if not isinstance(told, dict):
        return None
    taker = Taker(told)
    token, logprob = taker.maybe("token", str), taker.maybe("logprob", float)
    if token is None or logprob is None:
        return None
    read = TokenLogprob(token=token, logprob=logprob)
    spelled = taker.left.get("bytes")
    if isinstance(spelled, list) and all(type(one) is int for one in spelled):
        read.bytes = taker.maybe("bytes", list)
    read.top = _read_top(taker, depth)
    read.form = "" if read.top or told.get("top_logprobs") == [] else FLAT
    read.rest = taker.left
    return read


def _read_top(taker: Taker, depth: int) -> list[TokenLogprob]:
    top = _read(taker.left.get("top_logprobs"), depth + 1) if depth == 0 else None
    if top is None:
        return []
    del taker.left["top_logprobs"]
    return top


def write_tokens(tokens: list[TokenLogprob], same: bool) -> list[JSON]:
    """Write an answer's tokens; the alternatives have no alternatives of their own."""
    return [
        _write_token(token, same)
        | _top([_write_token(one, same) for one in token.top], token, same)
        for token in tokens
    ]


def _write_token(token: TokenLogprob, same: bool) -> JSON:
    written: JSON = {"token": token.token, "logprob": token.logprob}
    if token.bytes is not None or not same:
        written["bytes"] = token.bytes
    return written | (token.rest if same else {})


def _top(top: list[JSON], token: TokenLogprob, same: bool) -> JSON:
    return {} if same and token.form == FLAT and not top else {"top_logprobs": top}
