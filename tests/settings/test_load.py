"""Reading farthing.toml: each message names the file, the line and what to write."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from farthing.errors import ConfigError
from farthing.settings import HttpSettings, Settings
from farthing.settings.load import FILE_NAME, load_settings, parse_settings, split_address

FILE = Path("/etc/farthing.toml")
PRICE = '[[prices]]\nprovider = "p"\nmodel = "m"\ninput = 1\noutput = 2\n'


def told(text: str) -> str:
    """Return the message that a text is refused with."""
    with pytest.raises(ConfigError) as error:
        parse_settings(text, FILE)
    return str(error.value)


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The three places a file is looked for in, in order; the last is the data folder."""
    folders = [tmp_path / "cwd", tmp_path / "xdg" / "farthing", tmp_path / "data"]
    for folder in folders:
        folder.mkdir(parents=True)
    monkeypatch.chdir(folders[0])
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    return folders


# -- which file -----------------------------------------------------------------------------------


def test_without_a_file_every_setting_has_its_default(places: list[Path]) -> None:
    assert load_settings(None, places[2]) == (Settings(), None)


@pytest.mark.parametrize("first", [0, 1, 2])
def test_the_first_file_found_counts(places: list[Path], first: int) -> None:
    for number, folder in enumerate(places):
        if number >= first:
            (folder / FILE_NAME).write_text(f"workers = {number + 2}")
    found, path = load_settings(None, places[2])
    assert found.workers == first + 2
    assert path == places[first] / FILE_NAME


def test_a_file_that_is_named_comes_before_all_others(places: list[Path], tmp_path: Path) -> None:
    (places[0] / FILE_NAME).write_text("workers = 2")
    named = tmp_path / "other.toml"
    named.write_text("workers = 9")
    assert load_settings(named, places[2])[0].workers == 9


def test_without_xdg_the_configuration_is_in_the_home(
    places: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".config" / "farthing").mkdir(parents=True)
    (tmp_path / ".config" / "farthing" / FILE_NAME).write_text("workers = 5")
    assert load_settings(None, places[2])[0].workers == 5


