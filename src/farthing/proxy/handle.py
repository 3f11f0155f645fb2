"""THE pipeline: a query's way from its key to its settlement. Only this file knows the order."""

from __future__ import annotations

import logging

from farthing.errors import Failed, FarthingError
from farthing.proxy.query import Query

log = logging.getLogger("farthing")


async def handle(query: Query) -> None:
    """Answer one query: admitted, sent, relayed and settled, or refused with a reason.

    Once it is held, it ends exactly once: settled, void or unresolved, whatever happens.
    """
    try:
        query.authenticate()
        query.read()
        query.plan()
        query.cross()
        query.quote()
        await query.hold()
        try:
            await query.send()
        finally:
            outcome = query.end()
        query.answer(recorded=await outcome is None)
    except FarthingError as problem:
        query.fail(problem)
    except Exception:
        log.exception("query %s failed by a defect", query.id)
        query.fail(
            Failed("internal_error", f"farthing has a defect; its log names query {query.id}.")
        )
