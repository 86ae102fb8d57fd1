"""Take the example networks from their weights to measured firmware, and write what that found."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dynadeep.codegen.bundle import MODEL_TFLITE, Bundle, read_bundle
from dynadeep.codegen.files import write_whole
from dynadeep.codegen.markdown import table
from dynadeep.codegen.tflite import read_graph
from dynadeep.export.float_network import WEIGHTED
from dynadeep.export.importing import ImportOptions, import_network, import_torch
from dynadeep.export.packages import quiet, tensorflow
from dynadeep.host_tools import pipeline
from dynadeep.host_tools.applications import application_of
from dynadeep.host_tools.measure import parity, profile
from dynadeep.host_tools.measure.references import golden_cases
from tests.networks import example
from tests.networks.example import Floats, Predict

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "networks.json"
PAGE = RESULTS.with_suffix(".md")
MODELS = Path(__file__).parent / "models"
"""The int8 networks that the tests run, made here."""

BOARD = "mps2-an386"
"""A Cortex-M4."""
RUNS = 2
HEADINGS = (
    *("network", "parameters", "MAC", "engine", "flash", "RAM", "instructions", "bit-exact"),
    *("score", "float", "int8"),
)


@dataclass(frozen=True)
class Scores:
    """What a network is worth."""

    trained: str
    test: str
    scores_float: dict[str, float]
    scores_int8: dict[str, float]


@dataclass(frozen=True)
class Cost:
    """What a board needs for a network: bytes of the whole firmware, instructions of one input."""

    board: str
    engine: str
    parameters: int
    macs: int
    flash_bytes: int
    ram_bytes: int
    instructions: int
    bit_exact: bool


def score(name: str, data: Path) -> Scores:
    """Import a trained network, keep its .tflite, and score it in float and in int8.

    Raises:
        TrainError: it was not trained, or the data cannot be used.
    """
    module = example.load(name)
    net, calibration = module.network(), module.calibration(data)
    content = _imported(name, calibration, module.CLIP)
    MODELS.mkdir(exist_ok=True)
    write_whole(MODELS / f"{name}.tflite", content)
    in_float = example.in_float(net)
    in_int8 = quantised(content, in_float(calibration[:1]).shape[1:])
    return Scores(
        trained=module.TRAINED_FOR,
        test=module.TESTED_ON,
        scores_float=_rounded(module.score(in_float, data)),
        scores_int8=_rounded(module.score(in_int8, data)),
    )


def cost(name: str) -> Cost:
    """Build firmware of an int8 network, compare every bit of it, and measure it in the emulator.

    Raises:
        HostError: it cannot be built or run.
    """
    with tempfile.TemporaryDirectory() as folder:
        import_network(MODELS / f"{name}.tflite", Path(folder) / name, ImportOptions(count=RUNS))
        return _cost(read_bundle(Path(folder) / name))


def _imported(name: str, calibration: Floats, clip: float) -> bytes:
    """Import a network as ``dynadeep import --torch`` does; return the int8 .tflite."""
    folder = example.TRAINED / name
    given = folder / "calibration.npy"
    np.save(given, calibration)
    shape = (1, *calibration.shape[1:])
    wanted = ImportOptions(calibration=given, clip=clip, count=1)
    import_torch(f"tests.networks.{name}:network", [shape], folder / "bundle", wanted)
    return read_bundle(folder / "bundle").path(MODEL_TFLITE).read_bytes()


def quantised(content: bytes, shape: tuple[int, ...]) -> Predict:
    """Return what a .tflite predicts with TFLite's reference kernels, in real values.

    ``shape`` is that of an output in PyTorch, [C, 1, T], [C, T] or [C].
    """
    lite = tensorflow().lite
    with quiet():
        interpreter = lite.Interpreter(
            model_content=content,
            experimental_op_resolver_type=lite.experimental.OpResolverType.BUILTIN_REF,
        )
        interpreter.allocate_tensors()
    given, made = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scale, zero_point = given["quantization"]

    def run(codes: Floats) -> Floats:
        interpreter.set_tensor(given["index"], codes.astype(np.int8).reshape(given["shape"]))
        interpreter.invoke()
        series = interpreter.get_tensor(made["index"]).reshape(-1, shape[0])
        values: Floats = (series.T.astype(np.float32) - made["quantization"][1]).reshape(shape)
        return values * np.float32(made["quantization"][0])

    def predict(inputs: Floats) -> Floats:
        series = inputs.reshape(*inputs.shape[:2], -1).transpose(0, 2, 1)
        codes = np.clip(np.round(series / np.float32(scale)) + zero_point, -128, 127)
        return np.stack([run(one) for one in codes])

    return predict


def _cost(bundle: Bundle) -> Cost:
    firmware = pipeline.make_firmware(bundle, BOARD)
    with pipeline.connect(bundle, BOARD, elf=firmware.elf) as station:
        application, plan = application_of(station), station.plan
        compared = parity.check(station.device, plan, golden_cases(bundle), application)
        latency, memory = profile.measure(station, application, RUNS)
    assert memory is not None
    return Cost(
        board=BOARD,
        engine=station.device.about.engine,
        parameters=_parameters(bundle),
        macs=latency.macs,
        flash_bytes=memory.flash_bytes,
        ram_bytes=memory.ram_bytes,
        instructions=latency.per_segment,
        bit_exact=compared.bit_exact,
    )


def _parameters(bundle: Bundle) -> int:
    """Return how many weights and biases the .tflite holds."""
    nodes = read_graph(bundle.path(MODEL_TFLITE).read_bytes()).nodes
    given = (tensor for node in nodes if node.kind in WEIGHTED for tensor in node.inputs[1:])
    return sum(tensor.data.size for tensor in given if tensor and tensor.data is not None)


def _rounded(scores: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in scores.items()}


def recorded() -> dict[str, dict[str, Any]]:
    """Return the figures of benchmarks/networks.json by network, in order."""
    rows = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else []
    return {row["name"]: row for row in rows}


def record(name: str, figures: Mapping[str, Any]) -> None:
    """Put a network's figures into benchmarks/networks.json; write the page beside it anew."""
    known = recorded()
    known[name] = {"name": name} | known.get(name, {}) | dict(figures)
    rows = [known[one] for one in example.NAMES if one in known]
    write_whole(RESULTS, json.dumps(rows, indent=2) + "\n")
    write_whole(PAGE, "\n".join(_page(rows)) + "\n")


