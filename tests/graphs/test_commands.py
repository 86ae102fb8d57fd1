"""Random networks through the commands that a user gives, up to parity."""

from pathlib import Path

import pytest

from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.lowering import lower
from dynadeep.codegen.tflite import read_graph
from dynadeep.host_tools.cli import run
from tests.graphs.networks import NETWORKS, sample

pytestmark = [pytest.mark.heavy, pytest.mark.nightly]

COUNT = 8


def accepted(content: bytes) -> bool:
    try:
        return bool(lower(read_graph(content)).layers)
    except ModelError:
        return False


@pytest.fixture(scope="module")
def contents() -> list[bytes]:
    drawn = [network.content() for network, _ in sample(NETWORKS, 2 * COUNT, seed=5)]
    return [content for content in drawn if accepted(content)]


@pytest.mark.parametrize("number", range(COUNT))
def test_a_random_network_is_imported_generated_built_and_bit_exact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, contents: list[bytes], number: int
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("network.tflite").write_bytes(contents[number])
    board = ("--board", "native")
    assert run(["import", "network.tflite", "--out", "bundle", "--count", "2"]) == 0
    assert run(["generate", "--bundle", "bundle", *board, "--out", "project"]) == 0
    assert run(["build", "project"]) == 0
    assert run(["parity", "--bundle", "bundle", *board]) == 0
