"""A host that holds a device to the letter of the MLPerf Tiny protocol; docs/mlperf.md tells it.

It knows nothing of this kit: any port with ``read`` and ``write`` will do.
"""

import re
import time
from dataclasses import dataclass
from typing import Any

COMMAND_MAX, BYTES_A_COMMAND = 80, 31
PATIENCE = 12
"""How much slower than a device an emulated one may be on a busy computer."""

LINE_S, INFER_S = 5.0 * PATIENCE, 30.0 * PATIENCE
HEX_LINE = re.compile(r"m-buffer-([0-9a-f]{2}(?:-[0-9a-f]{2}){0,7})")


class ProtocolError(AssertionError):
    """The device said what the protocol does not have."""


@dataclass(frozen=True)
class Inferred:
    begin_us: int
    end_us: int
    results: list[float]


class StrictRunner:
    """Sends commands of 80 characters at most, and takes nothing but lines that end in CR LF."""

    def __init__(self, port: Any):
        self.port = port
        self.pending = b""

    def line(self, patience_s: float) -> str:
        deadline = time.monotonic() + patience_s
        while b"\n" not in self.pending:
            data = self.port.read(max(1, self.port.in_waiting))
            self.pending += data
            if not data and time.monotonic() > deadline:
                raise ProtocolError(f"no line in {patience_s} s; {self.pending!r} came")
        line, self.pending = self.pending.split(b"\n", 1)
        if not line.endswith(b"\r") or b"\r" in line[:-1] or not line.isascii():
            raise ProtocolError(f"{line!r} does not end in CR LF alone")
        return line[:-1].decode()

    def lines(self, patience_s: float) -> list[str]:
        """Return the lines up to the one that says ready, which must be the last that comes."""
        lines: list[str] = []
        while (line := self.line(patience_s)) != "m-ready":
            lines.append(line)
        if self.pending:
            raise ProtocolError(f"{self.pending!r} comes behind m-ready")
        return lines

    def booted(self) -> int:
        """Take what a device says when it begins; return its clock's microseconds."""
        mode, lap, done = self.lines(LINE_S)
        assert mode == "m-timestamp-mode-performance"
        assert done == "m-init-done"
        return self.microseconds(lap)

    def send(self, command: str, patience_s: float = LINE_S) -> list[str]:
        assert len(command) + 1 <= COMMAND_MAX
        assert not set(command) & set("%\r\n")
        self.port.write(command.encode("ascii") + b"%")
        return self.lines(patience_s)

    @staticmethod
    def microseconds(line: str) -> int:
        match = re.fullmatch(r"m-lap-us-(\d{1,20})", line)
        if match is None:
            raise ProtocolError(line)
        return int(match[1])

    @staticmethod
    def numbers(line: str) -> list[float]:
        match = re.fullmatch(r"m-results-\[(.+)\]", line)
        if match is None:
            raise ProtocolError(line)
        return [float(number) for number in match[1].split(",")]

    def name(self) -> str:
        (line,) = self.send("name")
        match = re.fullmatch(r"m-name-dut-\[([^\]]+)\]", line)
        if match is None:
            raise ProtocolError(line)
        return match[1]

    def model(self) -> str:
        profile, model = self.send("profile")
        if re.fullmatch(r"m-profile-\[[^\]]+\]", profile) is None:
            raise ProtocolError(profile)
        match = re.fullmatch(r"m-model-\[([^\]]+)\]", model)
        if match is None:
            raise ProtocolError(model)
        return match[1]

    def timestamp(self) -> int:
        (line,) = self.send("timestamp")
        return self.microseconds(line)

    def load(self, content: bytes) -> None:
        assert self.send(f"db load {len(content)}") == [f"m-[Expecting {len(content)} bytes]"]
        for begin in range(0, len(content), BYTES_A_COMMAND):
            piece = content[begin : begin + BYTES_A_COMMAND]
            full = begin + len(piece) == len(content)
            assert self.send(f"db {piece.hex()}") == (["m-load-done"] if full else [])

    def printed(self, arguments: str = "") -> bytes:
        content = b""
        for line in self.send(f"db print{arguments}"):
            match = HEX_LINE.fullmatch(line)
            if match is None:
                raise ProtocolError(line)
            content += bytes.fromhex(match[1].replace("-", ""))
        return content

    def infer(self, count: int, warmups: int) -> Inferred:
        start, warm, begin, first, last, done, results = self.send(
            f"infer {count} {warmups}", INFER_S
        )
        assert (start, warm) == (f"m-warmup-start-{warmups}", "m-warmup-done")
        assert (begin, done) == (f"m-infer-start-{count}", "m-infer-done")
        return Inferred(self.microseconds(first), self.microseconds(last), self.numbers(results))

    def results(self) -> list[float]:
        (line,) = self.send("results")
        return self.numbers(line)

    def refused(self, command: str) -> str:
        """Return why the device refuses a command: one line, and then it is ready again."""
        (line,) = self.send(command)
        match = re.fullmatch(r"e-\[(.+)\]", line)
        if match is None:
            raise ProtocolError(line)
        return match[1]
