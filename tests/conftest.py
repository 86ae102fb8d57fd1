"""What tests of several folders share: bundles and firmware made of them.

What is of the shipped checkpoint takes long to make, so that it is made once: see caching.py.
"""

import re
import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from dynadeep.codegen.board import load_board
from dynadeep.codegen.bundle import Bundle, read_bundle
from dynadeep.codegen.emit import project_files, write_project
from dynadeep.codegen.plan import Plan, make_plan
from dynadeep.codegen.planner import PLANNERS_CHOICE, PlanSettings, plan_for
from dynadeep.host_tools import toolchain
from dynadeep.host_tools.toolchain import Firmware

# The tests share modules; under pytest's importlib mode only the root makes them importable.
TESTS = Path(__file__).parent
ROOT = TESTS.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from tests.caching import SMALL_BUNDLE, hash_of, made_once  # noqa: E402
from tests.surroundings import become_neutral  # noqa: E402

FirmwareMaker = Callable[..., Firmware]

# What `--fast` goes without: these packages, the tests that need a fixture made by them, and the
# modules that import them, or the folders built on them, at their top.
HEAVY_PACKAGES = ("tensorflow", "tflite_micro", "torch", "onnx", "onnxruntime", "lightning_fabric")
HEAVY_FIXTURES = {"checkpoint", "reference", "micro", "loaded"}
HEAVY_FOLDERS = ("train", "export")
NOT_FAST = ("heavy", "emulator")
SPREAD = (
    "tests/host/test_end_to_end.py",
    "tests/host/test_streamed_ecg.py",
    "tests/host/test_altered_firmware.py",
    "tests/link/test_emulator.py",
)
HEAVY_IMPORT = re.compile(
    rf"^(?:from|import) (?:dynadeep\.(?:train|export)|{'|'.join(HEAVY_PACKAGES)}"
    r"|fuzz\.(?:readers|campaign))\b",
    re.MULTILINE,
)


class Refusal(MetaPathFinder):
    """Refuses the heavy packages, so that a test that needs one of them fails where they are."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> None:
        if fullname.split(".", maxsplit=1)[0] in HEAVY_PACKAGES:
            raise ModuleNotFoundError(f"--fast goes without {fullname}", name=fullname)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--fast", action="store_true", help="only what needs no emulator, TensorFlow or PyTorch"
    )


def pytest_configure(config: pytest.Config) -> None:
    become_neutral()
    if config.getoption("--fast"):
        sys.meta_path.insert(0, Refusal())


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    if not config.getoption("--fast"):
        return None
    of_heavy_folder = collection_path.parent == TESTS and collection_path.name in HEAVY_FOLDERS
    is_heavy = collection_path.suffix == ".py" and HEAVY_IMPORT.search(
        collection_path.read_text(encoding="utf-8")
    )
    return True if of_heavy_folder or is_heavy else None


def group_of(nodeid: str) -> str:
    """Return which tests stay with one worker, because they share what takes long to make.

    Those of a module do; those of export/ share one export. What end-to-end tests share is kept in
    files, so that they spread.
    """
    module = nodeid.split("::", maxsplit=1)[0]
    if module.startswith("tests/export/"):
        return "export"
    return nodeid if module in SPREAD else module


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Deal out groups. (xdist's own loadgroup hangs on node ids that pytest 9.2 no longer has.)"""
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    return ByGroup(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if HEAVY_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("heavy")
    if config.getoption("--fast"):
        left_out = [item for item in items if any(map(item.get_closest_marker, NOT_FAST))]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def checkpoint() -> Path:
    """The checkpoint that the kit ships."""
    from dynadeep.train.checkpoint import DEFAULT_CHECKPOINT

    return DEFAULT_CHECKPOINT


def export(checkpoint: Path) -> Bundle:
    """Return a checkpoint's bundle, made at most once for what it is made of."""
    from dynadeep.export.bundle import export_bundle

    sources = [*ROOT.glob("export/**/*.py"), *ROOT.glob("train/**/*.py")]
    sources += [ROOT / "codegen" / name for name in ("bundle.py", "numerics.py")]
    made_of = [checkpoint, checkpoint.with_suffix(".json"), *sorted(sources)]
    name = f"bundle-{hash_of(path.read_bytes() for path in made_of)}"
    return read_bundle(
        made_once(name, lambda folder: export_bundle(checkpoint, folder / "whole")) / "whole"
    )


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    """The small network's bundle: for all that is not about the shipped network itself."""
    return read_bundle(SMALL_BUNDLE)


@pytest.fixture(scope="session")
def shipped_bundle(checkpoint: Path) -> Bundle:
    """The shipped checkpoint's bundle."""
    return export(checkpoint)


@pytest.fixture(scope="session")
def reconstruction_bundle(checkpoint: Path) -> Bundle:
    """The bundle of the checkpoint for MIT-BIH, which has no margins and takes every level."""
    return export(checkpoint.with_name("mitdb-affine-patient.safetensors"))


@pytest.fixture(scope="session")
def published_bundle(checkpoint: Path) -> Bundle:
    """The bundle of the published variant: each window scaled by its own range."""
    return export(checkpoint.with_name("mitdb-minmax-published.safetensors"))


@pytest.fixture(scope="session")
def plan(bundle: Bundle) -> Plan:
    return make_plan(bundle)


@pytest.fixture(scope="session")
def shipped_plan(shipped_bundle: Bundle) -> Plan:
    return make_plan(shipped_bundle)


def firmware_maker(bundle: Bundle, settings: PlanSettings = PLANNERS_CHOICE) -> FirmwareMaker:
    """Make a bundle's firmware for a board, with sanitizers if asked; native only."""

    def make(board: str, *, sanitize: bool = False) -> Firmware:
        description = load_board(board)
        files = project_files(plan_for(bundle, description, settings), description)
        name = f"{board}-{hash_of([*map(str.encode, files), *files.values()])}"
        name = f"{name}-sanitize" if sanitize else name
        folder = made_once(name, lambda empty: write_project(files, empty / "project")) / "project"
        return toolchain.build(folder, sanitize=sanitize)

    return make


@pytest.fixture(scope="session")
def firmware(bundle: Bundle) -> FirmwareMaker:
    return firmware_maker(bundle)


@pytest.fixture(scope="session")
def shipped_firmware(shipped_bundle: Bundle) -> FirmwareMaker:
    return firmware_maker(shipped_bundle)
