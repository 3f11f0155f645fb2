"""Exports of what was billed: each format is known by its columns, and read exactly."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import pytest

from farthing import money
from farthing.errors import ConfigError
from farthing.providers.invoices import Billed, Invoice, read_invoice

DAY = date(2026, 11, 1)

# Written by hand, in the columns of each export.
FOCUS = """\
BilledCost,BillingCurrency,ChargePeriodStart,ConsumedQuantity,ConsumedUnit,SkuId,SkuPriceDetails
1.5,USD,2026-11-01T00:00:00Z,500000.0,Tokens,sku-in,"{""ModelId"": ""big-1"", ""Other"": 3}"
0.25,USD,2026-11-01T05:00:00+06:00,7,Searches,sku-search,"{""ModelId"": ""big-1""}"
"""
OPENAI_COSTS = """\
start_time,end_time,start_time_iso,amount_value,amount_currency,line_item,project_id
1793491200,1793577600,2026-11-01T00:00:00,0.003835980000000000,usd,"gpt-5-nano, input",p1
1793577600,1793664000,2026-11-02T00:00:00,,,,
"""
OPENAI_USAGE = """\
start_time,end_time,num_model_requests,model,batch,input_tokens,output_tokens,input_cached_tokens
1793491200,1793577600,12,gpt-5-nano-2026-08-07,False,1000,200,800
"""
ANTHROPIC_COST = """\
usage_date_utc,model,workspace,api_key,token_type,cost_usd,cost_type
2026-11-01,Claude Haiku 4.5,Default,k,input_no_cache,0.05,token
"""
ANTHROPIC_USAGE = """\
usage_date_utc,model_version,usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,\
usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens
2026-11-01,claude-haiku-4-5-20251001,10,2,3,4,5
"""


def read(tmp_path: Path, text: str, **columns: str) -> Invoice:
    path = tmp_path / "export.csv"
    path.write_text(text, encoding="utf-8-sig")
    return read_invoice(path, columns or None)


@pytest.mark.parametrize(
    ("text", "name", "rows"),
    [
        (
            FOCUS,
            "focus",
            [
                Billed(DAY, "big-1", 1_500_000_000, 500_000),
                Billed(date(2026, 10, 31), "big-1", 250_000_000, 0),
            ],
        ),
        (OPENAI_COSTS, "openai-costs", [Billed(DAY, "gpt-5-nano", 3_835_980)]),
        (OPENAI_USAGE, "openai-usage", [Billed(DAY, "gpt-5-nano-2026-08-07", None, 1200, 12)]),
        (ANTHROPIC_COST, "anthropic-cost", [Billed(DAY, "Claude Haiku 4.5", 50_000_000)]),
        (ANTHROPIC_USAGE, "anthropic-usage", [Billed(DAY, "claude-haiku-4-5-20251001", None, 24)]),
    ],
)
def test_each_export_is_known_and_read(
    tmp_path: Path, text: str, name: str, rows: list[Billed]
) -> None:
    found = read(tmp_path, text)
    assert (found.format.name, found.rows) == (name, rows)
    assert found.sha256 == hashlib.sha256((tmp_path / "export.csv").read_bytes()).hexdigest()


def test_days_without_use_are_days_of_the_export(tmp_path: Path) -> None:
    assert read(tmp_path, OPENAI_COSTS).days == (DAY, date(2026, 11, 2))


def test_a_plain_table_says_what_was_declared(tmp_path: Path) -> None:
    text = "when,what,in,out,paid,rid\n2026-11-01,m,3,4,0.000000001,r1\n"
    columns = {"date": "when", "model": "what", "input_tokens": "in", "output_tokens": "out"}
    found = read(tmp_path, text, **columns, cost_usd="paid", request_id="rid")
    assert found.rows == [Billed(DAY, "m", 1, 7, None, "r1")]
    assert found.format.provider == ""


def test_a_credit_is_below_zero(tmp_path: Path) -> None:
    found = read(tmp_path, "d,m,c\n2026-11-01,m,-2.5\n", date="d", model="m", cost_usd="c")
    assert found.rows[0].usd == -2_500_000_000


PLAIN = "d,m,c,t\n2026-11-01,m,1,2\n"


@pytest.mark.parametrize(
    ("text", "columns", "said"),
    [
        ("a,b\n1,2\n", {}, "of no known export"),
        ("", {}, "of no known export"),
        (PLAIN, {"date": "d"}, "which column is the model"),
        (PLAIN, {"date": "d", "model": "x"}, "no column x"),
        (PLAIN, {"date": "d", "model": "m", "price": "c"}, "price is not one of"),
        ("d,m,c\n", {"date": "d", "model": "m"}, "no rows"),
        ("d,m,c\nmonday,m,1\n", {"date": "d", "model": "m"}, "row 2"),
        ("d,m,c\n2026-11-01,m,much\n", {"date": "d", "model": "m", "cost_usd": "c"}, "row 2"),
        ("d,m,c\n2026-11-01,m,NaN\n", {"date": "d", "model": "m", "cost_usd": "c"}, "row 2"),
        ("d,m,c\n2026-11-01,m,1.5\n", {"date": "d", "model": "m", "requests": "c"}, "whole number"),
        (OPENAI_COSTS.replace("usd", "eur"), {}, "eur is not a currency"),
    ],
)
def test_what_cannot_be_read_is_said(
    tmp_path: Path, text: str, columns: dict[str, str], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        read(tmp_path, text, **columns)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_invoice(tmp_path / "nowhere.csv")


def test_money_is_exact_whatever_its_decimals(tmp_path: Path) -> None:
    text = "d,m,c\n" + "2026-11-01,m,0.1\n" * 3
    found = read(tmp_path, text, date="d", model="m", cost_usd="c")
    assert money.dollars(sum(row.usd or 0 for row in found.rows)) == "0.3"
