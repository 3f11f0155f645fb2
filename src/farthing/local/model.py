"""The embedded model's process: llama.cpp's own server, with a secret and closed CORS."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated, Any

import msgspec

from farthing.local.weights import MODEL
from farthing.runtime import read_told

# A prompt of some 160 tokens and an answer of 32: long enough that the time for each token
# stands out of the fixed costs, short enough that the first start takes seconds longer, once.
PROMPT = "The quick brown fox jumps over the lazy dog. " * 13
ANSWER_TOKENS = 32
ROUNDS = 3


class ModelTold(msgspec.Struct, frozen=True):
    """What the supervisor tells the model's process."""

    weights: str
    secret: str
    port: int
    threads: int
    context_tokens: int
    parallel: int
    measure: bool


class Speed(msgspec.Struct, frozen=True):
    """How long this machine takes for tokens: microseconds, for so many of them."""

    input_tokens: Annotated[int, msgspec.Meta(ge=1)]
    input_us: int
    output_tokens: Annotated[int, msgspec.Meta(ge=1)]
    output_us: int


class ModelReady(msgspec.Struct):
    """The model's line on standard output."""

    base_url: str
    speed: Speed | None


def serve(told: ModelTold) -> Any:
    """Start llama.cpp's server and return it; it stops when it is let go."""
    import xllamacpp  # noqa: PLC0415  (a hundred megabytes that only this process needs)

    params = xllamacpp.CommonParams()
    params.model.path = told.weights
    params.model_alias = {MODEL}
    params.hostnames = ["127.0.0.1"]
    params.port = told.port
    params.api_keys = [told.secret]
    # No page of any origin may speak to it: nobody has this one, and it takes no credentials.
    params.cors_origins = "http://127.0.0.1"
    params.cors_origins_explicit = True
    params.cors_credentials = False
    params.ui = False
    params.endpoint_slots = False
    params.endpoint_props = False
    params.n_ctx = told.context_tokens
    params.n_parallel = told.parallel
    params.kv_unified = True
    params.cache_ram_mib = 0
    params.fit_params = False
    params.verbosity = 0
    # One core is left to the gateway: llama.cpp's threads spin while they wait for each other.
    threads = told.threads or max(1, (os.cpu_count() or 1) - 1)
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    return xllamacpp.Server(params)


def measure(server: Any) -> Speed:
    """Time the model alone on the machine; the median of a few rounds."""
    rounds = sorted((_time_once(server, n) for n in range(ROUNDS)), key=lambda s: s.output_us)
    return rounds[len(rounds) // 2]


def _time_once(server: Any, round_number: int) -> Speed:
    asked = {
        "messages": [{"role": "user", "content": f"{round_number}. {PROMPT}"}],
        "max_tokens": ANSWER_TOKENS,
        "ignore_eos": True,
        "cache_prompt": False,
    }
    timings = server.handle_chat_completions(asked)["timings"]
    return Speed(
        input_tokens=timings["prompt_n"],
        input_us=round(timings["prompt_ms"] * 1000),
        output_tokens=timings["predicted_n"],
        output_us=round(timings["predicted_ms"] * 1000),
    )


def main() -> None:
    """Run the model until the lifeline closes."""
    told = read_told(ModelTold)
    for ignored in (signal.SIGINT, signal.SIGTERM):  # the lifeline alone says when to end
        signal.signal(ignored, signal.SIG_IGN)
    said = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever llama.cpp prints is log
    threading.Thread(target=_end_with_lifeline, daemon=True).start()
    server = serve(told)
    ready = ModelReady(server.listening_address, measure(server) if told.measure else None)
    os.write(said, msgspec.json.encode(ready) + b"\n")
    threading.Event().wait()


def _end_with_lifeline() -> None:
    """End the process when the lifeline closes, also while the model is loaded or measured."""
    while os.read(sys.stdin.fileno(), 4096):
        continue
    os._exit(0)  # llama.cpp's threads have nothing to put away


def known_speed(path: Path) -> Speed | None:
    """Return what was measured before, if it is there and readable."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Speed)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


if __name__ == "__main__":
    main()
