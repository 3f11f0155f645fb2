"""What farthing.toml may say. Every setting has a default; a file is needed for none of them.

docs/reference/settings.md is checked against these structs, docstrings included: the text under
a field is its documentation.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec


class HttpSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """[http]: bounds on what clients and providers may make the gateway hold or wait for."""

    max_body_bytes: int = 32 * 1024 * 1024
    """Largest request body, in bytes."""
    max_header_bytes: int = 64 * 1024
    """Largest request line and headers together, in bytes; for providers' answers too."""
    max_answer_bytes: int = 64 * 1024 * 1024
    """Largest whole (not streamed) answer of a provider, in bytes."""
    max_open_requests: int = 10_000
    """Requests one worker has open at once; more are answered 503."""
    head_seconds: float = 10
    """Time for a client to send its request line and headers."""
    body_seconds: float = 60
    """Time for a client to send the body after them."""
    idle_seconds: float = 75
    """How long a kept-alive client connection may rest between requests."""
    stalled_seconds: float = 60
    """How long a client may leave its answer unread before it counts as gone."""
    connect_seconds: float = 10
    """Time to connect to a provider, TLS included."""
    answer_seconds: float = 600
    """Time for a provider to begin its answer."""
    silence_seconds: float = 120
    """How long a provider may fall silent in the middle of its answer."""
    pool_idle_seconds: float = 30
    """How long an unused connection to a provider is kept."""
    drain_seconds: float = 30
    """How long a stopping worker waits for open queries to end."""


class LocalSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """[local]: the embedded model."""

    enabled: bool | None = None
    """Whether it is started; unset, `farthing up` starts it and `farthing serve` does not."""
    dollars_per_hour: Decimal = Decimal("0.05")
    """What an hour of this machine costs; the embedded model's tokens are priced by it."""
    threads: int = 0
    """Threads for the model; 0 means one for each core but one, which is the gateway's."""
    context_tokens: int = 8192
    """Size of its context, shared by the queries it answers at once."""
    parallel: int = 4
    """Queries it answers at once; more wait their turn."""


class OtelSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """[otel]: telemetry to an OpenTelemetry collector, by a process of its own."""

    endpoint: str = ""
    """The collector's address for OTLP over HTTP, such as "http://127.0.0.1:4318". Without one
    there is no telemetry."""
    headers: dict[str, str] = {}
    """Headers of its requests that are no secrets. Those that are come from the environment:
    OTEL_EXPORTER_OTLP_HEADERS="api-key=…"."""
    service_name: str = "farthing"
    """What it is called in spans and metrics."""
    users: bool = False
    """Whether spans name end users and tags among the query's scopes."""


class ProviderSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """[providers.NAME]: a provider that is not built in, or what differs from a built-in one."""

    enabled: bool = True
    """false leaves a provider out although its key is in the environment."""
    base_url: str | None = None
    """Where its API begins, such as "https://llm.example.com/v1"."""
    auth: str | None = None
    """How the key is sent: "bearer", "x-api-key", "api-key", "none"; or "oauth" for an access
    token, which the credentials in the key's file are exchanged for."""
    api_key_env: str | None = None
    """The environment variable that holds the key."""
    api_key_file: str | None = None
    """A file that holds the key, or the credentials."""
    dialects: dict[str, str] | None = None
    """The dialects it speaks, each with its path after base_url."""
    models: list[str] | None = None
    """The models it serves, when the price book does not list them."""
    prices: str | None = None
    """Whose prices in the price book apply; its own name unless said."""
    output_cap_field: str | None = None
    """The request field that carries the output cap in the chat dialect: "max_tokens" unless
    said. A client's cap under the other name is sent under this one."""
    free: dict[str, str] | None = None
    """Dialects whose requests the provider bills nothing for, each with the page that says so."""
    place: str | None = None
    """The region of a provider that has several, such as "europe-west1"; or, where an address of
    your own is asked for, that address. It comes before what the environment says."""
    blanks: dict[str, str] | None = None
    """What else its address leaves open: project = "…", or version = "…"."""
    headers: dict[str, dict[str, str]] | None = None
    """Headers of a dialect's own for clients that send none, by dialect, such as
    { messages = { anthropic-version = "2026-10-21" } }."""
    image_tokens: int | None = None
    """The most tokens the provider counts for one image; without it images are refused."""
    query_tokens: int | None = None
    """The most tokens that the provider's own prompts add to a query; 4096 for a provider that is
    not built in."""
    reasoning_tokens: int | None = None
    """The most tokens of reasoning to reckon with where the output cap does not count them; the
    model's whole context window unless said."""
    unasked_tiers: list[str] | None = None
    """Service tiers that may serve a query that names none, at their price. `[]` says that the
    account's project leaves them alone; such queries are then held at the plain price."""
    allow_private_address: bool | None = None
    """Whether base_url may resolve to a loopback, private or link-local address."""


class WitnessSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """[[witnesses]]: who cosigns the transparency log (c2sp.org/tlog-witness).

    Such as a `farthing witness` that somebody else runs.
    """

    url: str
    """Where it is, such as "https://witness.example.com"."""
    key: str
    """Its public key, as `farthing witness` prints it."""
    allow_private_address: bool = False
    """Whether it may be at a private or loopback address."""


