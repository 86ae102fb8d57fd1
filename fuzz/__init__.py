"""Fuzzing: libFuzzer on the firmware's C, atheris on every Python reader of outside data."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SEEDS = Path(__file__).parent / "seeds"

# The small model is the tests' own; they are importable from the root alone.
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))
