"""The clocks, UART rate and pins that each real board's C sets, by its reference manual's rules.

No such board is here: its C runs on this computer with memory for registers, and what it left there
is read as the part would.
"""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dynadeep.codegen.board import load_board
from tests.boards.registers import compile_for, registers_after_init

Registers = dict[int, int]
HSI16, HSE_READY, HSI_ON = 16_000_000, 1 << 17, 1


def bits(value: int, lowest: int, count: int) -> int:
    return value >> lowest & (1 << count) - 1


def netduinoplus2(regs: Registers) -> tuple[int, int]:
    """RM0090 7.3: RCC_PLLCFGR, RCC_CFGR; the crystal has 25 MHz."""
    pll, cfgr = regs[0x40023804], regs[0x40023808]
    source = 25_000_000 if bits(pll, 22, 1) else HSI16
    core = source // bits(pll, 0, 6) * bits(pll, 6, 9) // (2 * (bits(pll, 16, 2) + 1))
    assert bits(cfgr, 0, 2) == 2
    assert bits(cfgr, 13, 3) == 4  # APB2 is half
    return core, core // 2


def stm32vldiscovery(regs: Registers) -> tuple[int, int]:
    """RM0041 6.3: RCC_CFGR; the crystal has 8 MHz."""
    cfgr = regs[0x40021004]
    source = 8_000_000 if bits(cfgr, 16, 1) else 4_000_000
    assert bits(cfgr, 0, 2) == 2
    return source * (bits(cfgr, 18, 4) + 2), source * (bits(cfgr, 18, 4) + 2)


