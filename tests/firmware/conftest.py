"""The runtime, compiled with sanitizers into one program that the tests ask for results."""

from collections.abc import Iterator

import pytest

from dynadeep.codegen.kernels import KERNELS, LANES, KernelSet
from tests.firmware.compiling import build_harness
from tests.firmware.harness import Harness


@pytest.fixture(scope="session")
def harness() -> Iterator[Harness]:
    with Harness(build_harness(LANES)) as running:
        yield running


@pytest.fixture(scope="session", params=list(KERNELS.values()), ids=list(KERNELS))
def any_harness(request: pytest.FixtureRequest) -> Iterator[Harness]:
    """The same with each kernel set; of those that need an instruction set, the C twin."""
    kernels: KernelSet = request.param
    with Harness(build_harness(kernels), kernels) as running:
        yield running
