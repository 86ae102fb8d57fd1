"""Real networks, from their int8 file to every bit on this computer and on an emulated board.

The files in ``models`` are written by ``python -m tests.networks measure``.
"""

from pathlib import Path

import pytest

from dynadeep.codegen.bundle import Bundle, read_bundle
from dynadeep.export.importing import ImportOptions, import_network
from dynadeep.host_tools import pipeline
from dynadeep.host_tools.applications import application_of
from dynadeep.host_tools.measure import parity, profile
from dynadeep.host_tools.measure.references import golden_cases
from tests.networks import example
from tests.networks.measuring import BOARD, MODELS, recorded

RECORDED = recorded()
QUICK = ("keyword",)
"""What runs with every change; the others each night."""

KB = 1000
BUDGETS = {"rhythm": (256 * KB, 64 * KB)}
"""Flash and RAM that a network was narrowed for."""

pytestmark = pytest.mark.heavy


def networks() -> list[object]:
    """Return the networks' names, the long ones marked."""
    night = pytest.mark.nightly
    return [n if n in QUICK else pytest.param(n, marks=night) for n in example.NAMES]


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bundle]:
    """Bundles that were made already."""
    return {}


@pytest.fixture
def bundle(
    name: str, bundles: dict[str, Bundle], tmp_path_factory: pytest.TempPathFactory
) -> Bundle:
    """Return the bundle of a network."""
    if name not in bundles:
        folder = tmp_path_factory.mktemp(name)
        import_network(MODELS / f"{name}.tflite", folder / "bundle", ImportOptions(count=1))
        bundles[name] = read_bundle(folder / "bundle")
    return bundles[name]


@pytest.mark.emulator
@pytest.mark.parametrize("board", ["native", BOARD])
@pytest.mark.parametrize("name", networks())
def test_every_bit_is_the_references(name: str, board: str, bundle: Bundle, tmp_path: Path) -> None:
    firmware = pipeline.make_firmware(bundle, board, tmp_path / "sources")
    with pipeline.connect(bundle, board, elf=firmware.elf) as station:
        cases = golden_cases(bundle)[-2:]
        found = parity.check(station.device, station.plan, cases, application_of(station))
        parity.require_exact(found)
        assert found.segments == 2
        memory = profile.measure_memory(station)
    if memory is not None:
        assert memory.flash_bytes <= RECORDED[name]["flash_bytes"] * 1.02
        assert memory.ram_bytes <= RECORDED[name]["ram_bytes"] * 1.02


@pytest.mark.parametrize("name", example.NAMES)
def test_the_recorded_figures_are_of_every_network_and_bit_exact(name: str) -> None:
    assert RECORDED[name]["bit_exact"]
    assert (MODELS / f"{name}.tflite").is_file()


@pytest.mark.parametrize("name", BUDGETS)
def test_a_narrowed_network_fits_what_it_was_narrowed_for(name: str) -> None:
    flash, ram = BUDGETS[name]
    assert RECORDED[name]["flash_bytes"] <= flash
    assert RECORDED[name]["ram_bytes"] <= ram


@pytest.mark.parametrize("name", example.NAMES)
def test_int8_scores_as_float_does(name: str) -> None:
    in_float, in_int8 = RECORDED[name]["scores_float"], RECORDED[name]["scores_int8"]
    assert in_int8 == pytest.approx(in_float, rel=0.02)