def nucleo_l4r5zi(regs: Registers) -> tuple[int, int]:
    """RM0432 6.4, 5.4, 3.7: RCC, PWR, FLASH."""
    cfgr, pll = regs[0x40021008], regs[0x4002100C]
    assert bits(pll, 0, 2) == 2  # HSI16
    assert bits(pll, 24, 1)
    reference = HSI16 // (bits(pll, 4, 4) + 1)
    vco = reference * bits(pll, 8, 7)
    assert 2_660_000 <= reference <= 16_000_000
    assert 64_000_000 <= vco <= 344_000_000
    core = vco // (2 * (bits(pll, 25, 2) + 1))
    assert bits(cfgr, 0, 2) == 3
    assert bits(cfgr, 4, 4) == 0  # the bus undivided
    assert bits(regs[0x40007080], 8, 1) == 0  # range 1 boost, which above 80 MHz needs
    assert bits(regs[0x40007004], 9, 1)  # port G has its supply
    assert bits(regs[0x40022000], 0, 4) == -(-core // 20_000_000) - 1
    return core, core


def nucleo_h743zi(regs: Registers) -> tuple[int, int]:
    """RM0433 8.7, 6.8, 4.9: RCC, PWR, FLASH; the ST-LINK feeds 8 MHz."""
    select, pll, divisors = regs[0x58024428], regs[0x5802442C], regs[0x58024430]
    source = {0: 64_000_000, 2: 8_000_000}[bits(select, 0, 2)]
    reference = source // bits(select, 4, 6)
    vco = reference * (bits(divisors, 0, 9) + 1)
    assert bits(pll, 2, 2) == 3
    assert 8_000_000 <= reference <= 16_000_000
    assert bits(pll, 1, 1) == 0
    assert 192_000_000 <= vco <= 836_000_000
    assert bits(pll, 16, 1)
    core = vco // (bits(divisors, 9, 7) + 1)
    d1, d2, d3 = regs[0x58024418], regs[0x5802441C], regs[0x58024420]
    assert bits(regs[0x58024410], 0, 3) == 3
    assert bits(d1, 8, 4) == 0
    assert bits(d1, 0, 4) == 8  # the buses have half
    assert [bits(d1, 4, 3), bits(d2, 4, 3), bits(d2, 8, 3), bits(d3, 4, 3)] == [4, 4, 4, 4]
    assert bits(regs[0x58024818], 14, 2) == 3  # VOS1
    assert regs[0x52002000] & 0x3F == 0x22  # 185 to 210 MHz in VOS1
    return core, core // 4


def nucleo_g071rb(regs: Registers) -> tuple[int, int]:
    """RM0444 5.4, 3.7: RCC, FLASH."""
    cfgr, pll = regs[0x40021008], regs[0x4002100C]
    assert bits(pll, 0, 2) == 2  # HSI16
    assert bits(pll, 28, 1)
    reference = HSI16 // (bits(pll, 4, 3) + 1)
    vco = reference * bits(pll, 8, 7)
    assert 2_660_000 <= reference <= 16_000_000
    assert 96_000_000 <= vco <= 344_000_000
    core = vco // (bits(pll, 29, 3) + 1)
    assert bits(cfgr, 0, 3) == 2
    assert bits(regs[0x40022000], 0, 3) == 2  # 48 to 64 MHz
    assert bits(regs[0x40022000], 18, 1)  # DBG_SWEN as it was: the debugger stays connected
    return core, core


def pico2(regs: Registers) -> tuple[int, int]:
    """RP2350 Datasheet 8.1, 8.6: CLOCKS, PLL; the crystal has 12 MHz."""
    prim = regs[0x4005000C]
    vco = 12_000_000 // bits(regs[0x40050000], 0, 6) * regs[0x40050008]
    assert 750_000_000 <= vco <= 1_600_000_000
    core = vco // bits(prim, 16, 3) // bits(prim, 12, 3)
    assert regs[0x4001003C] == 1  # the PLL, through the auxiliary source
    assert regs[0x40010030] == 2  # the crystal
    assert regs[0x40010048] == 1 << 11
    assert (regs[0x40028004], regs[0x4002800C]) == (2, 2)  # GP0 and GP1 are the UART's
    assert not any(bits(regs[address], 8, 1) for address in (0x40038004, 0x40038008))  # isolation
    return core, core


def nrf(regs: Registers) -> tuple[int, int]:
    """Product Specifications: the core's clock is fixed, the UART's 16 MHz."""
    assert regs[0x40000000] == 1  # the crystal was started
    assert regs[0x50000518] == 1 << regs[0x4000250C]  # the pin that sends is an output
    return 0, 16_000_000


def lm3s6965evb(regs: Registers) -> tuple[int, int]:
    """Data sheet 5.4, register RCC: the PLL gives 200 MHz from a crystal of 8 MHz."""
    rcc = regs[0x400FE060]
    assert bits(rcc, 6, 4) == 14  # 8 MHz
    assert bits(rcc, 4, 2) == 0  # the crystal
    assert bits(rcc, 11, 1) == 0  # no bypass
    assert bits(rcc, 22, 1)
    core = 200_000_000 // (bits(rcc, 23, 4) + 1)
    return core, core


CLOCKS: dict[str, tuple[Callable[[Registers], tuple[int, int]], dict[int, int]]] = {
    "netduinoplus2": (netduinoplus2, {0x40023800: HSI_ON | HSE_READY}),
    "stm32vldiscovery": (stm32vldiscovery, {0x40021000: HSI_ON | HSE_READY}),
    "nucleo-l4r5zi": (nucleo_l4r5zi, {0x40007080: 1 << 8, 0x40007000: 0x200}),
    "nucleo-h743zi": (nucleo_h743zi, {0x58024400: HSI_ON | HSE_READY, 0x52002000: 0x37}),
    "nucleo-g071rb": (nucleo_g071rb, {0x40022000: 0x00040600}),
    "pico2": (pico2, {}),
    "lm3s6965evb": (lm3s6965evb, {0x400FE060: 0x078E3AD1}),
    "nrf52840-dk": (nrf, {}),
    "microbit": (nrf, {}),
}
"""How a board's registers give the clock of its core and of its UART, and what they hold before."""

RATES: dict[str, Callable[[Registers, int, int], float]] = {
    "stm32": lambda regs, base, clock: clock / regs[base + 8],
    "stm32_v2": lambda regs, base, clock: clock / regs[base + 0x0C],
    "stm32_lp": lambda regs, base, clock: 256 * clock / regs[base + 0x0C],
    "pl011": lambda regs, base, clock: clock / (16 * regs[base + 0x24] + regs[base + 0x28] / 4),
    "nrf": lambda regs, base, clock: regs[base + 0x524] * clock / 2**32,
}


@pytest.mark.parametrize("name", CLOCKS)
def test_a_board_sets_the_clock_and_the_baud_rate_that_its_description_states(name, tmp_path):
    board = load_board(name)
    read, before = CLOCKS[name]
    regs = registers_after_init(name, tmp_path, before)
    core_hz, uart_hz = read(regs)
    assert core_hz in (0, board.core.clock_hz)
    rate = RATES[board.uart.driver](regs, board.uart.base, uart_hz)
    assert rate == pytest.approx(board.uart.baud, rel=0.005)


@pytest.mark.parametrize("name", ["netduinoplus2", "stm32vldiscovery", "nucleo-h743zi"])
def test_without_its_crystal_a_board_runs_as_fast_from_its_own_oscillator(name, tmp_path):
    read, before = CLOCKS[name]
    silent = {address: value & ~HSE_READY for address, value in before.items()}
    core_hz, _ = read(registers_after_init(name, tmp_path, silent))
    assert core_hz == load_board(name).core.clock_hz


def test_every_real_board_is_read_here():
    from dynadeep.codegen.board import board_names

    known = [load_board(name) for name in board_names()]
    assert {board.name for board in known if board.probe or board.flasher} == set(CLOCKS)


def test_the_cycle_counter_goes_on_where_its_32_bits_end(tmp_path: Path):
    program = compile_for("nucleo-h743zi", tmp_path, counter=True)
    done = subprocess.run([program], capture_output=True, text=True, check=True)
    assert [int(line, 16) for line in done.stdout.split()] == [
        5,
        0xFFFFFFF0,
        0x1_0000_0010,
        0x1_0000_0010,
        0x1_0000_0011,
        0x2_0000_0001,
    ]
