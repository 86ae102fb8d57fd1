"""Files that somebody changed, field by field: read, or refused in one line, never a traceback."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynadeep.codegen.typed import Reader
from dynadeep.train.cache import Written
from dynadeep.train.errors import TrainError
from fuzz import SEEDS
from fuzz.mutate import mutate
from fuzz.readers import TARGETS
from fuzz.readers.target import Target

KINDS = ("manifest", "project", "board", "golden", "checkpoint", "task", "state", "prices")
KEY = json.dumps({"key": {"settings": {"rate": 0.1}, "inputs": {"w": "0"}}, "results": {"a": "b"}})
pytestmark = pytest.mark.heavy


def read_key(data: bytes) -> None:
    reader = Reader("key.json", TrainError, "Move it away.")
    reader.read(Written, reader.json(data))


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 1 << 32))
def test_a_changed_file_is_read_or_refused_in_one_line(kind: str, seed: int) -> None:
    chance, target = random.Random(seed), TARGETS[kind]
    valid = chance.choice(sorted(Path(SEEDS / kind).iterdir()))
    target.accepts(mutate(f"x{target.suffix}", valid.read_bytes(), chance))


@settings(deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_a_changed_phase_key_is_read_or_refused_in_one_line(seed: int) -> None:
    Target("key", read_key, ()).accepts(mutate("x.json", KEY.encode(), random.Random(seed)))
