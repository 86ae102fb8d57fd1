"""Take the example networks from their weights to measured firmware, and write what that found."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from dynadeep.codegen.bundle import MODEL_TFLITE, Bundle, read_bundle
from dynadeep.codegen.files import write_whole
from dynadeep.codegen.markdown import table
from dynadeep.export.importing import Wanted, import_torch
from dynadeep.export.packages import quiet, tensorflow
from dynadeep.host_tools import pipeline
from dynadeep.host_tools.applications import application_of
from dynadeep.host_tools.measure import parity, profile
from dynadeep.host_tools.measure.references import golden_cases
from tests.networks import example
from tests.networks.example import Example, Floats, Predict

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "networks.json"
PAGE = ROOT / "docs" / "models.md"
MARKS = ("<!-- networks -->", "<!-- end of networks -->")
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
class Measured:
    """A network's figures; bytes of the whole firmware, instructions of one input."""

    name: str
    trained: str
    parameters: int
    macs: int
    board: str
    engine: str
    flash_bytes: int
    ram_bytes: int
    instructions: int
    bit_exact: bool
    test: str
    scores_float: dict[str, float]
    scores_int8: dict[str, float]


def measure(name: str, data: Path) -> Measured:
    """Import a trained network, keep its .tflite, score it in float and int8, measure its firmware.

    Raises:
        TrainError: it was not trained, or the data cannot be used.
    """
    module = example.load(name)
    net, calibration = module.network(), module.calibration(data)
    bundle = make_bundle(name, module, calibration)
    content = bundle.path(MODEL_TFLITE).read_bytes()
    write_whole(MODELS / f"{name}.tflite", content)
    in_float = example.in_float(net)
    shape = in_float(calibration[:1]).shape[1:]
    return Measured(
        name=name,
        trained=module.TRAINED_FOR,
        **_on_board(bundle),
        test=module.TESTED_ON,
        scores_float=_rounded(module.score(in_float, data)),
        scores_int8=_rounded(module.score(in_int8(content, shape), data)),
    )


def make_bundle(name: str, module: Example, calibration: Floats) -> Bundle:
    """Import a network as a user does: ``dynadeep import --torch``."""
    folder = example.TRAINED / name
    given = folder / "calibration.npy"
    np.save(given, calibration)
    wanted = Wanted(calibration=given, clip=module.CLIP, count=4)
    shape = (1, *calibration.shape[1:])
    import_torch(f"tests.networks.{name}:network", [shape], folder / "bundle", wanted)
    return read_bundle(folder / "bundle")


def in_int8(content: bytes, shape: tuple[int, ...]) -> Predict:
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


def _on_board(bundle: Bundle) -> dict[str, object]:
    """Build firmware, compare every bit of it, and measure it in the emulator."""
    firmware = pipeline.make_firmware(bundle, BOARD)
    with pipeline.connect(bundle, BOARD, elf=firmware.elf) as station:
        application = application_of(station)
        compared = parity.check(station.device, station.plan, golden_cases(bundle), application)
        latency, memory = profile.measure(station, application, RUNS)
    assert memory is not None
    return {
        "board": BOARD,
        "engine": station.device.about.engine,
        "bit_exact": compared.bit_exact,
        "parameters": sum(
            constant.array.size
            for constant in station.plan.constants
            if constant.kind in ("weights", "bias")
        ),
        "macs": latency.macs,
        "instructions": latency.per_segment,
        "flash_bytes": memory.flash_bytes,
        "ram_bytes": memory.ram_bytes,
    }


def _rounded(scores: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in scores.items()}


def write(measured: Measured) -> None:
    """Put figures into benchmarks/networks.json beside those of other networks, and on the page."""
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else []
    known = {row["name"]: row for row in kept} | {measured.name: asdict(measured)}
    rows = [known[name] for name in example.NAMES if name in known]
    write_whole(RESULTS, json.dumps(rows, indent=2) + "\n")
    page = PAGE.read_text(encoding="utf-8")
    head, _, rest = page.partition(MARKS[0])
    tail = rest.partition(MARKS[1])[2]
    lines = "\n".join(table(HEADINGS, (_row(Measured(**row)) for row in rows)))
    write_whole(PAGE, f"{head}{MARKS[0]}\n{lines}\n{MARKS[1]}{tail}")


def _row(one: Measured) -> list[str]:
    first = next(iter(one.scores_float))
    return [
        one.name,
        f"{one.parameters:,}",
        f"{one.macs / 1e6:.2f} M",
        one.engine,
        f"{one.flash_bytes / 1e3:.1f} KB",
        f"{one.ram_bytes / 1e3:.1f} KB",
        f"{one.instructions / 1e6:.2f} M",
        "yes" if one.bit_exact else "NO",
        f"{first}, {one.test}",
        f"{one.scores_float[first]:.4g}",
        f"{one.scores_int8[first]:.4g}",
    ]
