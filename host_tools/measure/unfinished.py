"""A benchmark as far as it came, in a file: what was measured of one firmware stays true of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from dynadeep.codegen.typed import Reader
from dynadeep.codegen.version import __version__
from dynadeep.host_tools.errors import ReportError
from dynadeep.host_tools.measure.latency import Latency
from dynadeep.host_tools.measure.memory import Memory
from dynadeep.host_tools.measure.parity import ParityResult
from dynadeep.host_tools.measure.report import write_report

UNFINISHED_JSON = "results.unfinished.json"
ADVICE = "Remove it, or leave --resume out, to begin anew."


@dataclass(frozen=True)
class Measured:
    """What was measured of one setup."""

    setup: str  # its name
    firmware_sha256: str  # of the ELF file
    parity: ParityResult
    latency: Latency
    memory: Memory
    worst_call: int | None


@dataclass(frozen=True)
class Unfinished:
    """The setups that were measured before the benchmark was stopped."""

    kit_version: str
    model_id: str
    setups: tuple[Measured, ...]


def write_unfinished(folder: Path, model_id: str, setups: Sequence[Measured]) -> None:
    """Write what was measured so far into a benchmark's folder."""
    content = asdict(Unfinished(__version__, model_id, tuple(setups)))
    write_report(folder / UNFINISHED_JSON, content)


def read_unfinished(folder: Path, model_id: str) -> tuple[Measured, ...]:
    """Return what an earlier benchmark measured before it was stopped; nothing if none was.

    Raises:
        ReportError: the file is damaged, or of another model or kit.
    """
    path = folder / UNFINISHED_JSON
    if not path.exists():
        return ()
    reader = Reader(str(path), ReportError, ADVICE)
    unfinished = reader.read(Unfinished, reader.json(reader.content(path)))
    for name, was, now in (
        ("model", unfinished.model_id, model_id),
        ("kit", unfinished.kit_version, __version__),
    ):
        if was != now:
            reader.refuse(f"was measured with {name} {was}, here: {now}")
    return unfinished.setups