def test_a_named_file_that_is_missing_is_an_error_not_a_default(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: cannot be read"):
        load_settings(tmp_path / "nowhere.toml", tmp_path)


def test_a_file_that_is_not_utf_8_says_which(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b'listen = "\xff"')
    with pytest.raises(ConfigError, match=r"farthing\.toml: cannot be read"):
        load_settings(tmp_path / FILE_NAME, tmp_path)


# -- what is wrong, and where ---------------------------------------------------------------------

# The text, the line that is wrong, and the words that say what to write.
WRONG = [
    ("workers = 1\nlisen = 'x'", 2, ["no setting `lisen`", "did you mean `listen`?"]),
    ("[htp]\nx = 1", 1, ["no setting `htp`", "did you mean `http`?"]),
    ("[http]\n\nhead_secnds = 1", 3, ["`http.head_secnds`", "did you mean `head_seconds`?"]),
    ("[local]\nzzz = 1", 2, ["the settings here are", "`enabled`", "`dollars_per_hour`"]),
    ("[providers.a]\nbase_ur = 'x'", 2, ["no setting", "did you mean `base_url`?"]),
    ("workers = 'two'", 1, ["`workers`: expected a whole number, got a string"]),
    ("workers = true", 1, ["expected a whole number, got true or false"]),
    ("workers = 1.0", 1, ["expected a whole number, got a decimal number"]),
    ("listen = 3", 1, ["`listen`: expected a string, got a whole number"]),
    ("# a comment\nmodels = 3", 2, ["`models`: expected a table"]),
    ("[http]\nhead_seconds = 'a'", 2, ["`http.head_seconds`: expected a number, got a string"]),
    ("[providers.a]\nenabled = 'no'", 2, ["expected true or false, got a string"]),
    ("[models]\nfast = 3", 2, ["expected a string, got a whole number"]),
    ("durability = 'disk'", 1, ["'disk' is not a choice", 'write "power" or "process"']),
    ("listen = 'localhost'", 1, ["an address and a port", '"127.0.0.1:1960"']),
    ("listen = ':80'", 1, ["an address and a port"]),
    ("workers = 0", 1, ["`workers`: expected a number above 0"]),
    ("default_output_tokens = -1", 1, ["expected a number above 0"]),
    ("[otel]\nendpoint = 'collector:4318'", 2, ["`otel.endpoint`: expected an address such as"]),
    ("[otel]\nendpoint = 'http://a:b@c'", 2, ["`otel.endpoint`: expected an address such as"]),
    ("[local]\nparallel = 0", 2, ["`local.parallel`: expected a number above 0"]),
    ("[local]\ncontext_tokens = 0", 2, ["expected a number above 0"]),
    ("[[prices]]\nprovider = 'p'\nmodel = 'm'\ninput = 1", 1, ["`prices.output`", "add `output ="]),
    (PRICE + "inptu = 3", 6, ["no setting `prices.inptu`", "did you mean `input`?"]),
    (PRICE + PRICE + "request = -1", 11, ["`prices.request`: expected dollars for a million"]),
    (PRICE + PRICE.replace("2", "'x'"), 10, ["`prices.output`"]),
    (PRICE + "[http]\nhead_seconds = 'a'", 7, ["`http.head_seconds`"]),
    (PRICE + PRICE + "[http]\nhead_seconds = 'a'", 12, ["`http.head_seconds`"]),
    ('"workers" = 0', 1, ["`workers`"]),
    ("http.head_seconds = 'a'", 1, ["`http.head_seconds`"]),
]


@pytest.mark.parametrize(("text", "line", "words"), WRONG)
def test_a_message_names_the_file_the_line_and_what_to_write(
    text: str, line: int, words: list[str]
) -> None:
    message = told(text)
    assert message.startswith(f"{FILE}, line {line}: ")
    for word in words:
        assert word in message


def test_what_is_not_toml_is_said_with_its_file_and_line() -> None:
    message = told("workers = 1\nlisten = \nx = 1")
    assert message.startswith(f"{FILE}: not valid TOML")
    assert "line 2" in message


@pytest.mark.parametrize("name", HttpSettings.__struct_fields__)
def test_every_bound_of_http_is_above_zero(name: str) -> None:
    assert f"`http.{name}`: expected a number above 0" in told(f"[http]\n{name} = 0")
    kept = parse_settings(f"[http]\n{name} = 1", FILE).http
    assert getattr(kept, name) == 1


@pytest.mark.parametrize("price", ["-0.1", "nan", "inf", "-inf", "1000000000"])
@pytest.mark.parametrize(
    "meter", ["input", "output", "cache_read", "cache_write", "cache_write_1h", "request"]
)
def test_a_price_without_a_meaning_is_refused(meter: str, price: str) -> None:
    given = {"input": "1", "output": "1", meter: price}
    rows = "".join(f"{name} = {value}\n" for name, value in given.items())
    message = told(f'[[prices]]\nprovider = "p"\nmodel = "m"\n{rows}')
    assert f"`prices.{meter}`: expected dollars for a million, 0 or more" in message


def test_a_price_of_nothing_is_a_price() -> None:
    found = parse_settings(PRICE.replace("input = 1", "input = 0"), FILE)
    assert found.prices[0].input == 0


@pytest.mark.parametrize("written", ["0.1", "0.30000000000000004", "1e-7", "12345678.123456789"])
def test_money_is_read_exactly_and_never_as_a_float(written: str) -> None:
    found = parse_settings(PRICE.replace("input = 1", f"input = {written}"), FILE)
    assert isinstance(found.prices[0].input, Decimal)
    assert found.prices[0].input == Decimal(written)


@pytest.mark.parametrize("written", ["0.1", "0.300000001", "1e-7"])
def test_an_hour_s_price_is_read_exactly(written: str) -> None:
    hour = parse_settings(f"[local]\ndollars_per_hour = {written}", FILE).local.dollars_per_hour
    assert isinstance(hour, Decimal)
    assert hour == Decimal(written)


def test_a_duration_may_have_decimals() -> None:
    assert parse_settings("[http]\nhead_seconds = 0.5", FILE).http.head_seconds == 0.5


@pytest.mark.parametrize(
    ("said", "host", "port"),
    [
        ("127.0.0.1:1960", "127.0.0.1", 1960),
        ("[::1]:80", "::1", 80),
        ("localhost:0", "localhost", 0),
        ("0.0.0.0:65535", "0.0.0.0", 65535),
    ],
)
def test_an_address_is_a_host_and_a_port(said: str, host: str, port: int) -> None:
    assert split_address(said) == (host, port)
    assert parse_settings(f'listen = "{said}"', FILE).listen == said


@pytest.mark.parametrize("said", ["", "1960", "host", ":1960", "host:", "host:65536", "host:-1"])
def test_what_is_no_address_is_refused(said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"Expected an address and a port"):
        split_address(said)


# -- defects --------------------------------------------------------------------------------------


def test_a_port_is_made_of_ascii_digits() -> None:
    assert "an address and a port" in told("listen = 'host:²'")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[models]\ngood = 'openai/x'\nbad = 3", 3),
        ("[providers.a]\nenabled = true\n[providers.b]\nenabled = 'no'", 4),
        ("[providers.a]\ndialects = { chat = 3 }", 2),
        ('[providers."my.gate"]\nenabled = 3', 2),
        ("workers = 1\nhttp = { head_seconds = 'a' }", 2),
    ],
)
def test_the_line_is_the_one_that_is_wrong_inside_named_and_inline_tables(
    text: str, line: int
) -> None:
    assert told(text).startswith(f"{FILE}, line {line}: ")