def _page(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what people read of networks that were scored and measured."""
    whole = [row for row in rows if "scores_int8" in row and "instructions" in row]
    kinds = ([f"`{row['name']}`", row["trained"], example.about(row["name"])] for row in whole)
    return [
        "# Networks to begin from",
        "",
        "Made by `python -m tests.networks`: networks that are no codec, each complete from its",
        "training script in `tests/networks/` to every bit on an emulated board. The trainings are",
        "short: what they show is what int8 on the board keeps, not what such a network can reach.",
        "",
        *table(("network", "trained", "is"), kinds),
        "",
        *table(HEADINGS, map(_row, whole)),
        "",
        f"Whole firmware on `{BOARD}`, a Cortex-M4, link and checks included; instructions of one",
        "whole input, counted in QEMU. Scores are in float (PyTorch) and as the board computes",
        "(TFLite's reference kernels), on test data; settings were chosen on training patients.",
        "",
        *table(("network", "score", "float", "int8"), (row for one in whole for row in _all(one))),
    ]


def _all(figures: Mapping[str, Any]) -> Iterator[list[str]]:
    for name, value in figures["scores_float"].items():
        score = name.replace("_", " ")
        yield [figures["name"], score, f"{value:.4g}", f"{figures['scores_int8'][name]:.4g}"]


def _row(figures: Mapping[str, Any]) -> list[str]:
    first = next(iter(figures["scores_float"]))
    return [
        figures["name"],
        f"{figures['parameters']:,}",
        f"{figures['macs'] / 1e6:.2f} M",
        figures["engine"],
        f"{figures['flash_bytes'] / 1e3:.1f} KB",
        f"{figures['ram_bytes'] / 1e3:.1f} KB",
        f"{figures['instructions'] / 1e6:.2f} M",
        "yes" if figures["bit_exact"] else "no",
        f"{first.replace('_', ' ')}, {figures['test']}",
        f"{figures['scores_float'][first]:.4g}",
        f"{figures['scores_int8'][first]:.4g}",
    ]
