"""Random networks on emulated cores: one firmware of many, both engines, every tensor."""

from pathlib import Path

import pytest

from tests.firmware.emulated import CORES, Core
from tests.graphs.cores import Case, differ_on_core, sample_cases

pytestmark = [pytest.mark.heavy, pytest.mark.emulator]

COUNT = 16


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return sample_cases(COUNT, seed=7)


@pytest.mark.parametrize("core", [CORES[0], CORES[2], CORES[4]], ids=lambda core: core.flags[0])
def test_random_networks_give_the_references_bits_on_a_core(
    tmp_path: Path, core: Core, cases: list[Case]
) -> None:
    assert differ_on_core(core, cases, tmp_path) == []
