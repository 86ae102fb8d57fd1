"""A device under test of MLPerf Tiny, asked over a link."""

import re
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynadeep.codegen.board import Board, load_board
from dynadeep.codegen.errors import BoardError
from dynadeep.host_tools.errors import (
    BoardCrashedError,
    BoardHangsError,
    HostError,
    LinkError,
    NoisyLineError,
    SilentBoardError,
    WrongBoardError,
    WrongFirmwareError,
)
from dynadeep.host_tools.link.base import Link

Codes = npt.NDArray[np.int8]
Results = npt.NDArray[np.int64]

READY, FAULT = "m-ready", "e-[Fault"
LINE_S, INFER_LINE_S = 5.0, 30.0
"""What the protocol gives a device for a line."""

VENDOR = "dynadeep "
"""What this kit's devices are called, before their board's name."""

GREETINGS = 3

BYTES_A_COMMAND = 31
"""Of an input: as many as fit a command of 80 characters, as the runner sends them."""

LINE_BYTES_MAX = 1 << 20
LAP = re.compile(r"m-lap-us-(\d+)")
RESULTS = re.compile(r"m-results-\[(-?\d+(?:,-?\d+)*)\]")


@dataclass(frozen=True)
class Inference:
    """What `infer` gave."""

    results: Results  # of all outputs, one behind the other: codes less their zero points
    us: int  # of all inferences together


