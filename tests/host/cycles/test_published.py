"""How far the estimate is from cycles that others measured on parts without wait states.

P. Schwabe and K. Stoffelen, All the AES You Need on Cortex-M3 and M4 (SAC 2016): AES-128, written
in assembly, on STM32L100C and STM32F407; the averages are their repository's. What follows has the
instructions that they describe, in their order; what they compute does not change how long they
take.
"""

from pathlib import Path

import pytest

from tests.host.cycles import snippets

pytestmark = pytest.mark.emulator

WITHIN = 0.06
"""As docs/cycles.md says. They also time the call and the reading of the clock, and the estimate
lies below them since the end of an emulator's page costs nothing any more."""


def look_up(load: str, *, turned: bool) -> str:
    """Four bytes, four reads of a table, four times what was read into a column."""
    bytes_of = "".join(f"    uxtb r{i}, r{4 + i}, ror #8\n" for i in range(4))
    reads = "".join(f"    {load} r{i}, [r12, r{i}, lsl #2]\n" for i in range(4))
    shift = ", ror #8" if turned else ""
    return (
        bytes_of + reads + "".join(f"    eor r{8 + i}, r{8 + i}, r{i}{shift}\n" for i in range(4))
    )


def key_expansion() -> str:
    body = "    push {r4-r11}\n    ldr r0, =data\n    ldr r1, =0x20000000\n    ldm r0, {r4-r7}\n"
    body += "    adr r3, data\n"
    for number in range(10):
        body += "".join(f"    uxtb r{8 + i}, r7, ror #{8 * i or 24}\n" for i in range(4))
        body += "".join(f"    ldrb r{8 + i}, [r3, r{8 + i}, lsl #2]\n" for i in range(4))
        body += "    eor r4, #1\n    eor r4, r4, r8\n"
        body += "".join(f"    eor r4, r4, r{8 + i}, lsl #8\n" for i in range(1, 4))
        body += "    eor r5, r4\n    eor r6, r5\n    eor r7, r6\n"
        body += "".join(f"    str r{4 + i}, [r1, #{16 * (number % 8) + 4 * i}]\n" for i in range(4))
    return body + "    add r1, #128\n    pop {r4-r11}\n"


def one_block() -> str:
    body = "    push {r2, r4-r11, lr}\n    ldr r1, =data\n    mov r0, r1\n    ldm r1, {r4-r7}\n"
    body += "    ldmia r0!, {r8-r11}\n    mov.w lr, r0\n    adr r12, data\n"
    body += "".join(f"    eor r{4 + i}, r{8 + i}\n" for i in range(4))
    for number in range(10):
        load = "ldr" if number < 9 else "ldrb"
        body += "    ldmia lr!, {r8-r11}\n"
        body += "".join(look_up(load, turned=part != 2) for part in range(4))
    return body + "    ldr r0, =0x20000000\n    stm r0, {r8-r11}\n    pop {r2, r4-r11, lr}\n"


@pytest.mark.parametrize(
    ("cpu", "body", "measured"),
    [
        ("cortex-m3", key_expansion(), 243.9),
        ("cortex-m4", key_expansion(), 254.9),
        ("cortex-m3", one_block(), 639.5),
        ("cortex-m4", one_block(), 644.7),
    ],
    ids=["m3-key", "m4-key", "m3-block", "m4-block"],
)
def test_aes_takes_what_was_measured(cpu: str, body: str, measured: float, tmp_path: Path) -> None:
    estimated = snippets.estimate(body, tmp_path, cpu)
    assert estimated.layers[snippets.LAYER] == pytest.approx(measured, rel=WITHIN)
