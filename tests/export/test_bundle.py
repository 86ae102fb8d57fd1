import json
import re
import subprocess
import sys

import numpy as np
import pytest

from dynadeep.codegen.bundle import (
    ENCODER_TFLITE,
    GOLDEN,
    MANIFEST,
    model_id_of,
    read_bundle,
    sha256_of,
)
from dynadeep.codegen.errors import BundleError
from dynadeep.export.bundle import check_bundle, export_bundle
from dynadeep.export.errors import DisagreementError, ExportError
from dynadeep.train.errors import CheckpointError, DataError


def test_a_bundle_is_whole_and_its_manifest_describes_it(bundle):
    manifest = read_bundle(bundle).manifest
    content = (bundle / ENCODER_TFLITE).read_bytes()
    assert manifest.model_id == model_id_of(content)
    assert (manifest.sample_rate_hz, manifest.segment_length) == (360, 2000)
    assert (manifest.adc_gain, manifest.adc_baseline) == (200.0, 1024)
    assert (manifest.input.scale, manifest.input.zero_point) == (1 / 128, 0)
    assert manifest.input_map.kind == "affine"
    assert manifest.record["training"]["seed"] == 7
    assert manifest.default_bound > 0


def test_levels_come_weakest_compression_first(bundle):
    weak, strong = read_bundle(bundle).manifest.levels
    assert (weak.name, weak.codes, weak.gain) == ("cg32", 62, 2000 / 62)
    assert (strong.name, strong.codes, strong.gain) == ("cg64", 31, 2000 / 31)
    assert (weak.latent_tensor, weak.error_tensor) == ("latent32/silu", "head32/conv")
    assert (strong.latent_tensor, strong.error_tensor) == ("latent64/silu", "head64/conv")


def test_report_says_what_was_checked(report):
    assert report.onnx_difference <= 1e-4
    assert (report.tensors_checked, report.segments_checked) == (63, 18)
    assert next(iter(report.layer_sqnr_db)) == "conv1"
    assert len(report.layer_sqnr_db) == 18
    assert report.file_bytes[ENCODER_TFLITE] < 120_000


def test_int8_latents_stay_close_to_the_float_ones(report):
    for loss in report.losses:
        assert loss.latent_error < 0.3 * loss.latent_rms


def test_a_bundle_checked_again_holds(bundle):
    assert check_bundle(bundle) == 63


def test_golden_vectors_of_another_model_are_found(bundle, tmp_path):
    copy = copy_of(bundle, tmp_path)
    with np.load(copy / GOLDEN) as archive:
        arrays = dict(archive)
    arrays["conv3/silu"][4, 17, 2] ^= 1
    np.savez_compressed(copy / GOLDEN, **arrays)
    rehash(copy)
    with pytest.raises(DisagreementError, match=r"conv3/silu .* segment 4 at time 17, channel 2"):
        check_bundle(copy)


def test_an_altered_encoder_is_found_by_its_hash(bundle, tmp_path):
    copy = copy_of(bundle, tmp_path)
    content = bytearray((copy / ENCODER_TFLITE).read_bytes())
    content[5000] ^= 1
    (copy / ENCODER_TFLITE).write_bytes(bytes(content))
    with pytest.raises(BundleError, match="changed since"):
        check_bundle(copy)


def test_a_folder_with_other_files_is_not_replaced(checkpoint_path, tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(ExportError, match=r"thesis\.tex, which is no file of a bundle"):
        export_bundle(checkpoint_path, tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "mine"


def test_a_failed_export_leaves_the_earlier_bundle(bundle, checkpoint_path, tmp_path, monkeypatch):
    copy = copy_of(bundle, tmp_path)

    def fail(*_: object) -> None:
        raise DisagreementError("made to fail")

    monkeypatch.setattr("dynadeep.export.bundle._convert", fail)
    with pytest.raises(DisagreementError, match="made to fail"):
        export_bundle(checkpoint_path, copy)
    assert read_bundle(copy).manifest == read_bundle(bundle).manifest
    assert [item.name for item in tmp_path.iterdir()] == [copy.name]


def test_a_file_that_is_no_checkpoint_is_one_clear_line(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    (tmp_path / "model.json").write_text("[]")
    with pytest.raises(CheckpointError) as caught:
        export_bundle(tmp_path / "model.safetensors", tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_calibration_data_that_is_not_there_is_one_clear_line(checkpoint_path, tmp_path):
    with pytest.raises(DataError, match="no WFDB header"):
        export_bundle(checkpoint_path, tmp_path / "out", tmp_path)


def test_a_minmax_checkpoint_makes_a_minmax_bundle(published_bundle):
    manifest = published_bundle.manifest
    assert manifest.input_map.kind == "minmax"
    assert manifest.input.scale == pytest.approx(1 / 255, rel=1e-7)
    assert manifest.input.zero_point == -128
    assert check_bundle(published_bundle.folder) == 63


@pytest.fixture(scope="module")
def fresh_process(checkpoint_path, tmp_path_factory):
    """The same export in a process of its own: what it printed, and its folder."""
    out = tmp_path_factory.mktemp("fresh") / "bundle"
    script = (
        "import sys; from pathlib import Path\n"
        "from dynadeep.export.bundle import export_bundle\n"
        "export_bundle(Path(sys.argv[1]), Path(sys.argv[2]))\n"
    )
    command = [sys.executable, "-c", script, str(checkpoint_path), str(out)]
    return subprocess.run(command, check=True, capture_output=True, text=True), out


def test_an_export_prints_nothing_of_its_libraries(fresh_process):
    done, _ = fresh_process
    assert (done.stdout, done.stderr) == ("", "")


def test_two_exports_of_one_checkpoint_give_the_same_bytes(fresh_process, bundle):
    _, again = fresh_process
    for item in bundle.iterdir():
        assert item.read_bytes() == (again / item.name).read_bytes(), item.name


@pytest.mark.parametrize("package", ["torch", "onnx", "wfdb"])
def test_a_missing_package_is_a_sentence(package):
    script = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "from dynadeep.codegen.errors import MissingDependencyError\n"
        "try:\n    import dynadeep.export.bundle\n"
        "except MissingDependencyError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert re.match(rf"the Python package {package} is not installed;", done.stdout)
    assert "pip install 'dynadeep[export]'" in done.stdout


def copy_of(bundle, folder):
    copy = folder / "copy"
    copy.mkdir()
    for item in bundle.iterdir():
        (copy / item.name).write_bytes(item.read_bytes())
    return copy


def rehash(folder):
    """Let the manifest describe the files as they are now."""
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"] = {name: sha256_of(folder / name) for name in manifest["files"]}
    (folder / MANIFEST).write_text(json.dumps(manifest))
