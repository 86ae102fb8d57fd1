"""The generated C: it compiles under the strictest flags and computes what TFLite does."""

import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from elftools.elf.elffile import ELFFile

from dynadeep.codegen.bundle import InputMap, Manifest
from dynadeep.codegen.emit import project_files, write_project
from dynadeep.codegen.errors import BundleError
from dynadeep.codegen.net_context import RUNTIME_ABI
from dynadeep.codegen.numerics import (
    MarginTable,
    choose_level,
    map_input,
    predicted_error,
)
from dynadeep.codegen.plan import Plan, plan_model
from dynadeep.host_tools.codec.rice import encode_samples
from tests.caching import runtime_archive

from .conftest import Run
from .models import AFFINE, Net, manifest_for, reshaped_encoder, small_encoder

HERE = Path(__file__).parent
WARNINGS = [
    *("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wvla"),
    *("-Wstack-usage=4096", "-Werror"),
]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-DDD_CHECKED"]
PACKET = 255
Values = dict[str, npt.NDArray[np.int8]]
MINMAX = InputMap("minmax")
Planned = tuple[bytes, Plan]

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")


def planned(input_map: InputMap = AFFINE, make: Callable[[], Net] = small_encoder) -> Planned:
    net = make()
    content = net.model.build()
    return content, plan_model(content, manifest_for(net, content, input_map))


def compiled(project: Path, program: str, *flags: str) -> Path:
    """Compile a program with a project's model; the runtime is the same for many of them."""
    compiler = ("gcc", "-std=c11", "-O1", *flags)
    runtime = runtime_archive(project, compiler)
    target = project / program.removesuffix(".c")
    includes = [f"-I{project}/model", f"-I{project}/runtime"]
    sources = [HERE / program, *sorted(project.glob("model/*.c")), runtime]
    subprocess.run([*compiler, *includes, *sources, "-o", target], check=True)
    return target


