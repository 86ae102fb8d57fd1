"""The runtime, compiled with sanitizers into one program that the tests ask for results."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# The tests share modules; under pytest's importlib mode only the root makes them importable.
ROOT = str(Path(__file__).parents[2])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from dynadeep.codegen.kernels import KERNELS, LANES, KernelSet  # noqa: E402
from tests.firmware.compiling import build_harness  # noqa: E402
from tests.firmware.harness import Harness  # noqa: E402


@pytest.fixture(scope="session")
def harness(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Harness]:
    with Harness(_program(request, tmp_path_factory, LANES)) as running:
        yield running


@pytest.fixture(scope="session", params=list(KERNELS.values()), ids=list(KERNELS))
def any_harness(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Harness]:
    """The same with each kernel set; of those that need an instruction set, the C twin."""
    kernels: KernelSet = request.param
    with Harness(_program(request, tmp_path_factory, kernels), kernels) as running:
        yield running


def _program(
    request: pytest.FixtureRequest, folders: pytest.TempPathFactory, kernels: KernelSet
) -> Path:
    cache: pytest.Cache | None = getattr(request.config, "cache", None)
    name = f"firmware_harness_{kernels.name}"
    folder = folders.mktemp(name) if cache is None else cache.mkdir(name)
    return build_harness(folder, kernels)
