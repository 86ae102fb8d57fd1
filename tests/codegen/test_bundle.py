"""The bundle's manifest: written and read back, and every mistake in it one clear line."""

import json
from pathlib import Path
from typing import Any

import pytest

from dynadeep.codegen.bundle import (
    BUNDLE_FILES,
    ENCODER_TFLITE,
    MANIFEST,
    Manifest,
    read_bundle,
    sha256_of,
    write_manifest,
)
from dynadeep.codegen.errors import BundleError

from .models import manifest_for, small_encoder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path)
    return tmp_path


def write(folder: Path) -> Manifest:
    net = small_encoder()
    content = net.model.build()
    for name in BUNDLE_FILES:
        (folder / name).write_bytes(content if name == ENCODER_TFLITE else b"not looked at")
    manifest = manifest_for(net, content)
    manifest.files.update({name: sha256_of(folder / name) for name in BUNDLE_FILES})
    manifest.record["epochs"] = 3
    write_manifest(folder, manifest)
    return manifest


def change(folder: Path, *path: Any, value: Any) -> None:
    data = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    *way, last = path
    at = data
    for key in way:
        at = at[key]
    at[last] = value
    (folder / MANIFEST).write_text(json.dumps(data), encoding="utf-8")


def test_a_manifest_comes_back_as_it_was_written(tmp_path: Path) -> None:
    written = write(tmp_path)
    assert read_bundle(tmp_path).manifest == written


WRONG = {
    "a project's": (("kind",), "dynadeep generated project", "a generated project goes with --so"),
    "another format": (("format",), 99, "manifest format is 99"),
    "text for a bound": (("default_bound",), "9", r'key "default_bound" is .9., expected a number'),
    "a bound that is no number": (("default_bound",), float("nan"), "expected a number"),
    "a fraction for a length": (("segment_length",), 40.5, 'key "segment_length" is 40.5'),
    "levels that are no list": (("levels",), 5, 'key "levels" is 5, expected a list'),
    "a level that is no table": (
        ("levels", 0),
        "cg32",
        r"levels\[0\]. is .cg32., expected a table",
    ),
    "text for a margin": (("levels", 1, "margin"), "1", r'key "levels\[1\].margin" is .1.'),
    "an unknown key": (("colour",), "red", 'unknown key "colour"'),
    "an unknown map": (("input_map", "kind"), "log", 'expected "affine" or "minmax"'),
    "a hash that is no text": (("files", "golden.npz"), 7, "files.golden.npz"),
    "another model id": (("model_id",), "0" * 16, "model_id is 0000000000000000, but"),
    "no rate": (("sample_rate_hz",), 0, 'sample_rate_hz" is 0, expected an integer from 1 to'),
    "a negative rate": (("sample_rate_hz",), -300, "sample_rate_hz. is -300"),
    "a rate of a terahertz": (("sample_rate_hz",), 10**12, "sample_rate_hz. is 1000000000000"),
    "an integer of 400 digits": (("segment_length",), 10**399, "is an integer of 1326 bits"),
    "no segment": (("segment_length",), 0, "segment_length. is 0"),
    "a zero point beyond int8": (("input", "zero_point"), 128, "input.zero_point. is 128"),
    "no scale": (("input", "scale"), 0.0, "input.scale. is 0.0, expected a number from 1e-30"),
    "an infinite scale": (("input", "scale"), float("inf"), "input.scale. is inf, expected a num"),
    "a shift of 31": (("input_map", "shift"), 31, "input_map.shift. is 31"),
    "no shift": (("input_map", "shift"), 0, "a shift of 1 to 30"),
    "no multiplier": (("input_map", "multiplier"), 0, "a multiplier of 1 to 16383"),
    "an offset beyond int16": (("input_map", "offset"), 40000, "input_map.offset. is 40000"),
    "a unit that ends a comment": (("error_unit",), "*/ x", "expected a few plain words"),
    "two levels of one name": (("levels", 1, "name"), "cg32", "levels of one name: cg32, cg32"),
    "a negative bound": (("default_bound",), -1.0, "default_bound. is -1.0"),
    "another hash": (("files", "golden.npz"), "0" * 64, "golden.npz: SHA-256 is"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_manifest_is_refused_by_key(folder: Path, case: str) -> None:
    path, value, message = WRONG[case]
    change(folder, *path, value=value)
    with pytest.raises(BundleError, match=message) as caught:
        read_bundle(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"format"', "[" * 100_000])
def test_what_is_no_manifest_is_refused(folder: Path, text: str) -> None:
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    with pytest.raises(BundleError, match=r"manifest\.json: (not JSON|manifest format is None)"):
        read_bundle(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "golden.npz").unlink()
    with pytest.raises(BundleError, match=r"golden\.npz: missing from the bundle"):
        read_bundle(folder)


def test_a_folder_that_is_no_bundle_says_so(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"manifest\.json: no such file"):
        read_bundle(tmp_path)
