import zipfile

import numpy as np
import pytest

from dynadeep.codegen.bundle import ENCODER_TFLITE, GOLDEN, read_bundle
from dynadeep.codegen.golden import read_golden
from dynadeep.codegen.numerics import map_input
from dynadeep.export.golden import adversarial, segments, write_golden
from dynadeep.export.reference import Reference
from dynadeep.train.data import mitdb


@pytest.fixture(scope="module")
def golden(bundle) -> dict[str, np.ndarray]:
    vectors = read_golden(bundle / GOLDEN)
    parts = {"samples": vectors.samples, "names": np.array(vectors.names), "input": vectors.inputs}
    return {**parts, **vectors.tensors}


def test_golden_vectors_hold_eleven_real_and_seven_adversarial_segments(golden):
    assert golden["samples"].shape == (18, 2000)
    assert golden["samples"].dtype == np.int16
    assert [name for name in golden["names"] if name.startswith("real")] == [
        f"real{i:02d}" for i in range(11)
    ]
    assert list(golden["names"][11:]) == [
        "zeros",
        "full_scale_high",
        "full_scale_low",
        "square_wave",
        "spike",
        "random",
        "random_in_adc_range",
    ]


def test_adversarial_segments_reach_both_ends_of_int16():
    cases = adversarial(2000)
    assert set(np.unique(cases["square_wave"])) == {-32768, 32767}
    assert cases["full_scale_low"].min() == -32768
    assert np.count_nonzero(cases["spike"]) == 1
    assert not cases["zeros"].any()


def test_real_segments_are_of_patients_that_were_not_trained_on(golden):
    unseen = mitdb.read_windows(mitdb.SAMPLE_FOLDER, mitdb.DS2, count=10)
    unseen_bytes = {window.tobytes() for window in unseen}
    assert all(samples.tobytes() in unseen_bytes for samples in golden["samples"][:11])


def test_input_is_the_samples_through_the_bundles_map(bundle, golden):
    input_map = read_bundle(bundle).manifest.input_map
    assert np.array_equal(golden["input"], map_input(golden["samples"], input_map))
    assert np.array_equal(golden["segment"][:, :, 0], golden["input"])


def test_every_computed_tensor_is_in_the_golden_vectors(bundle, golden):
    names = Reference(bundle / ENCODER_TFLITE).names
    assert set(golden) == {"samples", "names", "input", *names}
    assert all(golden[name].dtype == np.int8 for name in names)
    assert all(golden[name].shape[0] == 18 for name in names)


def test_nothing_in_the_golden_vectors_is_pickled(bundle):
    with zipfile.ZipFile(bundle / GOLDEN) as archive:
        assert all(name.endswith(".npy") for name in archive.namelist())
    with np.load(bundle / GOLDEN, allow_pickle=False) as arrays:
        assert arrays["names"].dtype.kind == "U"


def test_writing_golden_vectors_twice_gives_the_same_bytes(bundle, tmp_path):
    reference = Reference(bundle / ENCODER_TFLITE)
    input_map = read_bundle(bundle).manifest.input_map
    chosen = segments(mitdb.read_windows(mitdb.SAMPLE_FOLDER, mitdb.DS2[:2], count=1))
    for name in ("one.npz", "other.npz"):
        write_golden(tmp_path / name, chosen, input_map, reference)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "other.npz").read_bytes()
