"""Nothing is lost and nothing comes twice, whoever of the three is killed, and when."""

from pathlib import Path

import pytest

from tests.cloud.conftest import DEVICES
from tests.cloud.killing import run
from tests.cloud.secured import COLLECTOR, authority, needs_mosquitto

pytestmark = needs_mosquitto


@pytest.mark.parametrize(("speed", "packets"), [(1, 100), (60, 2000)])
def test_kills_of_broker_gateway_and_collector_lose_and_double_nothing(
    tmp_path: Path, certificates: Path, speed: float, packets: int
) -> None:
    outcome = run(tmp_path, certificates, DEVICES, packets, kills=1, speed=speed)
    assert (outcome.lost, outcome.doubled, outcome.kills) == (0, 0, 3)


@pytest.mark.nightly
@pytest.mark.timeout(5400)
def test_a_hundred_thousand_packets_survive_five_kills_of_each(
    tmp_path: Path,
) -> None:
    devices = [f"bed-{number}" for number in range(40)]
    certificates = tmp_path / "certificates"
    certificates.mkdir()
    authority(certificates, (*devices, COLLECTOR))
    outcome = run(tmp_path, certificates, devices, 100_000, kills=5)
    assert (outcome.lost, outcome.doubled, outcome.kills) == (0, 0, 15)
