"""report.json is what its published schema says, is read back whole, and else refused by name."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dynadeep.host_tools.errors import ReportError
from dynadeep.host_tools.page.document import Document
from dynadeep.host_tools.page.make import plain
from dynadeep.host_tools.page.store import json_schema, json_text, read_documents
from tests.docs import report_page
from tests.host.page import sample

SCHEMA = Path(__file__).parents[3] / "docs" / "report.schema.json"


@pytest.fixture(scope="module")
def report(bundle) -> Document:
    return sample.whole(bundle)


def test_the_published_schema_is_that_of_the_dataclasses():
    """Else: python -m tests.host.page.test_store."""
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == json.loads(json.dumps(json_schema()))


@pytest.mark.parametrize("change", [lambda unchanged: unchanged, sample.differing, sample.hostile])
def test_what_is_written_is_what_the_schema_says(report, change):
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    checker = jsonschema.Draft202012Validator(schema)
    document = change(report)
    assert list(checker.iter_errors(json.loads(json_text([document])))) == []
    assert list(checker.iter_errors(json.loads(json_text([document, document])))) == []
    assert list(checker.iter_errors({"schema": 2, "board": 7})) != []


def test_every_key_is_documented(report):
    written = json.loads(json_text([report]))
    assert report_page.missing(written) == []
    assert report_page.undocumented(written) == []


def test_a_report_is_read_back_whole(report, tmp_path):
    for reports in ([report], [report, sample.differing(report)]):
        (tmp_path / "r.json").write_text(json_text(reports))
        assert read_documents(tmp_path / "r.json") == tuple(reports)


def test_lists_of_numbers_take_one_line(report):
    text = json_text([report])
    assert text.count("\n") < 1500
    assert json.loads(text) == json.loads(json.dumps(plain(report)))


def test_an_infinite_figure_is_null(report, tmp_path):
    flat = replace(report.stream, at=replace(report.stream.at, prd=math.inf))
    (tmp_path / "r.json").write_text(json_text([replace(report, stream=flat)]))
    (read,) = read_documents(tmp_path / "r.json")
    assert read.stream.at.prd is None


def without(content: dict[str, Any], *path: str) -> dict[str, Any]:
    """Return plain data without one key."""
    first, *rest = path
    inner = {first: without(content[first], *rest)} if rest else {}
    return {key: value for key, value in content.items() if key != first} | inner


def altered(content: dict[str, Any]) -> dict[str, str]:
    """Return texts that are no report, by what a message says of each."""
    latency = content["latency"]
    return {
        "not JSON": "{",
        'key "schema" is missing': "[]",
        "a report of schema 1, this kit reads schema 2": json.dumps({"schema": 1, "board": "x"}),
        "a report of schema 'two'": json.dumps({"schema": "two"}),
        'key "board" is missing': json.dumps(without(content, "board")),
        'key "latency.per_segment" is missing': json.dumps(
            without(content, "latency", "per_segment")
        ),
        'key "latency.per_segment" is -1': json.dumps(
            content | {"latency": latency | {"per_segment": -1}}
        ),
        "key \"latency.per_segment\" is 'many'": json.dumps(
            content | {"latency": latency | {"per_segment": "many"}}
        ),
        'unknown key "latency.speed"': json.dumps(content | {"latency": latency | {"speed": 1}}),
        "integer of 67 bits": json.dumps(content | {"latency": latency | {"macs": 1 << 66}}),
        'key "latency.per_mac" is inf': json.dumps(content).replace(
            f'"per_mac": {latency["per_mac"]}', '"per_mac": 1e999'
        ),
        "within each other": json.dumps(content)[:-1] + ', "x": ' + "[" * 40 + "]" * 40 + "}",
        'key "reports" is 3': json.dumps({"schema": 2, "reports": 3}),
    }


def test_a_damaged_hostile_or_old_report_is_refused_by_name(report, tmp_path):
    path = tmp_path / "old.json"
    for message, text in altered(json.loads(json_text([report]))).items():
        path.write_text(text)
        with pytest.raises(ReportError) as caught:
            read_documents(path)
        assert message in str(caught.value), (message, str(caught.value))
        assert str(caught.value).startswith(f"{path}: ")
    with pytest.raises(ReportError, match="no such file"):
        read_documents(tmp_path / "none.json")
    with pytest.raises(ReportError, match="no regular file"):
        read_documents(tmp_path)


if __name__ == "__main__":
    SCHEMA.write_text(json.dumps(json_schema(), indent=2) + "\n", encoding="utf-8")
