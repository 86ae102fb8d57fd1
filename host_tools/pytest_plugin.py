"""The pytest plugin: running boards and their parity checkers as fixtures (docs/pytest.md).

pytest imports it wherever the package is installed, so that it imports nothing of the kit until a
fixture of its own is asked for.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from dynadeep.codegen.bundle import Bundle
    from dynadeep.host_tools.measure.parity import ParityResult
    from dynadeep.host_tools.measure.references import Case
    from dynadeep.host_tools.pipeline import Station
    from dynadeep.host_tools.place import Place

HARDWARE = "dynadeep_hardware"
BOARD = "dynadeep_board"
DEFAULT_BUNDLE = "build/bundle"


@dataclass(frozen=True)
class Bench:
    """One place where tests run; None where the user did not say."""

    board: str | None = None
    port: str | None = None
    sources: str | None = None

    @property
    def name(self) -> str:
        """What a test's id says."""
        chosen = self.port or self.board or self.sources
        return "board" if chosen is None else chosen.rstrip("/").rsplit("/", 1)[-1]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; each but the bundle may be repeated, for several boards."""
    group = parser.getgroup("dynadeep", "boards that run a network (dynadeep)")
    group.addoption(
        "--dynadeep-board",
        action="append",
        default=[],
        metavar="NAME",
        help="A board's name or folder; emulated unless there is a port for it.",
    )
    group.addoption(
        "--dynadeep-port",
        action="append",
        default=[],
        metavar="PORT",
        help="Where a real board is: a serial port or pyserial URL.",
    )
    group.addoption(
        "--dynadeep-sources",
        action="append",
        default=[],
        metavar="FOLDER",
        help="A generated project to build and run as it is.",
    )
    group.addoption(
        "--dynadeep-bundle",
        metavar="FOLDER",
        help=f"The bundle that the boards must run; else {DEFAULT_BUNDLE}.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Say what the marker is, and refuse options that do not go together."""
    config.addinivalue_line(
        "markers", f"{HARDWARE}: needs a real board; skipped unless --dynadeep-port names one"
    )
    benches_of(config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what needs a real board where there is none."""
    if config.getoption("--dynadeep-port"):
        return
    skip = pytest.mark.skip(reason="needs a real board: name its --dynadeep-port")
    for item in items:
        if item.get_closest_marker(HARDWARE) is not None:
            item.add_marker(skip)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that asks for a board on every board."""
    if BOARD in metafunc.fixturenames:
        benches = benches_of(metafunc.config)
        names = [bench.name for bench in benches]
        metafunc.parametrize(BOARD, benches, ids=names, indirect=True, scope="session")


def benches_of(config: pytest.Config) -> list[Bench]:
    """Return the boards that the options name; one with nothing said where there is no option.

    Raises:
        pytest.UsageError: there are not as many of each as there are boards.
    """
    options: dict[str, list[str]] = {
        option: config.getoption(option) or []
        for option in ("--dynadeep-board", "--dynadeep-port", "--dynadeep-sources")
    }
    count = max(map(len, options.values()))
    for option, values in options.items():
        if values and len(values) != count:
            raise pytest.UsageError(
                f"{option} is given {len(values)} times, another option {count} times: give each "
                f"{count} times, in the order of the boards, or leave it out."
            )
    if not count:
        return [Bench()]
    nothing: list[str | None] = [None] * count
    columns = (values or nothing for values in options.values())
    return [Bench(*row) for row in zip(*columns, strict=True)]


@pytest.fixture(scope="session")
def dynadeep_bundle(pytestconfig: pytest.Config) -> "Bundle":
    """The bundle that ``--dynadeep-bundle`` names."""
    from dynadeep.codegen.bundle import read_bundle

    with _as_failure():
        return read_bundle(Path(pytestconfig.getoption("--dynadeep-bundle") or DEFAULT_BUNDLE))


@pytest.fixture(scope="session")
def dynadeep_board(
    request: pytest.FixtureRequest,
    dynadeep_bundle: "Bundle",
    tmp_path_factory: pytest.TempPathFactory,
) -> "Iterator[Station]":
    """A running board that was greeted: a real one at its port, or one that is emulated here.

    A port is held until its tests are done: another process waits for it meanwhile.
    """
    from dynadeep.codegen.lock import locked
    from dynadeep.codegen.planner import PlanSettings
    from dynadeep.host_tools import pipeline
    from dynadeep.host_tools.link.serial import lock_of
    from dynadeep.host_tools.place import Place, generated_with

    bench: Bench = request.param
    cache = request.config.cache
    folder = cache.mkdir("dynadeep") if cache else tmp_path_factory.mktemp("dynadeep")
    with ExitStack() as stack:
        with _as_failure():
            sources = None if bench.sources is None else Path(bench.sources)
            place = Place(bench.board, bench.port, None, sources)
            place = place.named(dynadeep_bundle.manifest.model_id)
            elf = _firmware(dynadeep_bundle, place, folder)
            if place.port is not None:
                stack.enter_context(locked(lock_of(place.port)))
            settings = PlanSettings() if sources is None else generated_with(sources)
            station = stack.enter_context(
                pipeline.connect(
                    dynadeep_bundle, place.board, port=place.port, elf=elf, settings=settings
                )
            )
        yield station


@pytest.fixture(scope="session")
def dynadeep_parity(
    dynadeep_board: "Station",
) -> "Callable[[Iterable[Case] | None], ParityResult]":
    """Compare every tensor, constant and result of the board with the reference's.

    Call it without arguments for the bundle's golden inputs, or with cases of your own.
    """
    from dynadeep.host_tools.applications import application_of
    from dynadeep.host_tools.measure.parity import check
    from dynadeep.host_tools.measure.references import golden_cases

    def compare(cases: "Iterable[Case] | None" = None) -> "ParityResult":
        station = dynadeep_board
        chosen = golden_cases(station.bundle) if cases is None else cases
        return check(station.device, station.plan, chosen, application_of(station))

    return compare


def _firmware(bundle: "Bundle", place: "Place", folder: Path) -> "Path | None":
    """Build what a board runs; None where it lies at a port and its sources are not known."""
    from dynadeep.host_tools import pipeline, toolchain

    if place.sources is not None:
        return toolchain.build(place.sources).elf
    if place.port is not None:
        return None
    assert place.board is not None
    name = f"{Path(place.board).name}-{bundle.manifest.model_id}"
    return pipeline.make_firmware(bundle, place.board, folder / name).elf


@contextmanager
def _as_failure() -> Iterator[None]:
    """Have the kit's own errors be a line, not a traceback."""
    from dynadeep.codegen.errors import DynadeepError

    try:
        yield
    except DynadeepError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
