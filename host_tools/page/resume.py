"""Go on with a parity run that was stopped, by the report that it left."""

from pathlib import Path

from dynadeep.host_tools.errors import ReportError
from dynadeep.host_tools.measure.parity import ParityResult
from dynadeep.host_tools.page.document import Document
from dynadeep.host_tools.page.store import read_documents
from dynadeep.host_tools.page.text import one_line

ANEW = "Leave --resume out to begin anew."


def read_stopped(path: Path) -> Document | None:
    """Return the report of a parity run that may have been stopped; None where there is no file.

    Raises:
        ReportError: the file is no report of a parity run.
    """
    if not path.exists():
        return None
    documents = read_documents(path)
    if len(documents) != 1 or documents[0].command != "parity":
        commands = ", ".join(sorted({document.command for document in documents})) or "nothing"
        raise ReportError(f"{path}: a report of {commands}, expected one of parity. {ANEW}")
    return documents[0]


def parity_before(old: Document, new: Document, path: Path) -> ParityResult | None:
    """Return what ``old`` found of the run that ``new`` begins; None where it found nothing yet.

    Raises:
        ReportError: they are not of one run, or the old one has found a difference.
    """
    pairs = {
        "board": (old.board, new.board),
        "model": (old.model_id, new.model_id),
        "engine": (old.target.engine, new.target.engine),
        "kernels": (old.target.kernels, new.target.kernels),
        "kit": (old.kit_version, new.kit_version),
        "inputs": _short(old, new, "sha256"),
        "firmware": _short(old, new, "firmware_sha256"),
    }
    for name, (was, now) in pairs.items():
        if was != now:
            raise ReportError(
                f"{path}: was stopped with {name} {one_line(was)}, here: {one_line(now)}. {ANEW}"
            )
    parity = old.parity
    if parity is None:
        return None
    if parity.differences:
        raise ReportError(
            f"{path}: the run was over, for it found a difference: "
            f"{one_line(str(parity.differences[0]))}. {ANEW}"
        )
    return ParityResult(
        segments=parity.segments,
        tensors=parity.tensors,
        fused_tensors=parity.fused_tensors,
        constants=parity.constants,
        results=parity.results,
        noun=parity.noun,
        kinds=parity.levels,
    )


def _short(old: Document, new: Document, name: str) -> tuple[str, str]:
    """Return the beginning of a hash of each run."""
    was, now = (getattr(report.run, name, "") for report in (old, new))
    return (was[:16] or "unknown", now[:16] or "unknown") if was != now else ("", "")
