"""The reconstruction table on the excerpt of MIT-BIH, in float and through the generated C."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from dynadeep.codegen.bundle import Bundle
from dynadeep.host_tools.study import reconstruction
from dynadeep.train import checkpoint, evaluate
from dynadeep.train.data import cinc2017, mitdb
from dynadeep.train.evaluate import EvaluateConfig
from dynadeep.train.evaluation import reconstruction as table
from dynadeep.train.evaluation.reconstruction import ReconstructionTable

PATIENT, PUBLISHED = "mitdb-affine-patient", "mitdb-minmax-published"
Row = dict[str, object]


def say_nothing(_: str) -> None:
    pass


@pytest.fixture(scope="module")
def excerpt() -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        # The published split is of all records, and the paced ones are not in the excerpt.
        patch.setattr(mitdb, "ALL_RECORDS", tuple(sorted((*mitdb.DS1, *mitdb.DS2))))
        yield mitdb.SAMPLE_FOLDER


@pytest.fixture(scope="module")
def made(
    excerpt: Path,
    shipped_bundle: Bundle,
    published_bundle: Bundle,
    tmp_path_factory: pytest.TempPathFactory,
) -> ReconstructionTable:
    work = tmp_path_factory.mktemp("reconstruction")
    for name, exported in ((PATIENT, shipped_bundle), (PUBLISHED, published_bundle)):
        shutil.copytree(exported.folder, work / f"bundle-{name}")
    shipped = {name: reconstruction.shipped()[name] for name in (PATIENT, PUBLISHED)}
    return reconstruction.make_table(shipped, excerpt, work, say_nothing)


def rows_of(measured: ReconstructionTable, **cells: str) -> list[Row]:
    return [row for row in table.rows(measured.measured) if cells.items() <= row.items()]


def test_every_shipped_checkpoint_of_mit_bih_is_found() -> None:
    named = {path.stem for path in checkpoint.PRETRAINED_FOLDER.glob("mitdb-*.safetensors")}
    assert set(reconstruction.shipped()) == named
    assert {PATIENT, PUBLISHED, "mitdb-affine-published"} <= named


def test_each_checkpoint_has_both_levels_in_both_precisions_on_its_own_split(
    made: ReconstructionTable,
) -> None:
    keys = [(r["checkpoint"], r["precision"], r["level"]) for r in rows_of(made)]
    expected = [
        (name, p, k)
        for name in (PATIENT, PUBLISHED)
        for p in ("float", "int8")
        for k in ("32", "64")
    ]
    assert keys == expected
    assert {
        (r["split"], r["windows"], r["records"]) for r in rows_of(made, checkpoint=PATIENT)
    } == {("patient", 210, 21)}
    published = rows_of(made, checkpoint=PUBLISHED)
    assert {(r["split"], r["input_map"], r["windows"]) for r in published} == {
        ("published", "minmax", 88)
    }


@pytest.mark.parametrize("name", [PATIENT, PUBLISHED])
def test_float_figures_are_those_that_evaluate_finds(
    made: ReconstructionTable, excerpt: Path, name: str
) -> None:
    scores = evaluate.evaluate(EvaluateConfig(reconstruction.shipped()[name], excerpt)).scores
    for row in rows_of(made, checkpoint=name, precision="float"):
        for figure in ("prd", "prdn"):
            assert row[figure] == pytest.approx(scores[str(row["level"])][figure], abs=1e-4)


@pytest.mark.parametrize("name", [PATIENT, PUBLISHED])
def test_int8_loses_little_to_float(made: ReconstructionTable, name: str) -> None:
    pairs = zip(
        rows_of(made, checkpoint=name, precision="float"),
        rows_of(made, checkpoint=name, precision="int8"),
        strict=True,
    )
    for real, integer in pairs:
        assert 1 < integer["prd"] / real["prd"] < 1.15  # type: ignore[operator]


def test_it_says_which_weights_were_measured(made: ReconstructionTable) -> None:
    record = json.loads((checkpoint.PRETRAINED_FOLDER / f"{PATIENT}.json").read_text())
    assert made.provenance.weights[PATIENT] == record["weights"]["sha256"]
    assert "MIT-BIH" in made.provenance.data


def test_a_folder_without_the_database_is_said_and_measures_nothing(tmp_path: Path) -> None:
    lines: list[str] = []
    empty = reconstruction.make_table(
        reconstruction.shipped(), cinc2017.SAMPLE_FOLDER, tmp_path, lines.append
    )
    assert not empty.measured
    assert len(lines) == 1
    assert "reconstruction is not measured" in lines[0]
    assert "no WFDB header" in lines[0]
