"""Tables in a terminal of 80 columns: no figure, unit or name is cut, whatever the network."""

from collections.abc import Callable
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from dynadeep.codegen.plan import Plan
from dynadeep.host_tools.codec.report import print_stream
from dynadeep.host_tools.codec.stream import StreamResult
from dynadeep.host_tools.measure import summary
from tests.host.conftest import ManifestMaker
from tests.host.page import sample

WIDTH = 80
LARGE = 123_456_789
LONG_NAME = "StatefulPartitionedCall/model/block_3/depthwise/"

Draw = Callable[[Console], None]


def drawn(draw: Draw, width: int = WIDTH) -> list[str]:
    text = StringIO()
    draw(Console(file=text, width=width))
    return text.getvalue().splitlines()


@pytest.fixture
def layers(plan: Plan) -> Draw:
    cost = sample.latency(plan)
    named = [
        replace(layer, layer=f"{LONG_NAME}{number}", count=LARGE, macs=LARGE // 10)
        for number, layer in enumerate(cost.layers)
    ]
    cost = replace(cost, layers=tuple(named))
    return lambda console: summary.print_table(
        console, summary.layers_table(cost, sample.memory(plan))
    )


@pytest.fixture
def stream(make_manifest: ManifestMaker) -> Draw:
    levels = {"none": 1234, "cg8": 1234, "cg16": 1234, "cg32": 1234, "cg64": 1234}
    rate = dict.fromkeys(("prd", "prdn", "prd_compressed", "prdn_compressed"), 160.02)
    result = StreamResult(
        **rate, bound=0.75, segments=6170, levels=levels, mean_cg=45.54, byte_cg=41.72,
        bytes_in=9, bytes_out=1, violations=0.688, clipped=0.0,
    )  # fmt: skip
    return lambda console: print_stream(console, [result], make_manifest(), 602)


@pytest.mark.parametrize("name", ["layers", "stream"])
def test_a_table_fits_and_cuts_nothing(name, request):
    draw = request.getfixturevalue(name)
    lines, wide = drawn(draw), drawn(draw, summary.WIDTH)
    assert "…" not in "".join(lines)
    assert max(map(len, lines)) <= WIDTH

    def words(text: list[str]) -> str:
        return "".join(sorted("".join(text).replace("─", "").split()))

    assert sorted(words(lines)) == sorted(words(wide))