def test_a_message_names_the_provider_that_is_wrong() -> None:
    assert "`providers.acme.enabled`" in told("[providers.acme]\nenabled = 'no'")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[local]\nenabled = 'yes'", "expected true or false, got a string"),
        ("[providers.a]\napi_key_env = 3", "expected a string, got a whole number"),
        (PRICE + 'starts = "soon"', "2026-"),
    ],
)
def test_a_type_error_is_in_the_words_of_toml(text: str, words: str) -> None:
    assert words in told(text)


def test_a_number_that_no_decimal_can_hold_is_an_error_of_the_file() -> None:
    assert str(FILE) in told(PRICE.replace("input = 1", "input = 1e99999999999999999999"))


@pytest.mark.parametrize(
    "text",
    [
        "[http]\nhead_seconds = nan",
        "[local]\ndollars_per_hour = -1",
        "[local]\ndollars_per_hour = nan",
        "[local]\ndollars_per_hour = 0.0000000001",
        "[local]\nthreads = -1",
        'log_origin = "two words"',
        'log_origin = "a+b"',
        'log_origin = "a\\nb"',
        "[providers.openai]\nimage_tokens = -5",
        "[providers.openai]\nreasoning_tokens = -1",
        "[providers.openai]\nquery_tokens = -1",
        PRICE + "input_audio = -1",
        PRICE + "context_tokens = -3",
    ],
)
def test_a_value_of_the_right_type_and_no_meaning_is_refused(text: str) -> None:
    assert f"{FILE}, line " in told(text)


def test_the_environments_database_comes_before_the_files(
    places: tuple[Path, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FARTHING_DATABASE", raising=False)
    assert load_settings(None, places[2])[0].database is None
    (places[2] / FILE_NAME).write_text('database = "postgresql://db/in_the_file"')
    assert load_settings(None, places[2])[0].database == "postgresql://db/in_the_file"
    monkeypatch.setenv("FARTHING_DATABASE", "postgresql://db/in_the_environment")
    assert load_settings(None, places[2])[0].database == "postgresql://db/in_the_environment"


# -- what becomes of contents ---------------------------------------------------------------------


def test_rules_of_contents_are_read_in_their_order() -> None:
    text = (
        '[[contents]]\nkeep = "commitments"\n'
        '[[contents]]\nscope = "team:legal"\nkeep = "contents"\nretention_days = 180\n'
    )
    everybody, legal = parse_settings(text, FILE).contents
    assert (everybody.keep, everybody.scope, everybody.retention_days) == ("commitments", "", None)
    assert (legal.keep, legal.scope, legal.retention_days) == ("contents", "team:legal", 180)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ('keep = "all"', '"nothing" or "commitments" or "contents"'),
        ('scope = "org:o"', "`contents.keep` is missing; add `keep = …`"),
        ('keep = "contents"\nscope = "user:ann"', "one of org, team, project, key"),
        ('keep = "contents"\nscope = "team:"', "one of org, team, project, key"),
        ('keep = "contents"\nscope = "org:*"', "one of org, team, project, key"),
        ('keep = "contents"\nretention_days = 0', "a number above 0"),
        ('keep = "contents"\n[[contents]]\nkeep = "nothing"', "one row for each scope"),
    ],
)
def test_a_rule_of_contents_that_would_mean_nothing_is_refused(row: str, why: str) -> None:
    assert why in told(f"[[contents]]\n{row}\n")


def test_what_is_kept_of_a_content_is_above_nothing() -> None:
    assert "a number above 0" in told("contents_bytes = 0\n")


WITNESS = '[[witnesses]]\nkey = "w+1+2"\nurl = "{}"\n'


@pytest.mark.parametrize(
    "url", ["https://w.example.com/log", "http://127.0.0.1:1961", "http://[::1]:9"]
)
def test_a_witness_has_an_address_of_http(url: str) -> None:
    (found,) = parse_settings(WITNESS.format(url), FILE).witnesses
    assert (found.url, found.key, found.allow_private_address) == (url, "w+1+2", False)


@pytest.mark.parametrize(
    "url",
    ["", "w.example.com", "file:///etc/passwd", "http://", "http://[", "http://w:x", "http://a@w"],
)
def test_a_witness_elsewhere_is_refused(url: str) -> None:
    said = told(WITNESS.format(url))
    assert "line 3" in said and "expected an http address" in said


def test_a_time_stamping_authority_has_an_address_and_a_period() -> None:
    found = parse_settings('timestamp_url = "https://tsa.example.com/tsr"\n', FILE)
    assert (found.timestamp_url, found.timestamp_hours) == ("https://tsa.example.com/tsr", 24)
    assert not found.timestamp_allow_private_address and not parse_settings("", FILE).timestamp_url
    for url in ("tsa.example.com", "file:///etc/passwd", "http://", "http://a@tsa"):
        said = told(f'timestamp_url = "{url}"\n')
        assert "line 1" in said and "expected an http address" in said
    for hours in ("0", "-1", "inf", "nan"):
        assert "a number above 0" in told(f"timestamp_hours = {hours}\n")
