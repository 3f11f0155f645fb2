"""Every way a query can fail, as a tree and a table.

    FarthingError
    ├── Malformed   the client's: the request is wrong and will be wrong again
    ├── Refused     ours: a policy or a promise forbids it; nothing was sent
    └── Failed      the provider's, or the way there

Each error carries a stable code from `CODES`, the HTTP status that goes with it, and a sentence
that tells its reader what to do next. Every dialect renders them in its own error shape.
"""

# code → (HTTP status, what it means). docs/reference/errors.md is checked against this table.
CODES: dict[str, tuple[int, str]] = {
    # Malformed
    "bad_request": (400, "The HTTP message itself is broken or ambiguous."),
    "missing_body": (400, "The request has no body."),
    "invalid_json": (400, "The body is not a JSON object."),
    "invalid_field": (400, "A field that decides the price has the wrong type or value."),
    "invalid_form": (400, "A multipart form could be read in more than one way."),
    "invalid_header": (400, "A farthing- header has a value that cannot be read."),
    "not_found": (404, "There is no such path."),
    "unknown_model": (404, "No configured provider serves the model."),
    "ambiguous_model": (400, "Several configured providers serve the model."),
    "unknown_provider": (400, "No provider of the name has a key here."),
    "ambiguous_provider": (400, "Several providers could be meant; the request names none."),
    "unknown_query": (404, "This key has made no query of that id."),
    "no_receipt": (404, "The query has not ended, or the gateway keeps no log."),
    "method_not_allowed": (405, "The path exists, but not for this method."),
    "request_timeout": (408, "The request did not arrive in time."),
    "body_too_large": (413, "The body is larger than the configured bound."),
    "headers_too_large": (
        431,
        "The request line and headers are larger than the configured bound.",
    ),
    # Refused
    "missing_key": (401, "The request carries no key."),
    "unknown_key": (401, "The key is not one of this gateway's, or its secret is wrong."),
    "revoked_key": (401, "The key has been revoked."),
    "expired_key": (401, "The key's time is over."),
    "limit_reached": (402, "The most the query could cost does not fit what a limit leaves."),
    "credit_exhausted": (402, "The prepaid credit that is left does not cover the query."),
    "rate_limited": (429, "A limit of requests, of tokens in a window, or of open requests."),
    "max_cost": (402, "The query cannot be made to fit its own price cap."),
    "unpriced_model": (400, "The price book has no price for the model, or for a meter it uses."),
    "unpriced_under_limit": (402, "What has no bound may pass here, but not under a limit."),
    "unbounded": (400, "The request asks for something whose cost has no upper bound."),
    "unsupported_crossing": (501, "The model's provider has not what was asked for."),
    "lossy_crossing": (400, "The model's provider speaks a dialect that cannot say the request."),
    "route_tripped": (503, "The model billed more than its bound; its operator must look at it."),
    "ledger_unavailable": (503, "The ledger cannot answer, so nothing may be sent."),
    "vault_unavailable": (503, "What must be kept of the query cannot be, so nothing was sent."),
    "journal_full": (503, "The journal's disk is full, so nothing may be sent."),
    "not_logged_yet": (503, "No checkpoint of the log covers the query's ending yet."),
    "shutting_down": (503, "The gateway is stopping."),
    "too_busy": (503, "A bound on open requests or connections is reached."),
    # Failed
    "upstream_unreachable": (502, "No connection to the provider: nothing was sent."),
    "no_token": (502, "No access token for the provider: nothing was sent."),
    "upstream_reset": (502, "The provider's connection broke after the query was sent."),
    "upstream_malformed": (502, "The provider's answer is not valid HTTP, or is too large."),
    "upstream_timeout": (504, "The provider did not answer, or stopped answering, in time."),
    "internal_error": (500, "A defect in farthing."),
}


class FarthingError(Exception):
    """An error with a stable code, its HTTP status and a sentence for its reader."""

    def __init__(self, code: str, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = CODES[code][0]
        self.message = message
        self.retry_after = retry_after


class Malformed(FarthingError):
    """The client's request is wrong."""


class Refused(FarthingError):
    """Policy, or a promise of farthing's, forbids the query. Nothing was sent."""


class Failed(FarthingError):
    """The provider, or the way to it, failed."""


class ConfigError(Exception):
    """The configuration, or the machine, is not as it must be; the message says what to write."""
