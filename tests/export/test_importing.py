"""dynadeep import: any network becomes a bundle, or a refusal that names what cannot run."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from dynadeep.codegen.bundle import GOLDEN, MANIFEST, MODEL_TFLITE, read_bundle
from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.golden import read_net_golden
from dynadeep.codegen.lowering import lower
from dynadeep.codegen.tflite import read_graph
from dynadeep.export.errors import CalibrationError, ExportError, QuantizationError
from dynadeep.export.importing import ImportOptions, import_network
from dynadeep.export.interpreters import Reference
from tests.codegen.tflite_builder import ModelBuilder, TensorSpec

ROOT = Path(__file__).parents[1]
OPERATORS = ROOT / "data" / "operators"
NAMES = sorted((ROOT / "graphs" / "cases" / "names").glob("*.tflite"))
QUICK = ImportOptions(count=1)

pytestmark = pytest.mark.heavy


def imported(path: Path, out: Path, options: ImportOptions = QUICK):
    report = import_network(path, out, options)
    bundle = read_bundle(out)
    return report, bundle, read_net_golden(out / GOLDEN, bundle.manifest.inputs)


@pytest.mark.parametrize("path", NAMES, ids=lambda path: path.stem)
def test_names_that_repeat_are_missing_or_odd_are_no_obstacle(path: Path, tmp_path: Path) -> None:
    report, bundle, golden = imported(path, tmp_path / "b")
    assert bundle.manifest.model_id == report.model_id
    network = lower(read_graph(path.read_bytes()))
    assert {network.holder(spec.name) for spec in bundle.manifest.outputs} <= set(golden.tensors)
    assert report.micro == "equal in every value"


def test_the_bundle_holds_the_file_as_it_was_and_says_which(tmp_path: Path) -> None:
    path = OPERATORS / "conv_only.tflite"
    _, bundle, _ = imported(path, tmp_path / "b")
    assert (tmp_path / "b" / MODEL_TFLITE).read_bytes() == path.read_bytes()
    assert bundle.manifest.source is not None
    assert bundle.manifest.source.file == "conv_only.tflite"
    assert bundle.manifest.source.sha256 == bundle.manifest.files[MODEL_TFLITE]
    assert bundle.manifest.codec is None


def test_golden_vectors_hold_every_tensor_of_the_references_kernels(tmp_path: Path) -> None:
    path = OPERATORS / "conv_relu_sigmoid.tflite"
    _, bundle, golden = imported(path, tmp_path / "b", ImportOptions(count=2))
    assert golden.names == (
        "zero", "highest", "lowest", "square_wave", "spike", "random00", "random01",
    )  # fmt: skip
    name = bundle.manifest.input.name
    tensors = Reference(path.read_bytes(), "x").run({name: golden.tensors[name][5]})
    assert tensors.keys() == golden.tensors.keys()
    assert len(tensors) == 3
    for tensor, values in tensors.items():
        np.testing.assert_array_equal(golden.tensors[tensor][5], values)


@pytest.mark.parametrize(("case", "kind"), [("float_in_out", "FLOAT32"), ("uint8_in_out", "UINT8")])
def test_float_and_uint8_ends_are_left_to_the_firmware_and_said(
    case: str, kind: str, tmp_path: Path
) -> None:
    report, bundle, golden = imported(OPERATORS / f"{case}.tflite", tmp_path / "b")
    (source,), (target,) = bundle.manifest.inputs, bundle.manifest.outputs
    assert (source.file_end.type, target.file_end.type) == (kind, kind)
    assert (source.scale, source.zero_point) == (pytest.approx(0.010926, rel=1e-3), 15)
    assert set(golden.tensors) == {source.name, target.name}
    assert sorted(np.unique(golden.tensors[source.name])) != [0]
    assert sum(kind in note for note in report.notes) == 2
    assert len(lower(read_graph((OPERATORS / f"{case}.tflite").read_bytes())).layers) == 1


def test_an_open_batch_is_imported_as_one(tmp_path: Path) -> None:
    _, bundle, _ = imported(OPERATORS / "dynamic_batch.tflite", tmp_path / "b")
    assert (bundle.manifest.input.time, bundle.manifest.input.channels) == (32, 1)


def test_a_keras_conv1d_and_its_reshapes_are_imported(tmp_path: Path) -> None:
    _, bundle, _ = imported(OPERATORS / "keras_Conv1D_1_T_C_.tflite", tmp_path / "b")
    assert [(spec.time, spec.channels) for spec in bundle.manifest.outputs] == [(1, 1)]


def test_a_float_network_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"float32_model\.tflite: .*--calibration"):
        import_network(OPERATORS / "float32_model.tflite", tmp_path / "b", QUICK)
    assert not (tmp_path / "b").exists()


def test_all_operators_that_cannot_run_are_named_and_nothing_is_written(tmp_path: Path) -> None:
    model = ModelBuilder()
    at = [model.tensor(TensorSpec(name, (1, 1, 9, 1))) for name in ("x", "a/y", "b/z")]
    model.op(90, at[:1], at[1:2])  # FILL and ROUND, say
    model.op(116, at[1:2], at[2:])
    model.inputs, model.outputs = at[:1], at[2:]
    path = tmp_path / "odd.tflite"
    path.write_bytes(model.build())
    with pytest.raises(ModelError, match=r'^odd\.tflite: 2 operators cannot run.*"a/y".*"b/z"'):
        import_network(path, tmp_path / "b", QUICK)
    assert not (tmp_path / "b").exists()


def test_a_float_network_is_quantised_by_calibration_data(tmp_path: Path) -> None:
    inputs = np.random.default_rng(0).normal(size=(20, 32, 1))
    np.save(tmp_path / "x.npy", inputs)
    options = ImportOptions(calibration=tmp_path / "x.npy", count=3)
    report, bundle, golden = imported(OPERATORS / "float32_model.tflite", tmp_path / "b", options)
    assert bundle.manifest.input.scale == pytest.approx(float(np.ptp(inputs)) / 255, rel=1e-3)
    assert golden.names[-3:] == ("calibration00", "calibration01", "calibration02")
    assert "quantised to int8 by 20 calibration inputs" in report.notes
    (output_note,) = [note for note in report.notes if note.startswith("output ")]
    assert int(output_note.split("int8 is ")[1].split(" dB")[0]) > 25
    assert "over 20 calibration inputs" in output_note


@pytest.mark.parametrize("content", ["", "PK a zip file", "cut", "noise"])
def test_what_is_no_whole_tflite_is_refused_by_its_name(content: str, tmp_path: Path) -> None:
    whole = (OPERATORS / "conv_only.tflite").read_bytes()
    contents = {"cut": whole[:900], "noise": whole[:8] + bytes(range(256)) * 4}
    path = tmp_path / "broken.tflite"
    path.write_bytes(contents.get(content, content.encode()))
    with pytest.raises(ModelError, match=r"^broken\.tflite: "):
        import_network(path, tmp_path / "b", QUICK)
    with pytest.raises(ModelError, match="no regular file"):
        import_network(tmp_path, tmp_path / "b", QUICK)


def test_a_network_of_another_kind_than_calibration_is_for_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((2, 32, 1)))
    options = ImportOptions(calibration=tmp_path / "x.npy")
    with pytest.raises(CalibrationError, match="is quantised already"):
        import_network(OPERATORS / "conv_only.tflite", tmp_path / "b", options)
    with pytest.raises(QuantizationError, match=r"op 0 CONV_2D.*\(dynamic range\)"):
        import_network(OPERATORS / "dynamic_range.tflite", tmp_path / "b", options)


def test_given_inputs_are_codes_or_real_values(tmp_path: Path) -> None:
    path = OPERATORS / "conv_only.tflite"  # scale 0.0273, zero point 15
    codes = np.arange(-16, 16, dtype=np.int8).reshape(1, 32, 1)
    scale = read_graph(path.read_bytes()).input.scale
    for number, values in enumerate((codes, (codes - 15.0) * scale, codes[:, None], codes[..., 0])):
        path_of_inputs = tmp_path / f"given{number}.npy"
        np.save(path_of_inputs, values)
        _, bundle, golden = imported(path, tmp_path / "b", ImportOptions(golden=path_of_inputs))
        np.testing.assert_array_equal(golden.tensors[bundle.manifest.input.name], codes)


WRONG_INPUTS = {
    "another length": (np.zeros((2, 31, 1), np.int8), r"int8 \[2, 31, 1\]"),
    "channels first": (np.zeros((2, 2, 16), np.int8), r"int8 \[2, 2, 16\]"),
    "no input": (np.zeros((0, 32, 1), np.int8), r"int8 \[0, 32, 1\]"),
    "integers": (np.zeros((2, 32, 1), np.int32), "neither int8 codes nor real numbers"),
    "not a number": (np.full((2, 32, 1), np.nan), "no finite numbers"),
    "pickles": (np.array([[None] * 32]), "nothing is unpickled"),
}


@pytest.mark.parametrize("case", WRONG_INPUTS)
def test_given_inputs_of_another_shape_or_type_are_refused(case: str, tmp_path: Path) -> None:
    values, message = WRONG_INPUTS[case]
    path = tmp_path / "given.npy"
    np.save(path, values, allow_pickle=True)
    with pytest.raises(CalibrationError, match=rf"given\.npy: .*{message}.*\[N, 32, 1\]"):
        import_network(OPERATORS / "conv_only.tflite", tmp_path / "b", ImportOptions(golden=path))


@pytest.mark.parametrize(
    ("value", "message"),
    [(0.0, "holds 0 and nothing else"), (np.nan, "no finite"), (1e39, "no finite")],
    ids=["one value", "not a number", "beyond float32"],
)
def test_calibration_that_gives_no_range_is_refused(
    value: float, message: str, tmp_path: Path
) -> None:
    np.save(tmp_path / "x.npy", np.full((2, 32, 1), value))
    with pytest.raises(CalibrationError, match=rf"x\.npy: .*{message}.*\[N, 32, 1\]"):
        import_network(
            OPERATORS / "float32_model.tflite", tmp_path / "b", ImportOptions(tmp_path / "x.npy")
        )
    assert not (tmp_path / "b").exists()


def test_an_earlier_bundle_is_replaced_whole_and_a_users_folder_kept(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "data" / "small_bundle", tmp_path / "b")
    imported(OPERATORS / "conv_only.tflite", tmp_path / "b")
    assert {path.name for path in (tmp_path / "b").iterdir()} == {MODEL_TFLITE, GOLDEN, MANIFEST}
    (tmp_path / "b" / "thesis.txt").write_text("mine")
    with pytest.raises(ExportError, match=r"holds thesis\.txt"):
        import_network(OPERATORS / "conv_only.tflite", tmp_path / "b", QUICK)


def test_a_rate_is_kept(tmp_path: Path) -> None:
    imported(OPERATORS / "conv_only.tflite", tmp_path / "b", ImportOptions(count=1, rate_hz=16_000))
    assert json.loads((tmp_path / "b" / MANIFEST).read_text())["sample_rate_hz"] == 16_000


def test_clipping_is_said_and_leaves_the_ends_whole(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(20, 32, 1)))
    path, calibration = OPERATORS / "float32_model.tflite", tmp_path / "x.npy"
    whole = imported(path, tmp_path / "whole", ImportOptions(calibration, count=1))[1]
    report, clipped, _ = imported(
        path, tmp_path / "b", ImportOptions(calibration, count=1, clip=0.05)
    )
    assert any("inner ranges without the outermost 0.05" in note for note in report.notes)
    assert clipped.manifest.input == whole.manifest.input
    assert clipped.manifest.outputs == whole.manifest.outputs


def test_clipping_a_quantised_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match="--calibration and --clip are for a float network"):
        import_network(OPERATORS / "conv_only.tflite", tmp_path / "b", ImportOptions(clip=0.01))
