"""``dynadeep bench`` keeps what another network's figures are."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dynadeep.codegen.bundle import Bundle
from dynadeep.codegen.errors import BoardError
from dynadeep.codegen.kernels import DSP, PLAIN
from dynadeep.host_tools.applications import application_of
from dynadeep.host_tools.boards import new_board
from dynadeep.host_tools.cli import run
from dynadeep.host_tools.errors import HostError
from dynadeep.host_tools.measure.bench import Setup, Watch, choose, run_bench
from dynadeep.host_tools.measure.report import Report
from dynadeep.host_tools.measure.several import several
from dynadeep.host_tools.page.make import document_of
from dynadeep.host_tools.page.store import json_text


def test_another_networks_figures_are_not_replaced_unasked(
    bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = json.dumps({"model_id": "0123456789abcdef", "rows": []})
    (tmp_path / "results.json").write_text(content)
    code = run(["bench", "--bundle", str(bundle.folder), "--out", str(tmp_path)])
    assert code != 0
    assert "holds the figures of network 0123456789abcdef" in capsys.readouterr().err
    assert (tmp_path / "results.json").read_text() == content


def test_figures_of_boards_that_are_not_measured_are_not_dropped_unasked(
    bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"board": name, "engine": "stream", "kernels": "dsp"} for name in ("bench", "microbit")]
    content = json.dumps({"model_id": bundle.manifest.model_id, "rows": rows})
    (tmp_path / "results.json").write_text(content)
    where = ["--bundle", str(bundle.folder), "--out", str(tmp_path)]
    assert run(["bench", *where, "--board", "microbit"]) == 1
    assert "holds the figures of bench too, which --board leaves out" in capsys.readouterr().err
    assert (tmp_path / "results.json").read_text() == content


def test_a_board_of_ones_own_is_measured_if_it_has_an_emulator(
    bundle: Bundle, tmp_path: Path
) -> None:
    own, real = (str(tmp_path / name) for name in ("own", "real"))
    new_board(Path(own), "microbit")
    new_board(Path(real), "nucleo-l4r5zi")
    assert [setup.board for setup in choose(bundle, [own]).setups] == [own, own]
    with pytest.raises(HostError, match=r"real: it is measured in an emulator, and has none\."):
        choose(bundle, [real])
    with pytest.raises(BoardError, match="nowhere: no such board"):
        choose(bundle, ["nowhere"])


@dataclass
class Counts:
    """What a board's counter gave."""

    layers: dict[str, float]  # sums of readings, one a tile
    totals: dict[str, float]  # of one reading each


def without_counts(report: dict[str, Any]) -> tuple[dict[str, Any], Counts]:
    """Return a report as plain data without what the board's counter gave, and that."""
    rest = json.loads(json.dumps(report))
    latency = rest["latency"]
    layers = {layer["layer"]: layer.pop("count") for layer in latency["layers"]}
    del latency["ticks_per_segment"], latency["per_mac"]  # the same, in other units
    totals = {name: latency.pop(name) for name in ("per_segment", "least_per_segment")}
    return rest, Counts(layers, totals)


@pytest.mark.emulator
def test_two_boards_at_a_time_give_the_reports_of_one_after_the_other(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A counter's tick begins anywhere in a run, so every reading may differ by one.

    A layer's count sums such readings, as many as it has tiles.
    """
    monkeypatch.chdir(tmp_path)
    setups = [Setup("mps2-an386", "stream", DSP), Setup("microbit", "stream", PLAIN)]
    reports, begun_boards = [], []
    for jobs in (2, 1):
        begun: list[Report] = []
        watch = Watch(lambda line: None, begin=begun.append)
        results = run_bench(bundle, setups, application_of, watch, jobs=jobs)
        documents = [document_of(result.report) for result in results]
        reports.append(json.loads(json_text(documents))["reports"])
        begun_boards.append([report.board.name for report in begun])
    assert begun_boards == [["mps2-an386", "microbit"]] * 2
    for at_once, alone in zip(*reports, strict=True):
        (rest, counts), (same, before) = without_counts(at_once), without_counts(alone)
        assert rest == same
        tick = rest["latency"]["counter"]["per_tick"]
        assert counts.totals == pytest.approx(before.totals, rel=0, abs=1.5 * tick)
        assert counts.layers == pytest.approx(before.layers, rel=0.05, abs=2 * tick)


def test_what_fails_ends_what_runs_beside_it() -> None:
    begun, ended = [], []

    def do(number: int, go_on) -> int:
        begun.append(number)
        if number == 0:
            raise ValueError("it failed")
        while True:
            try:
                go_on()
            except HostError:
                ended.append(number)
                raise

    with pytest.raises(ValueError, match="it failed"):
        list(several(do, range(5), 2))
    assert sorted(begun) == sorted([0, *ended])
    assert len(begun) <= 3  # the third by the thread of the first
