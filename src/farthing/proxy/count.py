"""Have a provider count a query's input, for nothing, before the query is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from farthing.errors import Failed
from farthing.proxy.gather import Gathered
from farthing.proxy.http import filled
from farthing.route.plan import Route
from farthing.wire.dialect import Dialect

if TYPE_CHECKING:
    from farthing.proxy.app import App


async def count(
    app: App, route: Route, dialect: Dialect, path: str, own: Mapping[str, str], body: bytes
) -> bytes:
    """Return the answer to a request for a count; `own` are the dialect's own headers.

    Raises:
        Failed: the provider did not answer; so the query is not sent either.
    """
    provider, told = route.provider, Gathered()
    connection = await app.pool.connect(provider)
    where = filled(path, route.model, "")
    connection.send(app.message(provider, dialect, where, own, body), told)
    try:
        await told.finished
    except Failed as problem:
        raise Failed(
            problem.code,
            f"{provider.name} did not count the input, so the query was not sent and nothing "
            "is billed.",
        ) from None
    return bytes(told.content)