class Dut:
    """A device under test."""

    def __init__(self, link: Link):
        self.link = link
        self.name = ""  # as it calls itself, once it was greeted
        self._spoke = False
        self._received = b""

    def greet(self) -> str:
        """Return what the device is called; what it said before is dropped.

        Raises:
            SilentBoardError: nothing answers.
            NoisyLineError: something else does.
        """
        for _ in range(GREETINGS - 1):
            with suppress(SilentBoardError):
                return self._greet()
        return self._greet()

    def _greet(self) -> str:
        self._synchronise()
        self.name = self._ask_for("name", r"m-name-dut-\[(.+)\]")
        return self.name

    def check_model(self, model_id: str) -> None:
        """Refuse a device that runs another model.

        Raises:
            WrongFirmwareError: it does.
        """
        actual = self._ask_for("profile", r"m-model-\[(.+)\]")
        if actual != model_id:
            raise WrongFirmwareError(
                f"{self.link.name}: the firmware is of model {actual}, the bundle of {model_id}. "
                "Name the bundle that it was generated from, or generate it again."
            )

    def load(self, codes: Codes) -> None:
        """Give the device an input, int8, flat: one of the network's inputs behind the other.

        Raises:
            LinkError: it refuses a part of it.
        """
        content = codes.tobytes()
        self._ask_for(f"db load {len(content)}", r"m-\[Expecting (\d+) bytes\]")
        last: list[str] = []
        for begin in range(0, len(content), BYTES_A_COMMAND):
            last = self.ask(f"db {content[begin : begin + BYTES_A_COMMAND].hex()}")
        if last != ["m-load-done"]:
            raise self._malformed("the last byte of an input", last)

    def infer(self, count: int = 1, warmups: int = 0, inference_s: float = 0.0) -> Inference:
        """Run the network over what is loaded, ``count`` times after ``warmups``.

        Args:
            count: of the inferences that are timed, from 1.
            warmups: of those before them.
            inference_s: about what one takes.

        Raises:
            LinkError: the device refuses, or its answer is not of the protocol.
        """
        patience = INFER_LINE_S + max(count, warmups) * inference_s
        lines = self.ask(f"infer {count} {warmups}", patience)
        header = [f"m-warmup-start-{warmups}", "m-warmup-done", f"m-infer-start-{count}"]
        begin, end = (LAP.fullmatch(line) for line in (*lines, "", "", "", "", "")[3:5])
        results = RESULTS.fullmatch(lines[-1]) if lines else None
        if lines[:3] != header or lines[5:6] != ["m-infer-done"] or len(lines) != 7:
            raise self._malformed("infer", lines)
        if begin is None or end is None or results is None:
            raise self._malformed("infer", lines)
        return Inference(_numbers(results), int(end[1]) - int(begin[1]))

    def results(self) -> Results:
        """Return the results of the last inference again.

        Raises:
            LinkError: there are none.
        """
        lines = self.ask("results")
        match = RESULTS.fullmatch(lines[0]) if len(lines) == 1 else None
        if match is None:
            raise self._malformed("results", lines)
        return _numbers(match)

    def ask(self, command: str, line_s: float = LINE_S) -> list[str]:
        """Send a command, without its end, and return the lines before ``m-ready``.

        Raises:
            SilentBoardError: nothing was ever answered.
            BoardHangsError: it answered before.
            BoardCrashedError: it crashed.
            LinkError: it refuses the command.
        """
        self.link.send(f"{command}%".encode("ascii"))
        lines = []
        while (line := self._line(line_s, command)) != READY:
            if line.startswith(FAULT):
                raise self._crashed(line)
            lines.append(line)
        refused = next((line for line in lines if line.startswith("e-")), None)
        if refused is not None:
            raise LinkError(
                f"{self.link.name}: the device answers {_verb(command)} with {refused}. Is it "
                "the firmware of this bundle?"
            )
        return lines

    def _ask_for(self, command: str, pattern: str) -> str:
        """Return the part of an answer that ``pattern`` finds in one of its lines."""
        lines = self.ask(command)
        match = next(filter(None, (re.fullmatch(pattern, line) for line in lines)), None)
        if match is None:
            raise self._malformed(command, lines)
        return match[1]

    def _synchronise(self) -> None:
        """Have the device end what it may be in the middle of, and forget what it said till then.

        It is given a command that nobody else gives: all before its answer to that, however late
        it comes, is no answer to us: the rest of another one, or what it says as it begins.
        """
        command = f"sync-{secrets.token_hex(4)}"
        self.link.send(f"%{command}%".encode("ascii"))
        answer = f"{command}]\r\n{READY}\r\n".encode("ascii")
        deadline = time.monotonic() + LINE_S
        while answer not in self._received:
            if time.monotonic() > deadline:
                raise self._unanswered()
            self._received = (self._received + self.link.receive())[-LINE_BYTES_MAX:]
        self._received = self._received.partition(answer)[2]

    def _unanswered(self) -> HostError:
        """Return what came instead of an answer to a greeting, which is forgotten."""
        text, self._received = self._received.decode("ascii", "replace"), b""
        lines = text.split("\r\n")
        fault = next((line for line in lines if line.startswith(FAULT)), None)
        if fault is not None:
            return self._crashed(fault)
        return self._malformed("name", lines) if text else self._silent("name", LINE_S)

    def _line(self, patience_s: float, command: str) -> str:
        deadline = time.monotonic() + patience_s
        while b"\r\n" not in self._received:
            data = self.link.receive()
            self._received += data
            late = not data and time.monotonic() > deadline
            if len(self._received) > LINE_BYTES_MAX or (late and self._received):
                raise self._malformed(command, [self._received[:40].decode("ascii", "replace")])
            if late:
                raise self._silent(command, patience_s)
        line, _, self._received = self._received.partition(b"\r\n")
        if not line.isascii():
            raise self._malformed(command, [line[:40].decode("ascii", "replace")])
        self._spoke = True
        return line.decode("ascii")

    def _crashed(self, line: str) -> BoardCrashedError:
        return BoardCrashedError(
            f"{self.link.name}: the board crashed: {line}. "
            "`arm-none-eabi-addr2line -fe firmware.elf PC` names the line."
        )

    def _silent(self, command: str, patience_s: float) -> LinkError:
        text = f"{self.link.name}: no line in answer to {_verb(command)} in {patience_s:.0f} s."
        reason = self.link.explain()
        if self._spoke:
            return BoardHangsError(f"{text} It answered before. {reason or 'Reset the board.'}")
        return SilentBoardError(
            f"{text} {reason or 'Check power, cable and --baud'}. Is it firmware of "
            "'generate --application mlperf'?"
        )

    def _malformed(self, command: str, lines: Sequence[str]) -> NoisyLineError:
        answer = " | ".join(lines)[:120]
        return NoisyLineError(
            f"{self.link.name}: the answer to {_verb(command)} is not of the MLPerf Tiny "
            f"protocol: {answer!r}. Check baud rate and firmware."
        )


def _numbers(match: re.Match[str]) -> Results:
    return np.array(match[1].split(","), np.int64)


def board_of(dut: Dut) -> Board:
    """Return the board that a greeted device says it is.

    Raises:
        WrongBoardError: this kit does not know it.
    """
    try:
        return load_board(dut.name.removeprefix(VENDOR))
    except BoardError as error:
        raise WrongBoardError(
            f"{dut.link.name}: the device calls itself {dut.name!r}, expected the name of a board "
            "that this kit knows. Give your own board's folder with --board."
        ) from error


def _verb(command: str) -> str:
    return command.split(maxsplit=1)[0]
