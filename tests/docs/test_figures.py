"""The readme's figures are those of the commands beside them, as far as they are kept."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from dynadeep.codegen.board import load_board
from dynadeep.train.data import cinc2017

from .pages import ROOT, Row, blocks, page, table

README = page("README.md")
BOARD = "mps2-an386"
SHARE = 0.01
"""What a figure of the sample may lie off the benchmark's: ticks and an interrupt's stack."""


def sample() -> str:
    """Return what the demo printed."""
    (found,) = [block for block in blocks(README) if "Parity" in block]
    return found


def number(pattern: str) -> float:
    found = re.search(pattern, sample())
    assert found is not None, pattern
    return float(found[1].replace(",", ""))


def measured() -> dict[str, Any]:
    text = (ROOT / "benchmarks" / "results.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def benchmark() -> dict[str, Any]:
    assert measured()["model_id"] in sample()
    wanted = (BOARD, "stream", "speed")
    (row,) = [
        row for row in measured()["rows"] if (row["board"], row["engine"], row["build"]) == wanted
    ]
    found: dict[str, Any] = row
    return found


@pytest.mark.parametrize(
    ("pattern", "key"),
    [
        (r"Latency +([\d,]+) instructions a segment", "instructions_with_samples"),
        (r"flash ([\d,]+) bytes", "flash_bytes"),
        (r"RAM ([\d,]+) bytes", "ram_bytes"),
        (r"static ([\d,]+)", "static_ram_bytes"),
    ],
)
def test_the_demos_figures_are_the_benchmarks(pattern: str, key: str) -> None:
    assert number(pattern) == pytest.approx(benchmark()[key], rel=SHARE)


def test_the_demos_figures_agree_with_each_other() -> None:
    latency, macs = number(r"Latency +([\d,]+)"), number(r"\(([\d,]+) MAC\)")
    assert round(latency / macs, 2) == number(r"([\d.]+) per MAC")
    static, stack = number(r"static ([\d,]+)"), number(r"stack ([\d,]+)")
    assert static + stack == number(r"RAM ([\d,]+) bytes =")
    assert number(r"segment: ([\d,]+) of") == latency


def published() -> dict[str, Any]:
    text = (ROOT / "benchmarks" / "published" / "results.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


PEERS = table(README, "the published network on a Cortex-M4", "instructions", "RAM")


@pytest.mark.parametrize("row", PEERS[1:], ids=lambda row: next(iter(row.values())))
def test_the_peers_figures_are_those_that_are_kept(row: Row) -> None:
    assert list(row.values()) in [
        [
            f"{peer['name']} ({peer['flags']})",
            f"{peer['instructions'] / 1e6:.1f} M",
            f"{peer['flash_bytes'] / 1e3:.1f} KB",
            f"{peer['ram_bytes'] / 1e3:.1f} KB",
            peer["bit_exact"],
        ]
        for peer in published()["peers"]["peers"]
    ]


def test_the_kits_figures_beside_the_peers_are_measured() -> None:
    assert len(PEERS) == 1 + len(published()["peers"]["peers"])
    wanted = (BOARD, "stream", "speed")
    (row,) = [
        row for row in published()["rows"] if (row["board"], row["engine"], row["build"]) == wanted
    ]
    assert list(PEERS[0].values())[1:] == [
        f"{row['instructions_with_samples'] / 1e6:.1f} M",
        f"{row['flash_bytes'] / 1e3:.1f} KB",
        f"{row['ram_bytes'] / 1e3:.1f} KB",
        "yes" if row["bit_exact"] else "no",
    ]


def test_the_budgets_are_the_boards() -> None:
    budget = load_board(BOARD).budget
    assert budget is not None
    shown = re.findall(r"^Budget.* of ([\d,]+)", sample(), re.MULTILINE)
    limits = (budget.instructions, budget.ram_bytes, budget.flash_bytes)
    assert shown == [f"{limit:,}" for limit in limits]


def points(content: Any) -> Iterator[dict[str, Any]]:
    """Yield the points of a file of results, wherever they stand in it."""
    if isinstance(content, dict) and "mean_cg" in content and content.get("precision") == "int8":
        yield content
    if isinstance(content, dict | list):
        for part in content.values() if isinstance(content, dict) else content:
            yield from points(part)


def results() -> list[dict[str, Any]]:
    files = sorted((ROOT / "results").glob("*.json"))
    return [one for path in files for one in points(json.loads(path.read_text(encoding="utf-8")))]


ROWS = table(README, "mean CG (published)", "byte CG", "over the bound")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["mean CG (published)"])
def test_the_results_are_a_point_that_was_measured(row: Row) -> None:
    cells = list(row.values())[1:]  # behind the name
    mean, bytes_, f1, over = (float(re.findall(r"[\d.]+", cell)[0]) for cell in cells)
    assert any(
        (round(one["mean_cg"], 1), round(one["byte_cg"], 1)) == (mean, bytes_)
        and f1 in {round(one["f1"], 3), round(one.get("f1_rpeaks", 0), 3)}
        and round(100 * one["violations"], 1) == over
        for one in results()
    )


def test_the_segments_duration_is_the_default_networks() -> None:
    told = re.search(r"([\d.]+) s at the default's (\d+) Hz", README)
    assert told is not None
    assert int(told[2]) == cinc2017.RATE_HZ
    assert float(told[1]) == round(2000 / cinc2017.RATE_HZ, 1)
