"""The small bundle that is committed is what its script makes, and what the kit can use."""

from pathlib import Path

import numpy as np
import pytest

from dynadeep.codegen.bundle import ENCODER_TFLITE, GOLDEN, read_bundle
from dynadeep.codegen.golden import read_golden
from dynadeep.export.bundle import check_bundle
from dynadeep.export.quantize import quantizations
from tests.caching import SMALL_BUNDLE
from tests.small_bundle import SEGMENT, make_small_bundle

LARGEST = 200_000  # bytes, of what is committed
FAR = 8  # int8 codes: what another processor's float arithmetic may move a rounded value


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small") / "bundle"
    make_small_bundle(folder)
    return folder


def test_the_script_makes_the_committed_bundle_again(again: Path) -> None:
    """The same bytes where float arithmetic is that of the machine which made it, else as near."""
    rebuilt, committed = read_bundle(again).manifest, read_bundle(SMALL_BUNDLE).manifest
    if rebuilt.model_id == committed.model_id:
        for item in SMALL_BUNDLE.iterdir():
            assert item.read_bytes() == (again / item.name).read_bytes(), item.name
        return
    new, old = (quantizations((f / ENCODER_TFLITE).read_bytes()) for f in (again, SMALL_BUNDLE))
    assert list(new) == list(old)
    for name, scale in new.items():
        assert scale.scale == pytest.approx(old[name].scale, rel=0.05), name
    new_golden, old_golden = (
        read_golden(folder / GOLDEN, SEGMENT) for folder in (again, SMALL_BUNDLE)
    )
    np.testing.assert_array_equal(new_golden.samples, old_golden.samples)
    assert list(new_golden.tensors) == list(old_golden.tensors)
    for name, values in new_golden.tensors.items():
        far = np.abs(values.astype(int) - old_golden.tensors[name].astype(int))
        assert np.median(far) <= 1, name
        assert np.quantile(far, 0.99) <= FAR, name


def test_the_committed_bundle_is_small_and_has_the_references_tensors() -> None:
    assert sum(item.stat().st_size for item in SMALL_BUNDLE.iterdir()) < LARGEST
    assert check_bundle(SMALL_BUNDLE) == len(
        quantizations((SMALL_BUNDLE / ENCODER_TFLITE).read_bytes())
    )
