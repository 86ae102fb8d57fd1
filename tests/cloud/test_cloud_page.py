"""The page of the cloud's benchmark says what the JSON beside it says."""

import json
from pathlib import Path

from .cloud_page import text_of

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_the_page_is_that_of_the_figures():
    figures = json.loads((BENCHMARKS / "cloud.json").read_text(encoding="utf-8"))
    assert (BENCHMARKS / "cloud.md").read_text(encoding="utf-8") == text_of(figures)
