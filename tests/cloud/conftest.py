"""What the tests of the cloud share: certificates, a broker, who reads there."""

from collections.abc import Iterator
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
def mosquitto(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Mosquitto]:
    if PROGRAM is None:
        pytest.skip(MISSING)
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    broker = Mosquitto(folder, request.getfixturevalue("certificates"))
    yield broker
    broker.kill()
