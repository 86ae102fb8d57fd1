import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pytest

from dynadeep.codegen.board import load_board
from dynadeep.host_tools.link.base import Link
from dynadeep.host_tools.link.device import Device, Patience
from dynadeep.host_tools.link.fault import Faults, FaultyPort
from dynadeep.host_tools.link.native import NativeLink
from dynadeep.host_tools.link.qemu import QemuLink
from dynadeep.host_tools.toolchain import Firmware

# Sanitizers and a busy machine make the native board slow, not its wire.
QUICK = Patience(slack_s=0.3, quiet_s=0.02, inference_s=0.1)
EMULATED = Patience(slack_s=3.0, inference_s=5.0)


def _load_toy() -> ModuleType:
    path = Path(__file__).parents[1] / "app" / "toy.py"
    spec = importlib.util.spec_from_file_location("toy", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["toy"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def toy() -> ModuleType:
    return _load_toy()


@pytest.fixture(scope="session")
def toy_firmware(
    toy: ModuleType, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Firmware]:
    built: dict[str, Firmware] = {}

    def get(board: str) -> Firmware:
        if board not in built:
            built[board] = toy.build_toy(board, tmp_path_factory.mktemp("toy") / board)
        return built[board]

    return get


@pytest.fixture
def native_link(toy_firmware: Callable[[str], Firmware]) -> Iterator[NativeLink]:
    with NativeLink(toy_firmware("native").elf) as link:
        yield link


@pytest.fixture
def native(native_link: NativeLink) -> Device:
    device = Device(native_link, QUICK)
    device.hello()
    return device


@pytest.fixture
def emulate(toy_firmware: Callable[[str], Firmware]) -> Iterator[Callable[[str], Device]]:
    with ExitStack() as stack:

        def start(board: str) -> Device:
            emulator = load_board(board).emulator
            assert emulator is not None
            elf = toy_firmware(board).elf
            link = stack.enter_context(QemuLink(elf, emulator.machine, emulator.arguments))
            device = Device(link, EMULATED)
            device.hello()
            return device

        yield start


@pytest.fixture(scope="session")
def segment() -> npt.NDArray[np.int16]:
    return np.arange(2000, dtype=np.int16) - 1000


@pytest.fixture
def spoil() -> Callable[[Link, Faults | None, Faults | None], None]:
    def apply(link: Link, to_board: Faults | None = None, to_host: Faults | None = None) -> None:
        link.port = FaultyPort(link.port, to_board, to_host)

    return apply
