"""Firmware that sends by itself, and the packets that it should send."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.board import load_board
from dynadeep.codegen.bundle import Bundle
from dynadeep.codegen.emit import project_files, write_project
from dynadeep.codegen.planner import PlanSettings, plan_for
from dynadeep.host_tools import toolchain
from dynadeep.host_tools.codec.board import CodecBoard
from dynadeep.host_tools.link.device import Device
from dynadeep.host_tools.link.frames import Reply
from dynadeep.host_tools.place import open_link
from dynadeep.host_tools.toolchain import Firmware
from tests.caching import hash_of, made_once

AUTONOMOUS = PlanSettings(application="autonomous")
Samples = npt.NDArray[np.int16]


def autonomous(bundle: Bundle, board: str, settings: PlanSettings = AUTONOMOUS) -> Firmware:
    """Return firmware that sends by itself, built once."""
    description = load_board(board)
    files = project_files(plan_for(bundle, description, settings), description)
    name = f"autonomous-{board}-{hash_of([*map(str.encode, files), *files.values()])}"
    folder = made_once(name, lambda empty: write_project(files, empty / "project")) / "project"
    return toolchain.build(folder)


@contextmanager
def started(firmware: Firmware, board: str) -> Iterator[tuple[Device, list[Reply]]]:
    """Yield a device whose source is the link, greeted, and what it sends by itself."""
    with open_link(load_board(board), firmware.elf) as link:
        device, unasked = Device(link), list[Reply]()
        device.exchange.on_unasked = unasked.append
        device.hello()
        yield device, unasked


def samples_of(bundle: Bundle, segments: int) -> Samples:
    length = bundle.manifest.segment_length
    rng = np.random.default_rng(5)
    steps = rng.integers(-40, 41, segments * length)
    return np.clip(np.cumsum(steps) % 900 - 450, -1000, 1000).astype(np.int16)


def by_request(firmware: Callable[..., Firmware], samples: Samples, length: int) -> list[bytes]:
    """Return the packets of the firmware that is asked for each of them."""
    with open_link(load_board("native"), firmware("native").elf) as link:
        board = CodecBoard(Device(link))
        return [board.encode(segment).packet for segment in samples.reshape(-1, length)]
