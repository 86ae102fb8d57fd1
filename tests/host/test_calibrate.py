"""Margins fitted through the generated C, on the excerpt's hold-out of eight records."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from dynadeep.codegen.bundle import Bundle, write_manifest
from dynadeep.codegen.numerics import MarginTable, fixed_error, record_level
from dynadeep.host_tools.cli import run
from dynadeep.host_tools.study import deployed
from dynadeep.host_tools.study.calibrate import calibrate
from dynadeep.host_tools.study.export import export_once
from dynadeep.train import checkpoint, margins, promise, tasks
from dynadeep.train.data import cinc2017
from dynadeep.train.finetune import WeightedTask

RATE = 0.3  # of the eight records that prove it one may break the promise


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    (folder / "cinc2017").symlink_to(cinc2017.SAMPLE_FOLDER)
    return folder


def exported_already(bundle: Bundle, path: Path, folder: Path) -> None:
    """Put the bundle where ``path``, of the same weights and another promise, is exported to."""
    shutil.copytree(bundle.folder, folder)
    record = checkpoint.as_plain(checkpoint.read_record(path))
    write_manifest(folder, replace(bundle.manifest, record=record))


def test_margins_hold_on_the_holdout_as_the_board_decides_it(
    data: Path, tmp_path: Path, shipped_bundle: Bundle
) -> None:
    shipped = checkpoint.DEFAULT_CHECKPOINT
    promised = checkpoint.load(shipped).promise
    assert promised is not None
    exported_already(shipped_bundle, shipped, tmp_path / "work" / "bundle")
    lines: list[str] = []
    out = calibrate(
        shipped,
        tmp_path / "out.safetensors",
        tmp_path / "work",
        lines.append,
        data=data,
        rate=RATE,
        parts=cinc2017.SAMPLE,
    )
    assert out.read_bytes() == shipped.read_bytes()
    calibrated = checkpoint.load(out).promise
    assert calibrated is not None
    assert calibrated.violation_rate == RATE
    assert calibrated.bounds == margins.knots_for(promised.bound)
    assert (
        len(calibrated.record_margins["64"])
        == len(calibrated.margins["64"])
        == len(calibrated.bounds)
    )
    assert lines[0].startswith("read")

    exported_already(shipped_bundle, out, tmp_path / "check" / "bundle")
    bundle = export_once(out, tmp_path / "check" / "bundle")
    unseen = cinc2017.read_split(data / "cinc2017", parts=cinc2017.SAMPLE).holdout
    adc = cinc2017.cut(unseen)
    segments = cinc2017.segments(adc).reshape(-1, cinc2017.SEGMENT_SAMPLES)
    coded = deployed.encode_segments(bundle, segments, tmp_path / "check")
    decoded = [
        deployed.decode_codes(bundle, level, codes).reshape(len(adc), -1)[:, : adc.shape[1]]
        for level, codes in enumerate(coded.codes, start=1)
    ]
    weighted = [WeightedTask(tasks.load_task("rhythm"), 1.0)]
    judged = promise.losses_of(decoded, unseen, weighted, calibrated.kind)
    table = MarginTable.of_records(bundle.manifest.need_codec())
    predicted = coded.predicted.reshape(len(adc), -1, len(decoded))
    sent = 0
    for bound in (0.1, 0.33, 0.75, 1.1, 1.9):
        fixed = fixed_error(bound)
        chosen = [record_level(row, table.at(fixed), fixed) for row in predicted]
        worse = [judged.records[i, level - 1] > bound for i, level in enumerate(chosen) if level]
        assert sum(worse) <= RATE * (len(adc) + 1) - 1
        sent += len(worse)
    assert sent > 0


def test_a_checkpoint_that_promises_nothing_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = checkpoint.PRETRAINED_FOLDER / "mitdb-affine-patient.safetensors"
    assert run(["calibrate", str(path), "--out", str(tmp_path / "out.safetensors")]) != 0
    (line,) = capsys.readouterr().err.splitlines()
    assert "promises nothing, so it has no margins. Train it with --task." in line
    assert not list(tmp_path.iterdir())
