"""Every Python reader of outside data over its seeds; ``python -m fuzz`` goes on from there."""

import random

import pytest

from fuzz import SEEDS
from fuzz.make_seeds import KEPT
from fuzz.mutate import mutate
from fuzz.readers import TARGETS

MUTATED = 20
FEW = {"checkpoint": 4, "task": 4, "rice-encode": 8, "tflite-fields": 8}
"""Of readers that take long."""

SEED_FILES = [path for name in TARGETS for path in sorted((SEEDS / name).iterdir())]
pytestmark = pytest.mark.heavy


@pytest.mark.parametrize("seed", SEED_FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_valid_seed_is_read_and_one_that_once_failed_does_so_no_more(seed) -> None:
    accepted = TARGETS[seed.parent.name].accepts(seed.read_bytes())
    assert accepted or seed.name.startswith(KEPT), "make it anew: python -m fuzz.make_seeds"


def test_every_target_has_a_valid_seed() -> None:
    valid = {seed.parent.name for seed in SEED_FILES if not seed.name.startswith(KEPT)}
    assert valid == set(TARGETS)


@pytest.mark.parametrize("name", TARGETS)
def test_changed_seeds_give_a_result_or_one_clear_line(name: str) -> None:
    target, chance = TARGETS[name], random.Random(name)
    seeds = [path.read_bytes() for path in sorted((SEEDS / name).iterdir())]
    for _ in range(FEW.get(name, MUTATED)):
        target.accepts(mutate(f"seed{target.suffix}", chance.choice(seeds), chance))
