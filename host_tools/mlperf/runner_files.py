"""The files that an unmodified MLPerf Tiny runner reads: the device, its tests, its data set."""

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

from dynadeep.codegen.board import Board
from dynadeep.codegen.bundle import Manifest
from dynadeep.codegen.files import write_whole
from dynadeep.host_tools.link.base import DEFAULT_BAUD
from dynadeep.host_tools.measure.references import Case
from dynadeep.host_tools.mlperf.check import input_of, results_of

DEVICES, LABELS, DATASETS = "devices.yaml", "y_labels.csv", "datasets"
WINDOWS, WINDOW_S, WARMUPS = 5, 10.0, 2
"""A performance run is five windows, each of ten seconds at least."""

SPARE = 1.1
HEADER = "# Written by dynadeep for the MLPerf Tiny runner; docs/mlperf.md says how it is used.\n"


def write_runner_files(
    out: Path, manifest: Manifest, board: Board, cases: Sequence[Case], inference_us: float
) -> list[Path]:
    """Write what the runner needs for a bundle on a board; return the files.

    Args:
        out: the folder that the runner is started in.
        manifest: of the bundle.
        board: whose USB ids and baud rate the runner looks for.
        cases: the data set.
        inference_us: of one inference, which says how many fill a window.
    """
    count = math.ceil(SPARE * WINDOW_S * 1e6 / max(inference_us, 1.0))
    model = manifest.model_id
    files: dict[str, bytes] = {
        DEVICES: _devices(board).encode(),
        "tests_accuracy.yaml": _test(model, len(cases), "infer 1 0").encode(),
        "tests_performance.yaml": _test(model, WINDOWS, f"infer {count} {WARMUPS}", 0).encode(),
        "tests_energy.yaml": _test(model, WINDOWS, f"infer {count} {WARMUPS}", 0).encode(),
        f"{DATASETS}/{model}/{LABELS}": _labels(cases, manifest).encode(),
    }
    for number, case in enumerate(cases):
        files[f"{DATASETS}/{model}/{file_of(number)}"] = input_of(case).tobytes()
    for name, content in files.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    return [out / name for name in files]


def file_of(number: int) -> str:
    """Return the name of a case's file in the data set."""
    return f"input{number:04d}.bin"


def _devices(board: Board) -> str:
    """Return the device's entry: how the runner finds it among the USB serial ports."""
    baud = board.uart.baud if board.uart is not None else DEFAULT_BAUD
    lines = [f"- name: {board.name}", "  type: dut", "  baud:"]
    lines += [f"    {mode}: {baud}" for mode in ("energy", "performance", "accuracy")]
    if not board.usb:
        lines.append("  usb: {}  # nothing is known: write the adapter's ids, 0xVVVV: 0xPPPP")
        return HEADER + "\n".join(lines) + "\n"
    lines.append("  usb:")
    vendors: dict[str, list[str]] = {}
    for usb_id in board.usb:
        vendor, product = usb_id.split(":")
        vendors.setdefault(vendor, []).append(f"0x{product}")
    lines += [f"    0x{vendor}: [{', '.join(ids)}]" for vendor, ids in vendors.items()]
    return HEADER + "\n".join(lines) + "\n"


def _test(model: str, times: int, infer: str, index: int | None = None) -> str:
    """Return a test: some times an input is loaded and the network run."""
    download = "download" if index is None else f"download {index}"
    return HEADER + (
        f'"{model}":\n'
        f'  name: "dynadeep {model}"\n'
        f'  model: "{model}"\n'
        f"  truth_file: {LABELS}\n"
        f"  script:\n"
        f"    - loop {times}:\n"
        f"      - {download}\n"
        f"      - {infer}\n"
    )


def _labels(cases: Sequence[Case], manifest: Manifest) -> str:
    """Return a line for each input: its file, how many results there are, which is the largest.

    The largest is the reference's, so that the runner's accuracy says where the device agrees.
    """
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for number, case in enumerate(cases):
        results = results_of(case, manifest)
        rows.writerow([file_of(number), len(results), int(results.argmax())])
    return text.getvalue()