class PriceOverride(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """[[prices]]: a price that comes before the price book's. Dollars for a million tokens."""

    provider: str
    """The provider's name."""
    model: str
    """The model's name, as the provider spells it."""
    input: Decimal
    """Input that is not read from a cache."""
    output: Decimal
    """Output, reasoning included."""
    cache_read: Decimal | None = None
    """Input read from a cache; the price of input unless said."""
    cache_write: Decimal | None = None
    """Input written to a cache; the price of input unless said."""
    cache_write_1h: Decimal | None = None
    """Input written to a cache for an hour; the price of cache_write unless said."""
    input_audio: Decimal | None = None
    """Sound in the input; without it sound is refused."""
    request: Decimal | None = None
    """A fixed price of each query, in dollars for a million queries."""
    input_image: Decimal | None = None
    """Tokens of images that are sent; the price of input unless said."""
    output_image: Decimal | None = None
    """Tokens of images that are made; the price of output unless said."""
    characters: Decimal | None = None
    """Text that is spoken, in dollars for a million characters; such a model has input = 0."""
    audio_seconds: Decimal | None = None
    """Sound that is transcribed, in dollars for a million seconds; such a model has input = 0."""
    search_units: Decimal | None = None
    """Searches of a reranker, in dollars for a million; such a model has input = 0."""
    starts: date | None = None
    """The first day (UTC) it applies; at once unless said."""
    context_tokens: int | None = None
    """The model's context window, which bounds its output."""


class SystemSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """[statement.systems."PROVIDER/MODEL"]: what a statement for a regulator says of a model."""

    purpose: str = ""
    """What it is used for."""
    role: str = ""
    """Your own, such as "deployer"."""
    documents: str = ""
    """Which of its provider's documents you hold, or asked for and were not given."""


class StatementSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """[statement]: what statements say that the log does not."""

    entity: str = ""
    """Whose statements they are, such as "Acme Ltd."."""
    systems: dict[str, SystemSettings] = {}


class ContentsRule(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """[[contents]]: what becomes of prompts and answers. Of all rows the one counts whose scope is
    the nearest to the query's key; a query without one is neither hashed nor kept."""

    keep: Literal["nothing", "commitments", "contents"]
    """"commitments" puts a salted hash of prompt and answer into the ledger and the log, and keeps
    the salts in the vault; "contents" keeps both there as well, encrypted."""
    scope: str = ""
    """"org:NAME", "team:NAME", "project:NAME" or "key:ID"; everybody unless said."""
    retention_days: int | None = None
    """How long salts and contents are kept; then they are erased, and the log says so. Unset, until
    `farthing erase`. It holds for what is there already, too."""


class Settings(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The top of farthing.toml."""

    listen: str = "127.0.0.1:1960"
    """Address and port of the gateway. 1960 is the year the farthing left circulation."""
    workers: int = 1
    """Processes that serve queries. With more than one the ledger is a process of its own."""
    durability: Literal["power", "process"] = "power"
    """What a record survives before it counts: "power" loss (fsync) or the "process" dying."""
    default_output_tokens: int = 16_384
    """The output cap of a query that brings none; the answer says so in a header."""
    database: str | None = None
    """The PostgreSQL database of the records, such as "postgresql://farthing@db.example.com/farthing";
    unset, they are in SQLite in the data folder. FARTHING_DATABASE comes before it. A password may
    stand in the URL, or in PGPASSWORD or ~/.pgpass; it is never printed or recorded."""
    unpriced: Literal["refuse", "pass"] = "refuse"
    """What becomes of a query that cannot be priced or bounded. "pass" sends it where no limit and
    no price cap forbids: nothing is held, and it stays unresolved in the records."""
    unresolved_days: int = 45
    """How long a query whose cost is unknown waits for evidence (`farthing holds`), such as the
    next month's invoice; then it is posted at the most it could have cost. What has no such most
    (`unpriced = "pass"`) waits on."""
    log_origin: str = ""
    """The transparency log's name, in its checkpoints and its key, such as
    "llm.example.com/log"; "farthing/" and the ledger's id unless said. It must stay."""
    log_entries: bool = False
    """Whether the log's entries are served under /log/tile/entries/ to whoever reaches the gateway:
    models, scopes, tokens and costs of all queries. Checkpoint and hashes always are."""
    witnesses: list[WitnessSettings] = []
    witness_seconds: float = 60
    """How often witnesses are asked for a cosignature, if the log grew."""
    timestamp_url: str = ""
    """A time-stamping authority (RFC 3161) that stamps checkpoints of the log, such as
    "https://tsa.example.com/tsr". Without one none is asked."""
    timestamp_hours: float = 24
    """How often it is asked for a time stamp, if the log grew."""
    timestamp_allow_private_address: bool = False
    """Whether it may be at a private or loopback address."""
    models: dict[str, str] = {}
    """Names of your own for models: "fast" = "openai/gpt-4o-mini"."""
    contents: list[ContentsRule] = []
    contents_bytes: int = 16 * 1024 * 1024
    """The most that is kept of one prompt or one answer, in bytes; the rest is cut off, which the
    ledger says. The hash is always of the whole."""
    http: HttpSettings = HttpSettings()
    local: LocalSettings = LocalSettings()
    otel: OtelSettings = OtelSettings()
    providers: dict[str, ProviderSettings] = {}
    prices: list[PriceOverride] = []
    statement: StatementSettings = StatementSettings()
