"""Log-probabilities, both ways."""

from __future__ import annotations

from typing import Any

from farthing.wire.canon import JSON, TokenLogprob
from farthing.wire.crossing import Crossing
from farthing.wire.take import Taker

Logs = list[TokenLogprob]


def read_logprobs(told: Any) -> Logs | None:
    """Read log-probabilities; None unless every one can be read."""
    if not isinstance(told, list):
        return None
    read = [_read_logprob(entry) for entry in told]
    return [one for one in read if one] if all(read) else None


def _read_logprob(entry: Any, top: bool = True) -> TokenLogprob | None:
    if not isinstance(entry, dict):
        return None
    taker = Taker(entry)
    token, logprob = taker.maybe("token", str), taker.maybe("logprob", float)
    if token is None or logprob is None:
        return None
    told = taker.left.get("bytes")
    if isinstance(told, list) and all(type(byte) is int for byte in told):
        del taker.left["bytes"]
    else:
        told = None
    tops = taker.objects("top_logprobs") if top else None
    read = [_read_logprob(one, top=False) for one in tops or []]
    if not all(read):
        return None
    return TokenLogprob(
        token=token,
        logprob=logprob,
        bytes=told,
        top=[one for one in read if one],
        rest=taker.left,
        form="" if tops is not None else "flat",
    )


def write_logprob(one: TokenLogprob, crossing: Crossing, top: bool = True) -> JSON:
    """Write one token's log-probability."""
    told: JSON = {"token": one.token, "logprob": one.logprob, **crossing.rest(one, "logprobs")}
    if one.bytes is not None:
        told["bytes"] = one.bytes
    elif not crossing.same:
        told["bytes"] = list(one.token.encode(errors="surrogatepass"))
    if top and crossing.form(one) != "flat":
        told["top_logprobs"] = [write_logprob(other, crossing, top=False) for other in one.top]
    return told
