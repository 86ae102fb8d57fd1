"""Every Python reader of outside data over its seeds; ``python -m fuzz`` goes on from there."""

import pytest

from fuzz import SEEDS
from fuzz.make_seeds import KEPT
from fuzz.readers import TARGETS

SEED_FILES = [path for name in TARGETS for path in sorted((SEEDS / name).iterdir())]
pytestmark = pytest.mark.heavy


@pytest.mark.parametrize("seed", SEED_FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_valid_seed_is_read_and_one_that_once_failed_does_so_no_more(seed) -> None:
    accepted = TARGETS[seed.parent.name].accepts(seed.read_bytes())
    assert accepted or seed.name.startswith(KEPT), "make it anew: python -m fuzz.make_seeds"


def test_every_target_has_a_valid_seed() -> None:
    valid = {seed.parent.name for seed in SEED_FILES if not seed.name.startswith(KEPT)}
    assert valid == set(TARGETS)
