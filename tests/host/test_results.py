"""The tables of an evaluation, on eight records of the excerpt and through the generated C.

The excerpts of both databases stand side by side, as whole ones do in a data folder.

The compressor is the one trained on MIT-BIH with a made-up promise: the figures mean nothing.
"""

import itertools
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dynadeep.codegen.bundle import Bundle
from dynadeep.host_tools.errors import ParityError
from dynadeep.host_tools.study import coded, results
from dynadeep.host_tools.study.results import ResultsConfig
from tests.host.conftest import ManifestMaker


@pytest.fixture(scope="module")
def compressor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from dynadeep.train import checkpoint
    from dynadeep.train.checkpoint import Promise

    loaded = checkpoint.load(checkpoint.PRETRAINED_FOLDER / "mitdb-affine-patient")
    bounds = (0.75, 1.5)
    margins = {"32": (-8.0, -7.0), "64": (-12.0, -11.5)}
    trained = replace(
        loaded,
        training=replace(loaded.training, dataset="cinc2017"),
        input_map=replace(loaded.input_map, offset=0.0, scale=1300.0),
        promise=Promise({"rhythm": 1.0}, "cross entropy", 0.75, 0.02, bounds, margins, margins),
    )
    return checkpoint.save(trained, tmp_path_factory.mktemp("compressor") / "rhythm")


@pytest.fixture(scope="module")
def summary(
    compressor: Path, shipped_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    from dynadeep.train import checkpoint, measure, tasks
    from dynadeep.train.checkpoint import PRETRAINED_FOLDER, Checkpoint
    from dynadeep.train.data import cinc2017, mitdb
    from dynadeep.train.model import ModelConfig

    folder = tmp_path_factory.mktemp("results")
    config = ModelConfig("cae32")
    loaded = checkpoint.load(compressor)
    untrained = Checkpoint(checkpoint.build(config), loaded.input_map, loaded.training, config)
    data, reconstruction = folder / "data", "mitdb-affine-patient"
    data.mkdir()
    (data / "cinc2017").symlink_to(cinc2017.SAMPLE_FOLDER)
    (data / "mitdb").symlink_to(mitdb.SAMPLE_FOLDER)
    shutil.copytree(shipped_bundle.folder, folder / "work" / f"bundle-{reconstruction}")
    nets = {name: tasks.weights_of(name) for name in tasks.TASKS}
    lines: list[str] = []
    path = results.make_results(
        ResultsConfig(
            checkpoints={"rhythm": compressor},
            baselines={"CAE32": checkpoint.save(untrained, folder / "cae32")},
            nets=nets,
            out=folder / "out",
            work=folder / "work",
            reconstructions={reconstruction: PRETRAINED_FOLDER / f"{reconstruction}.safetensors"},
            data=data,
            parts=cinc2017.SAMPLE,
        ),
        measure.load_nets(nets, ["rhythm"]),
        lines.append,
    )
    assert lines[0].startswith("read")
    return path


def test_every_bound_has_a_row_in_float_and_as_the_board_runs_it(summary: Path) -> None:
    content = json.loads(summary.read_text())
    names = ("task", "promise", "precision", "bound", "decision")
    rows = [tuple(p[name] for name in names) for p in content["points"]]
    bounds = {p["bound"] for p in content["points"]}
    assert {0.1, 0.5, 0.75, 1.0, 1.9} <= bounds
    decisions = [(b, "record") for b in bounds] + [(b, "segment") for b in results.SEGMENT_BOUNDS]
    kinds = itertools.product(("loss", "added"), ("float", "int8"), decisions)
    assert sorted(rows) == sorted(("rhythm", kind, p, b, d) for kind, p, (b, d) in kinds)


def test_figures_stand_within_their_intervals(summary: Path) -> None:
    content = json.loads(summary.read_text())
    assert content["f1_raw_lo"] <= content["f1_raw"] <= content["f1_raw_hi"]
    for point in content["points"]:
        for name in ("f1", "mean_cg", "byte_cg", "violations", "effective_loss"):
            assert point[f"{name}_lo"] <= point[name] <= point[f"{name}_hi"], (name, point)


def test_raw_records_are_sent_losslessly_and_lose_nothing(summary: Path) -> None:
    table = json.loads((summary.parent / "table1.json").read_text())
    lossless = next(r for r in table["rows"] if r["name"] == 'level "none" for all')
    assert lossless["byte_cg"] > 2
    assert lossless["violations"] == 0


def test_reconstruction_on_mit_bih_is_in_the_summary_and_has_a_table_of_its_own(
    summary: Path,
) -> None:
    written = json.loads(summary.read_text())["reconstruction"]
    assert written == json.loads((summary.parent / "reconstruction.json").read_text())
    assert [(row["precision"], row["level"]) for row in written["rows"]] == [
        (precision, level) for precision in ("float", "int8") for level in ("32", "64")
    ]
    assert all(row["prd_lo"] <= row["prd"] <= row["prd_hi"] for row in written["rows"])
    assert "| mitdb-affine-patient |" in (summary.parent / "reconstruction.md").read_text()


def test_classical_codecs_get_the_bytes_of_each_level(summary: Path) -> None:
    table = json.loads((summary.parent / "table1.json").read_text())["rows"]
    sent = {row["name"]: row["byte_cg"] for row in table}
    for codes, level in ((62, "32"), (31, "64")):
        for transform in ("DCT", "wavelet"):
            ours = sent[f"level {level} for all"]
            assert ours <= sent[f"{transform}, {codes} bytes"] < 1.2 * ours
    content = json.loads(summary.read_text())
    assert set(content["levels_prdn"]) == set(content["dct_prdn"]) == {"32", "64"}


def test_what_it_was_made_of_stands_in_every_table(summary: Path) -> None:
    content = json.loads(summary.read_text())
    names = {"compressor, rhythm", "CAE32", "network, rhythm", "network, rpeaks"}
    assert set(content["provenance"]["weights_sha256"]) == names
    for name in ("table1", "table2", "points", "levels", "cost"):
        text = (summary.parent / f"{name}.md").read_text()
        assert content["provenance"]["commit"][:12] in text
    for name in ("levels", "rate-distortion", "shares", "gallery", "decoded"):
        assert (summary.parent / f"{name}.svg").is_file()
    assert (summary.parent / "bounds-int8-added.png").is_file()


@pytest.mark.heavy
def test_a_decision_that_the_integers_do_not_take_is_named(
    shipped_bundle: Bundle, make_manifest: ManifestMaker
) -> None:
    from dynadeep.train.evaluation.outcomes import Foreseen

    predicted = np.zeros((1, 5, 2), np.int32)
    foreseen = Foreseen("loss", np.full((1, 5, 2), 99.0), margins, margins, {})
    with pytest.raises(ParityError, match=r"at bound .* the tables decide 0, the integers 2"):
        coded.check_decisions(
            "rhythm", predicted, foreseen, replace(shipped_bundle, manifest=make_manifest())
        )


def margins(bound: float) -> np.ndarray:
    return np.zeros(2)
