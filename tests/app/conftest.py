import importlib.util
from pathlib import Path

import pytest

from dynadeep.host_tools.toolchain import Firmware


@pytest.fixture(scope="session")
def native_firmware(tmp_path_factory: pytest.TempPathFactory) -> Firmware:
    spec = importlib.util.spec_from_file_location("toy", Path(__file__).parent / "toy.py")
    assert spec is not None
    assert spec.loader is not None
    toy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(toy)
    firmware: Firmware = toy.build_toy("native", tmp_path_factory.mktemp("toy") / "native")
    return firmware
