from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dynadeep.codegen.board import load_board
from dynadeep.codegen.bundle import read_bundle
from dynadeep.codegen.generate import generate
from dynadeep.codegen.planner import PlanSettings
from dynadeep.host_tools import toolchain
from dynadeep.host_tools.place import open_link
from tests.caching import SMALL_BUNDLE
from tests.net_bundles import NET_BUNDLES

BUNDLES = {
    "branches": NET_BUNDLES / "branches",
    "two_inputs": NET_BUNDLES / "two_inputs",
    "codec": SMALL_BUNDLE,
}
MLPERF = PlanSettings(application="mlperf")


@pytest.fixture(scope="session")
def mlperf_elf(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Build a bundle's device for a board; a process has sanitizers."""
    firmwares: dict[tuple[str, str], Path] = {}

    def build(name: str, board: str) -> Path:
        if (name, board) not in firmwares:
            folder = tmp_path_factory.mktemp("mlperf") / f"{name}-{board}"
            generate(read_bundle(BUNDLES[name]), load_board(board), folder, MLPERF)
            firmwares[name, board] = toolchain.build(folder, sanitize=board == "native").elf
        return firmwares[name, board]

    return build


@pytest.fixture(scope="session")
def device(mlperf_elf: Any) -> Any:
    """Open a device of a bundle: an emulated board, or a process."""

    @contextmanager
    def opened(name: str, board: str = "native") -> Iterator[Any]:
        with open_link(load_board(board), mlperf_elf(name, board)) as link:
            yield link

    return opened
