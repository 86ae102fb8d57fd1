"""JUnit XML and Markdown say what the page says, whatever a model calls itself."""

from dataclasses import replace
from xml.etree import ElementTree as Xml

import pytest

from dynadeep.host_tools.page.compare import compare
from dynadeep.host_tools.page.document import Document
from dynadeep.host_tools.page.junit import junit_of
from dynadeep.host_tools.page.markdown import escaped, markdown_of
from tests.host.page import sample


@pytest.fixture(scope="module")
def report(bundle) -> Document:
    return sample.whole(bundle)


def suite_of(*reports: Document, **more) -> Xml.Element:
    (suite,) = Xml.fromstring(junit_of(reports, **more)).findall("testsuite")
    return suite


def failures(suite: Xml.Element) -> dict[str, str]:
    cases = suite.findall("testcase")
    assert suite.get("tests") == str(len(cases))
    messages = {
        str(case.get("name")): str(failure.get("message"))
        for case in cases
        for failure in case.findall("failure")
    }
    assert suite.get("failures") == str(len(messages))
    return messages


def test_every_layer_is_a_case_and_passes(report):
    suite = suite_of(report)
    names = {case.get("name") for case in suite.findall("testcase")}
    assert {f"layer {layer.name}" for layer in report.network.layers} <= names
    assert failures(suite) == {}


def test_the_layer_that_differs_fails_and_those_behind_it_are_skipped(report):
    suite = suite_of(sample.differing(report))
    assert list(failures(suite)) == ["layer conv1"]
    assert "channel 2, time 148" in failures(suite)["layer conv1"]
    skipped = [case.get("name") for case in suite if case.find("skipped") is not None]
    assert skipped == [f"layer {layer.name}" for layer in report.network.layers[1:]]


def test_every_difference_of_a_layer_is_told(report):
    (first,) = sample.differing(report).parity.differences
    second = replace(first, name="conv1/silu")
    behind = [replace(first, layer="after the layers", name=name) for name in ("level", "packet")]
    parity = replace(report.parity, bit_exact=False, differences=(first, second, *behind))
    messages = failures(suite_of(replace(report, parity=parity, held=False)))
    assert "conv1/conv" in messages["layer conv1"]
    assert "conv1/silu" in messages["layer conv1"]
    (last,) = (text for name, text in messages.items() if name != "layer conv1")
    assert "level" in last
    assert "packet" in last


def test_a_budget_that_is_exceeded_fails(report):
    over = replace(report.budgets[0], measured=10**9, held=False)
    messages = failures(suite_of(replace(report, budgets=(over, *report.budgets[1:]), held=False)))
    assert list(messages) == [over.name]


def test_a_figure_that_got_worse_fails(report):
    worse = replace(report, memory=replace(report.memory, ram_bytes=2 * report.memory.ram_bytes))
    messages = failures(suite_of(worse, comparisons=compare([worse], [report], "old.json", 2.0)))
    assert list(messages) == ["RAM bytes"]


def test_nothing_compared_is_no_success(report):
    nothing = replace(report.parity, bit_exact=False, segments=0)
    messages = failures(suite_of(replace(report, parity=nothing, held=False)))
    assert set(messages.values()) == {"nothing was compared"}


def test_hostile_names_leave_the_xml_whole(report):
    suite = suite_of(sample.hostile(report))
    assert "<script>alert(1)</script>" in str(suite.findall("testcase")[2].get("name"))


def test_hostile_names_leave_the_markdown_plain(report):
    text = markdown_of([sample.hostile(report)])
    assert "<script" not in text
    assert "](javascript" not in text
    assert not {"\x1b", "\u202e", "\x00", "\ud800"} & set(text)
    text.encode("utf-8")
    for line in text.splitlines():
        if line.startswith("|"):
            assert line.endswith("|")


def test_markdown_is_escaped_where_it_has_a_meaning():
    assert escaped("a|b*c\n# <d> `e` @f") == r"a\|b\*c \# &lt;d&gt; \`e\` \@f"


def test_the_summary_says_what_failed_first(report):
    text = markdown_of([sample.differing(report)])
    assert text.startswith("# ❌")
    assert text.index("Not equal to the reference") < text.index("| Parity |")


def test_a_benchmarks_summary_has_a_row_a_setup_and_details_of_what_failed(report):
    second = replace(sample.differing(report), board="microbit")
    text = markdown_of([report, second])
    assert "1 of 2 setups held" in text.splitlines()[0]
    assert text.count("## ") == 1
    assert "Not equal to the reference" in text
