"""The runtime, compiled with sanitizers into one program that the tests ask for results."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# The tests share modules; under pytest's importlib mode only the root makes them importable.
ROOT = str(Path(__file__).parents[2])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from tests.firmware.compiling import build_harness  # noqa: E402
from tests.firmware.harness import Harness  # noqa: E402


@pytest.fixture(scope="session")
def harness(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Harness]:
    cache: pytest.Cache | None = getattr(request.config, "cache", None)
    name = "firmware_harness"
    folder = tmp_path_factory.mktemp(name) if cache is None else cache.mkdir(name)
    with Harness(build_harness(folder)) as running:
        yield running
