"""What changed since an earlier report is shown, and what got worse fails."""

from dataclasses import replace

import pytest

from dynadeep.host_tools.errors import RegressionError, ReportError
from dynadeep.host_tools.page.compare import compare, require_kept
from dynadeep.host_tools.page.document import Document
from tests.host.page import sample


@pytest.fixture(scope="module")
def report(bundle) -> Document:
    return sample.whole(bundle)


def with_flash(report: Document, change: float) -> Document:
    assert report.memory is not None
    flash = round(report.memory.flash_bytes * (1 + change))
    return replace(report, memory=replace(report.memory, flash_bytes=flash))


def test_the_same_report_changed_in_nothing(report):
    (comparison,) = compare([report], [report], "old.json", 0.0)
    assert comparison.changes == ()
    assert comparison.notes == ()
    assert comparison.compared > 40
    require_kept([comparison])


@pytest.mark.parametrize(("change", "fails"), [(0.019, False), (0.021, True), (-0.5, False)])
def test_a_figure_that_grew_past_the_tolerance_fails(report, change, fails):
    comparisons = compare([with_flash(report, change)], [report], "old.json", 2.0)
    (single,) = comparisons[0].changes
    assert single.figure.name == "flash bytes"
    assert single.percent == pytest.approx(change * 100, abs=0.01)
    if fails:
        with pytest.raises(RegressionError, match=r"old\.json by more than 2 %: flash bytes"):
            require_kept(comparisons)
    else:
        require_kept(comparisons)


def test_less_compression_is_worse_and_more_is_not(report):
    def gaining(factor: float) -> Document:
        bounds = tuple(
            replace(bound, mean_cg=bound.mean_cg * factor) for bound in report.stream.bounds
        )
        return replace(report, stream=replace(report.stream, bounds=bounds))

    assert len(compare([gaining(0.9)], [report], "old.json", 2.0)[0].worse) == 2
    assert compare([gaining(1.5)], [report], "old.json", 2.0)[0].worse == ()


def test_a_share_over_the_bound_is_compared_in_points(report):
    def violating(share: float) -> Document:
        bounds = tuple(replace(bound, violations=share) for bound in report.stream.bounds)
        return replace(report, stream=replace(report.stream, bounds=bounds))

    assert compare([violating(0.01)], [violating(0.0)], "old.json", 2.0)[0].worse == ()
    assert len(compare([violating(0.03)], [violating(0.0)], "old.json", 2.0)[0].worse) == 2


def test_a_layer_that_grew_is_shown_and_the_sum_decides(report):
    first, *rest = report.latency.layers
    layers = (replace(first, count=first.count * 2), *rest)
    slower = replace(report, latency=replace(report.latency, layers=layers))
    (comparison,) = compare([slower], [report], "old.json", 2.0)
    assert [change.figure.name for change in comparison.changes] == ["instructions of layer input"]
    assert comparison.worse == ()


def test_a_board_that_is_no_longer_exact_is_worse(report):
    (comparison,) = compare([sample.differing(report)], [report], "old.json", 50.0)
    assert [change.figure.name for change in comparison.worse] == ["differences from the reference"]


def test_what_only_the_old_report_has_is_said(report):
    (comparison,) = compare([replace(report, memory=None)], [report], "old.json", 2.0)
    assert "not measured now: flash bytes" in comparison.notes


def test_instructions_are_not_compared_with_cycles(report):
    cycles = replace(report, latency=replace(report.latency, unit="cycles"))
    (comparison,) = compare([cycles], [report], "old.json", 2.0)
    assert not any("cycles" in change.figure.name for change in comparison.changes)
    assert "not measured now: instructions, most" in comparison.notes


def test_another_model_or_compiler_is_said(report):
    old = replace(report, model_id="0123456789abcdef")
    (comparison,) = compare([report], [old], "old.json", 2.0)
    assert comparison.notes == (f"model {report.model_id}, was 0123456789abcdef",)


def test_a_report_of_another_board_is_refused(report):
    with pytest.raises(ReportError, match=r"old\.json: holds figures of microbit"):
        compare([report], [replace(report, board="microbit")], "old.json", 2.0)


def test_a_benchmarks_setups_are_told_apart(report):
    layers = replace(report, target=replace(report.target, engine="layers"))
    comparisons = compare([layers, report], [report, with_flash(layers, 0.1)], "old.json", 2.0)
    assert [comparison.report for comparison in comparisons] == [layers.name, report.name]
    assert [len(comparison.changes) for comparison in comparisons] == [1, 0]
