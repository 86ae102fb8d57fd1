"""How much of a wire's limit is payload, in time that the wire's bytes alone move."""

from collections.abc import Callable

import pytest

from dynadeep.host_tools.toolchain import Firmware

from .benchmark import BOARD, PARITY, RATES, TRANSFERS, measure

pytestmark = pytest.mark.emulator
FirmwareOf = Callable[[str], Firmware]


@pytest.mark.parametrize("transfer", TRANSFERS)
@pytest.mark.parametrize("baud", RATES)
def test_85_percent_of_a_wires_limit_are_payload(
    toy_firmware: FirmwareOf, transfer: str, baud: int
) -> None:
    assert measure(toy_firmware(BOARD).elf, baud, transfer).of_limit > 0.85


def test_a_slower_adapter_costs_its_own_time_once_a_request(toy_firmware: FirmwareOf) -> None:
    elf, baud = toy_firmware(BOARD).elf, RATES[-1]
    quick, slow = (measure(elf, baud, PARITY, turn_s) for turn_s in (0.002, 0.016))
    assert quick.of_limit > 0.85
    assert slow.wire_bytes == quick.wire_bytes
    assert slow.seconds - quick.seconds == pytest.approx(4 * 0.014)  # of four requests
