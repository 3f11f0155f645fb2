"""The shape of the code: directions, lengths, pairing, and where vendors may be named."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "farthing"
FILES = sorted(SOURCE.rglob("*.py"))

# From the ground up: a layer imports itself and those before it.
LAYERS = [
    {"money", "errors", "clock", "flow", "paths", "settings", "runtime", "__init__"},
    {"wire"},
    {"providers"},
    {"prices"},
    {"ledger"},
    {"evidence"},
    {"vault"},
    {"policy", "route", "local"},
    {"proxy"},
    {"supervisor"},
    {"report"},
    {"cli"},
    {"__main__"},
]

VENDORS = re.compile(
    r"openai|anthropic|claude|gemini|google|vertex|bedrock|amazon|azure|mistral|groq|deepseek|"
    r"x-ai|xai\b|openrouter|fireworks|cerebras|moonshot|perplexity|cohere",
    re.IGNORECASE,
)

LONGEST_FILE = 350
LONGEST_FUNCTION = 60


def layer(module: str) -> int:
    return next(n for n, names in enumerate(LAYERS) if module in names)


def name_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """Yield the farthing modules a file imports, at any depth of it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("farthing"):
            parts = (node.module or "").split(".")
            yield from ([parts[1]] if len(parts) > 1 else [alias.name for alias in node.names])
        elif isinstance(node, ast.Import):
            for alias in node.names:
                assert not alias.name.startswith("farthing."), f"{path}: use from … import"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_point_one_way(path: Path) -> None:
    mine = layer(name_of(path))
    for module in imported(path):
        if module.startswith("__"):
            continue
        assert layer(module) <= mine, f"{path.relative_to(ROOT)} imports {module}"


def test_siblings_do_not_import_each_other() -> None:
    for path in FILES:
        siblings = LAYERS[layer(name_of(path))] if layer(name_of(path)) == 7 else set()
        for module in imported(path):
            assert module not in siblings - {name_of(path)}, f"{path} imports {module}"


def functions() -> list[tuple[str, int]]:
    """Every function and how many lines it has."""
    found = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                found.append((f"{path.relative_to(SOURCE)}:{node.name}", lines))
    return found


def test_functions_are_short() -> None:
    lengths = [lines for _, lines in functions()]
    assert not [f for f in functions() if f[1] > LONGEST_FUNCTION]
    assert statistics.median(lengths) <= 10
    assert statistics.quantiles(lengths, n=20)[18] <= 40


def test_files_are_about_one_thing() -> None:
    lengths = {str(p.relative_to(SOURCE)): len(p.read_text().splitlines()) for p in FILES}
    assert not {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE}
    vague = {"utils", "helpers", "common", "base", "manager", "misc"}
    assert not [name for name in lengths if Path(name).stem in vague]


def test_every_module_has_its_tests() -> None:
    missing = []
    for path in FILES:
        inner = path.relative_to(SOURCE)
        if path.name == "__init__.py" or "migrations" in inner.parts:
            continue
        test = ROOT / "tests" / inner.parent / f"test_{path.stem.strip('_')}.py"
        if not test.exists():
            missing.append(str(test.relative_to(ROOT)))
    assert not missing


def code_texts(path: Path) -> Iterator[tuple[int, str]]:
    """Yield a file's names and strings, but for docstrings: what decides, not what explains."""
    tree = ast.parse(path.read_text())
    explained = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            if id(node) not in explained:
                text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
                yield node.lineno, text
        elif isinstance(node, ast.Name):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute):
            yield node.lineno, node.attr


def test_vendors_are_named_only_at_the_rim() -> None:
    found = []
    for path in FILES:
        if name_of(path) not in ("wire", "providers"):
            for line, text in code_texts(path):
                if VENDORS.search(text):
                    found.append(f"{path.relative_to(ROOT)}:{line}: {text[:60]}")
    assert not found


def test_nothing_compares_a_provider_or_a_dialect_by_name() -> None:
    compares = re.compile(r"\b(provider|dialect)(\.name)?\s*(==|!=)\s*[\"']")
    for path in FILES:
        if name_of(path) not in ("wire", "providers"):
            assert not compares.search(path.read_text()), path


def test_a_worker_loads_no_sql_and_no_price_data() -> None:
    """They would cost each worker its memory, and a statement there would stall every query."""
    program = (
        "import sys, farthing.proxy.worker; "
        "print(sorted({'sqlalchemy', 'alembic', 'pydantic', 'genai_prices', 'typer', 'rich', "
        "'numpy', 'scipy', 'opentelemetry', 'requests', 'inspect_ai', 'rfc3161_client'} "
        "& sys.modules.keys()))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"


def test_no_file_names_a_registry_or_this_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    hosts = ["py" + "pi.org", "files.python" + "hosted.org", "registry.npm" + "js.org"]
    for name in listed.stdout.split():
        path = ROOT / name
        if path.suffix in (".py", ".md", ".toml", ".txt", ".in", ".sh", "") and path.is_file():
            text = path.read_text(errors="replace")
            assert not [host for host in hosts if host in text], name
            assert str(ROOT) not in text, name
