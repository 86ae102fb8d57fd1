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
    "text for a bound": (
        (
            "codec",
            "default_bound",
        ),
        "9",
        r'default_bound" is .9., expected a number',
    ),
    "a bound that is no number": (
        (
            "codec",
            "default_bound",
        ),
        float("nan"),
        "expected a number",
    ),
    "a fraction for a length": (("inputs", 0, "time"), 40.5, r'key "inputs\[0\].time" is 40.5'),
    "levels that are no list": (
        (
            "codec",
            "levels",
        ),
        5,
        'levels" is 5, expected a list',
    ),
    "a level that is no table": (
        ("codec", "levels", 0),
        "cg32",
        r"levels\[0\]. is .cg32., expected a table",
    ),
    "text for a margin": (
        ("codec", "levels", 1, "margins"),
        ["1", 0, 0],
        r'levels\[1\].margins\[0\]" is .1.',
    ),
    "a margin that is no list": (
        ("codec", "levels", 1, "margins"),
        0.5,
        r'levels\[1\].margins" is 0.5, expected a list',
    ),
    "fewer margins than bounds": (
        ("codec", "levels", 1, "record_margins"),
        [0.5, 1.5],
        r'levels\[1\].record_margins" has 2 values, expected 3 as "margin_bounds"',
    ),
    "bounds of margins that fall": (
        ("codec", "margin_bounds"),
        [1.0, 0.5, 12.0],
        r'margin_bounds" is \[1.0, 0.5, 12.0\], expected it to ascend',
    ),
    "the same bound twice": (
        ("codec", "margin_bounds"),
        [1.0, 1.0, 12.0],
        "expected it to ascend",
    ),
    "no bound": (("codec", "margin_bounds"), [], r'margin_bounds" has 0 bounds, expected 1 to 64'),
    "more bounds than a device counts": (
        ("codec", "margin_bounds"),
        list(range(65)),
        r'margin_bounds" has 65 bounds, expected 1 to 64',
    ),
    "a bound below 0": (
        ("codec", "margin_bounds"),
        [-1.0, 3.5, 12.0],
        r'margin_bounds\[0\]" is -1.0',
    ),
    "an unknown key": (("colour",), "red", 'unknown key "colour"'),
    "an unknown map": (("codec", "input_map", "kind"), "log", 'expected "affine" or "minmax"'),
    "a hash that is no text": (("files", "golden.npz"), 7, "files.golden.npz"),
    "another model id": (("model_id",), "0" * 16, "model_id is 0000000000000000, but"),
    "no rate": (("sample_rate_hz",), 0, 'sample_rate_hz" is 0, expected an integer from 1 to'),
    "a negative rate": (("sample_rate_hz",), -300, "sample_rate_hz. is -300"),
    "a rate of a terahertz": (("sample_rate_hz",), 10**12, "sample_rate_hz. is 1000000000000"),
    "an integer of 400 digits": (("inputs", 0, "time"), 10**399, "is an integer of 1326 bits"),
    "no segment": (("inputs", 0, "time"), 0, "time. is 0"),
    "a zero point beyond int8": (("inputs", 0, "zero_point"), 128, r"zero_point. is 128"),
    "no scale": (("inputs", 0, "scale"), 0.0, "scale. is 0.0, expected a number from 1e-30"),
    "an infinite scale": (("inputs", 0, "scale"), float("inf"), "scale. is inf, expected a num"),
    "a shift of 31": (("codec", "input_map", "shift"), 31, "input_map.shift. is 31"),
    "no shift": (("codec", "input_map", "shift"), 0, "a shift of 1 to 30"),
    "no multiplier": (("codec", "input_map", "multiplier"), 0, "a multiplier of 1 to 16383"),
    "an offset beyond int16": (
        ("codec", "input_map", "offset"),
        40000,
        "offset. is 40000",
    ),
    "a unit that ends a comment": (
        (
            "codec",
            "error_unit",
        ),
        "*/ x",
        "expected a few plain words",
    ),
    "two levels of one name": (
        ("codec", "levels", 1, "name"),
        "cg32",
        "of one name: cg32, cg32",
    ),
    "a negative bound": (
        (
            "codec",
            "default_bound",
        ),
        -1.0,
        "default_bound. is -1.0",
    ),
    "no input": (("inputs",), [], '"inputs" are .*, expected one or more'),
    "no output": (("outputs",), [], '"outputs" are .*, expected one or more'),
    "a name that ends a comment": (
        ("outputs", 0, "name"),
        "a*/b",
        "name. is .a.*b., expected a",
    ),
    "a codec of two channels": (("inputs", 0, "channels"), 2, "has one input of one channel"),
    "a codec without a rate": (("sample_rate_hz",), None, '"sample_rate_hz" is missing'),
    "no codec any more": (("codec",), None, "has no hash of model.tflite"),
    "the format before": (("format",), 1, "format is 1, this kit reads 3. Make the bundle again"),
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
