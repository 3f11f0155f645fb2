"""The comparison in the documents: its tables, and a picture of them."""

from __future__ import annotations

import io
import re
from pathlib import Path

from bench.measure import HERE, BenchError
from bench.show import Figures, show, speed
from bench.workloads import Sample, Workload
from rich.console import Console

DOCS = HERE.parent / "docs" / "benchmarks.md"
PLOT = HERE.parent / "docs" / "benchmarks.svg"
BEGIN, END = "<!-- comparison: written by `make bench-docs` -->\n", "<!-- comparison ends -->\n"
BLOCK = re.compile(f"(?<={re.escape(BEGIN)}).*?(?={re.escape(END)})", re.DOTALL)
PICTURE = f"![Speed of each system relative to nginx]({PLOT.name})"


def publish(workloads: list[Workload], samples: list[Sample], facts: dict[str, str]) -> None:
    """Put the tables in the place of those in the documents, and draw the picture beside them."""
    told = Console(file=(file := io.StringIO()), highlight=False, width=400)
    show(told, workloads, samples, facts)
    lines = [line.rstrip() for line in file.getvalue().strip().splitlines()]
    block = "\n".join(["", PICTURE, "", "```", *lines, "```", "", ""])
    DOCS.write_text(replace_block(DOCS.read_text(), block))
    draw(workloads, samples, PLOT)


def replace_block(page: str, block: str) -> str:
    """Return a page with another block of figures.

    Raises:
        BenchError: the page has no place for it.
    """
    changed, number = BLOCK.subn(lambda _: block, page)
    if number != 1:
        raise BenchError(f"{DOCS.name} must have one place for the figures, after {BEGIN.strip()}")
    return changed


def draw(workloads: list[Workload], samples: list[Sample], file: Path) -> None:
    """Draw each system's queries or events per second relative to nginx's, as SVG.

    Raises:
        BenchError: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl  # noqa: PLC0415  (only who draws needs it)

        mpl.use("svg")
        from matplotlib import pyplot as plt  # noqa: PLC0415
    except ImportError:
        raise BenchError("a picture needs matplotlib: pip install 'farthing[report]'") from None
    drawn = [w for w in workloads if w.shape in ("whole", "streams")]
    ratios = {w.name: relative(w, samples) for w in drawn}
    ratios = {name: found for name, found in ratios.items() if found}
    systems = list(dict.fromkeys(s for found in ratios.values() for s in found))
    # A fixed salt: the same figures give the same bytes.
    plt.rcParams.update({"svg.hashsalt": "farthing", "font.size": 9})
    figure, axes = plt.subplots(figsize=(9, 0.35 + 0.16 * sum(map(len, ratios.values()))))
    colours = {system: f"C{number}" for number, system in enumerate(systems)}
    place, ticks = 0.0, []
    for name, found in ratios.items():
        first = place
        for system, ratio in found.items():
            axes.barh(place, ratio, color=colours[system], label=system)
            axes.text(ratio * 1.05, place, f"{ratio:.2g}", va="center", fontsize=7)
            place += 1
        ticks.append(((first + place - 1) / 2, name))
        place += 1
    axes.set_xscale("log")
    axes.set_yticks([at for at, _ in ticks], [name for _, name in ticks])
    axes.invert_yaxis()
    axes.set_xlabel("queries or events per second on one core, relative to nginx (log scale)")
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    axes.legend(handles.values(), handles.keys(), loc="upper left", bbox_to_anchor=(1, 1))
    figure.savefig(file, bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)


def relative(workload: Workload, samples: list[Sample]) -> dict[str, float]:
    """Return each system's speed relative to nginx's, without the rig's own."""
    figures = Figures(workload, samples)
    ratios = {name: figures.ratio(name, speed(workload)) for name in figures.systems}
    return {name: ratio for name, ratio in ratios.items() if ratio and name != "direct"}
