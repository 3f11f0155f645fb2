"""Paths that name a deployment, as clients of Azure OpenAI ask.

`/openai/deployments/{name}/chat/completions?api-version=…`, with the key in the header `api-key`.
https://learn.microsoft.com/en-us/azure/ai-services/openai/reference
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote

from farthing.wire.dialect import Target


def deployment(what: bytes) -> Callable[[bytes], Target | None]:
    """Return what reads the model off such a path; whether to stream, the body says."""
    match = re.compile(rb"/openai/deployments/([^/]+)/" + re.escape(what)).fullmatch

    def target(path: bytes) -> Target | None:
        found = match(path)
        return Target(unquote(found[1].decode("latin-1"))) if found is not None else None

    return target