def events(output: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(output):
        number, count = struct.unpack_from("<BI", output, at)
        yield number, output[at + 5 : at + 5 + count]
        at += 5 + count


def segments(count: int = 12) -> npt.NDArray[np.int16]:
    random = np.random.default_rng(11)
    noise = random.integers(-600, 600, (count, 40)).astype(np.int16)
    flat, full = np.zeros((1, 40), np.int16), np.full((1, 40), 32767, np.int16)
    square = np.tile(np.array([-32768, 32767], np.int16), 20)[None]
    return np.concatenate([noise, flat, full, square])


@pytest.fixture(scope="module", params=["affine", "minmax", "reshaped"])
def project(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, bytes, Plan]:
    input_map = MINMAX if request.param == "minmax" else AFFINE
    make = reshaped_encoder if request.param == "reshaped" else small_encoder
    content, plan = planned(input_map, make)
    out = tmp_path_factory.mktemp("generated") / "project"
    write_project(project_files(plan, None), out)
    return out, content, plan


def run(
    program: Path,
    bound: int = 0,
    *arguments: str,
    stream: npt.NDArray[np.int16] | None = None,
) -> list[tuple[int, bytes]]:
    result = subprocess.run(
        [program, str(bound), *arguments],
        input=(segments() if stream is None else stream).tobytes(),
        capture_output=True,
        check=True,
    )
    return list(whole_tensors(events(result.stdout)))


def whole_tensors(pieces: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Join the pieces in which a streaming engine shows tensors, segment by segment."""
    tensors: dict[int, bytes] = {}
    for number, content in pieces:
        if number != PACKET:
            tensors[number] = tensors.get(number, b"") + content
            continue
        yield from sorted(tensors.items())
        yield number, content
        tensors = {}


def test_every_tensor_of_the_generated_c_is_tflites(
    project: tuple[Path, bytes, Plan], reference: Run
) -> None:
    out, content, plan = project
    program = compiled(out, "watch.c", *SANITIZERS)
    mapped = map_input(segments(), plan.manifest.input_map)
    tensors = [reference(content, {"segment": codes}) for codes in mapped]
    for name, holder in plan.network.names.items():
        assert all(values[name].tobytes() == values[holder].tobytes() for values in tensors)
    for arguments, traced in (
        ((), [t for t in plan.tensors if t.fused]),
        (("unfused",), plan.tensors),
    ):
        events = [event for event in run(program, 0, *arguments) if event[0] != PACKET]
        assert len(events) == len(mapped) * len(traced)
        for i, (number, values) in enumerate(events):
            entry, expected = traced[i % len(traced)], tensors[i // len(traced)]
            assert number == entry.number
            assert len(values) == entry.time * entry.channels
            assert values == expected[entry.name].tobytes(), entry.name


def expected_packet(
    manifest: Manifest, values: Values, segment: npt.NDArray[np.int16], sequence: int, bound: int
) -> bytes:
    margins = MarginTable.of_segments(manifest.need_codec()).at(bound)
    level = choose_level(predictions(manifest, values), margins, bound)
    payload = encode_samples(segment)
    if level:
        payload = values[manifest.levels[level - 1].latent_tensor].tobytes()
        if manifest.input_map.kind == "minmax":
            payload = struct.pack("<hh", segment.min(), segment.max()) + payload
    head = struct.pack("<BB", 0xDD, 0x30 | level) + bytes.fromhex(manifest.model_id)[:4]
    body = head + struct.pack("<HHBH", 0x1234, sequence, 0, len(payload)) + payload
    return body + struct.pack("<I", zlib.crc32(body))


def predictions(manifest: Manifest, values: Values) -> list[int]:
    return [predicted_error(int(values[level.error_tensor][0]), level) for level in manifest.levels]


def reshaped(plan: Plan) -> dict[str, str]:
    """Return the names that the manifest may use for tensors that the firmware keeps."""
    tensors = {tensor.name for tensor in plan.tensors if tensor.fused}
    return {name: holder for name, holder in plan.network.names.items() if holder in tensors}


def runs(program: Path, plan: Plan, bound: int) -> Iterator[tuple[Values, bytes]]:
    """Yield each segment's tensors and packet."""
    names = {tensor.number: tensor.name for tensor in plan.tensors}
    values: Values = {}
    for number, content in run(program, bound):
        if number == PACKET:
            dropped = {name: values[holder] for name, holder in reshaped(plan).items()}
            yield values | dropped, content
        else:
            values[names[number]] = np.frombuffer(content, np.int8)


def test_packets_follow_from_the_tensors_at_every_bound(
    project: tuple[Path, bytes, Plan],
) -> None:
    out, _, plan = project
    program = compiled(out, "watch.c")
    table = MarginTable.of_segments(plan.manifest.need_codec())
    bounds = {0, (1 << 31) - 1, *table.knots}
    for values, _ in runs(program, plan, 0):
        for level, error in enumerate(predictions(plan.manifest, values)):
            # At exactly the least bound a level is taken; one below it is not.
            least = min(table.least_bound(level, error), (1 << 31) - 1)
            bounds |= {least, max(least - 1, 0)}
    levels = set()
    for bound in sorted(bounds):
        for sequence, (values, packet) in enumerate(runs(program, plan, bound)):
            segment = segments()[sequence]
            assert packet == expected_packet(plan.manifest, values, segment, sequence, bound)
            levels.add(packet[1] & 15)
    assert levels >= {0, 2}


def test_it_compiles_without_a_warning(project: tuple[Path, bytes, Plan]) -> None:
    compiled(project[0], "refusals.c", *WARNINGS)


def test_wrong_calls_are_refused_and_use_up_no_sequence_number(
    project: tuple[Path, bytes, Plan],
) -> None:
    program = compiled(project[0], "refusals.c", *SANITIZERS)
    assert subprocess.run([program], check=False).returncode == 0


@pytest.mark.parametrize("language", ["c -std=c11", "c++ -std=c++17"])
@pytest.mark.parametrize("header", ["model_codec.h", "model_net.h", "model_debug.h"])
def test_each_header_compiles_alone(
    project: tuple[Path, bytes, Plan], header: str, language: str
) -> None:
    out = project[0]
    flags = ["-x", *language.split(), *WARNINGS, f"-I{out}/model", f"-I{out}/runtime"]
    source = f'#include "{header}"\n#include "{header}"\n'
    subprocess.run(["gcc", *flags, "-fsyntax-only", "-"], input=source, text=True, check=True)


def test_c_plus_plus_can_call_it(project: tuple[Path, bytes, Plan], tmp_path: Path) -> None:
    if shutil.which("g++") is None:
        pytest.skip("needs g++")
    out = project[0]
    program = tmp_path / "main.cpp"
    program.write_text(
        '#include "model_codec.h"\nstatic model_encoder e;\n'
        "int main() { return model_encoder_init(&e, 1) == DD_OK ? 0 : 1; }\n",
        encoding="utf-8",
    )
    includes = [f"-I{out}/model", f"-I{out}/runtime"]
    c_files = [*out.glob("model/*.c"), *out.glob("runtime/*.c")]
    subprocess.run(["gcc", "-std=c11", *includes, "-c", *c_files], cwd=tmp_path, check=True)
    objects = sorted(tmp_path.glob("*.o"))
    subprocess.run(
        ["g++", "-std=c++17", *includes, program, *objects, "-o", "main"], cwd=tmp_path, check=True
    )
    subprocess.run([tmp_path / "main"], check=True)


def test_another_runtime_abi_stops_the_compiler(
    project: tuple[Path, bytes, Plan], tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(project[0], copy)
    header = copy / "runtime/dd_abi.h"
    text = header.read_text(encoding="utf-8")
    header.write_text(
        text.replace(f"DD_RUNTIME_ABI {RUNTIME_ABI}", "DD_RUNTIME_ABI 999"), encoding="utf-8"
    )
    command = [
        "gcc",
        f"-I{copy}/model",
        f"-I{copy}/runtime",
        "-fsyntax-only",
        copy / "model/model_net.c",
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "Generate these sources again" in result.stderr


@pytest.mark.parametrize(
    ("gain", "baseline"), [(200.0, 1024), (1000.0, 0), (204.8, -12), (1e-5, -32768)]
)
def test_the_header_states_the_converter_that_the_model_was_trained_for(
    tmp_path: Path, gain: float, baseline: int
) -> None:
    _, plan = planned()
    manifest = plan.manifest.with_codec(adc_gain=gain, adc_baseline=baseline)
    write_project(project_files(replace(plan, manifest=manifest), None), tmp_path / "ecg")
    program = tmp_path / "main.c"
    program.write_text(
        '#include "model_codec.h"\n#include <stdio.h>\n'
        'int main(void) { return printf("%.9g %d", (double)MODEL_ADC_UNITS_PER_MV,'
        " 0 - MODEL_ADC_BASELINE) < 0; }\n",
        encoding="utf-8",
    )
    command = ["gcc", "-std=c11", *WARNINGS, "-Iecg/model", "-Iecg/runtime", program, "-o", "main"]
    subprocess.run(command, cwd=tmp_path, check=True)
    stated = subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=True)
    assert stated.stdout == f"{float(np.float32(gain)):.9g} {-baseline}"


@pytest.mark.parametrize("gain", [0.0, -200.0, float("nan"), float("inf")])
def test_a_gain_that_is_no_positive_number_is_refused(gain: float) -> None:
    _, plan = planned()
    wild = plan.manifest.with_codec(adc_gain=gain)
    with pytest.raises(BundleError, match=r"adc_gain is .*, expected a positive number"):
        project_files(replace(plan, manifest=wild), None)


def test_no_line_is_wider_than_a_hundred_columns(project: tuple[Path, bytes, Plan]) -> None:
    for path in project[0].glob("model/*.[ch]"):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            assert len(line) <= 100, f"{path.name}:{number}"


def test_constants_lie_in_flash_as_the_description_says(project: tuple[Path, bytes, Plan]) -> None:
    plan = project[2]
    text = (project[0] / "model/model_net.c").read_text(encoding="utf-8")
    table = text[text.index("model_constants[MODEL_CONSTANTS]") :]
    for constant in plan.constants:
        assert (
            f"{{{constant.layer}_{constant.kind}, sizeof {constant.layer}_{constant.kind}}}"
            in table
        )


def test_weights_are_aligned_even_where_the_compiler_saves_bytes(
    project: tuple[Path, bytes, Plan], tmp_path: Path
) -> None:
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not installed; `make setup` installs it")
    out, _, plan = project
    flags = ("-mcpu=cortex-m4", "-mthumb", "-std=c11", "-Os", "-fdata-sections")
    includes = (f"-I{out}/model", f"-I{out}/runtime")
    command = ["arm-none-eabi-gcc", *flags, *includes, "-c", out / "model/model_net.c"]
    subprocess.run(command, cwd=tmp_path, check=True)
    with (tmp_path / "model_net.o").open("rb") as file:
        sections = {it.name: it["sh_addralign"] for it in ELFFile(file).iter_sections()}
    convolutions = [layer for layer in plan.network.layers if layer.macs]
    for layer in convolutions:
        assert sections[f".rodata.{layer.name}_weights"] >= 4


def test_an_input_map_out_of_range_is_refused() -> None:
    _, plan = planned()
    wild = plan.manifest.with_codec(input_map=InputMap("affine", 0, 70_000, 15))
    with pytest.raises(BundleError, match="an affine map needs an int16 offset"):
        project_files(replace(plan, manifest=wild), None)


def test_text_that_cannot_stand_in_a_c_string_is_refused() -> None:
    _, plan = planned()
    wild = plan.manifest.with_codec(error_unit='PRD "%"')
    with pytest.raises(BundleError, match=r"error_unit .* is not plain ASCII"):
        project_files(replace(plan, manifest=wild), None)
