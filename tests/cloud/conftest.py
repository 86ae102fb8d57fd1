"""What the tests of the cloud share: certificates, a broker, who reads there."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cloud.secured import COLLECTOR, MISSING, PROGRAM, Mosquitto, authority

DEVICES = ("bed-7", "bed-8")


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    authority(folder, (*DEVICES, COLLECTOR))
    return folder


@pytest.fixture
def make_mosquitto() -> Callable[[Path, Path], Mosquitto]:
    """Return what makes the broker in a folder, with certificates; a file may have its own."""
    return Mosquitto


@pytest.fixture
def mosquitto(
    tmp_path: Path,
    make_mosquitto: Callable[[Path, Path], Mosquitto],
    request: pytest.FixtureRequest,
) -> Iterator[Mosquitto]:
    if PROGRAM is None:
        pytest.skip(MISSING)
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    broker = make_mosquitto(folder, request.getfixturevalue("certificates"))
    yield broker
    broker.kill()
