"""A project holds what it needs of the kit's C, and nothing else."""

from pathlib import Path

import pytest

from dynadeep.codegen.board import load_board
from dynadeep.codegen.bundle import read_bundle
from dynadeep.codegen.closure import needed
from dynadeep.codegen.emit import Files, project_files
from dynadeep.codegen.planner import PlanSettings, plan_for
from tests.caching import SMALL_BUNDLE
from tests.firmware.compiling import RUNTIME
from tests.net_bundles import NET_BUNDLES

FILES = {
    "a.h": b'#include "b.h"\n',
    "a.c": b'#include "a.h"\n#include "c.h"\n',
    "b.h": b"",
    "b_one.c": b'#include "b.h"\n',
    "b_other.c": b'#include "b.h"\n',
    "c.h": b"",
    "lonely.h": b"",
    "lonely.c": b'#include "lonely.h"\n#include "a.h"\n',
}


def test_headers_bring_their_sources_and_what_these_include() -> None:
    names = needed([b'#include "a.h"\n'], FILES, {"b_other.c"})
    assert names == {"a.h", "a.c", "b.h", "b_one.c", "c.h"}


def test_a_header_of_somebody_elses_is_no_matter() -> None:
    assert needed([b'#include "elsewhere.h"\n#include <stdint.h>\n'], FILES, set()) == set()


def project_of(folder: Path, board: str | None, settings: PlanSettings) -> Files:
    bundle = read_bundle(folder)
    target = None if board is None else load_board(board)
    return project_files(plan_for(bundle, target, settings), target)


@pytest.mark.parametrize("engine", ["stream", "layers"])
def test_a_network_alone_has_nothing_of_the_codecs_and_one_engine(engine) -> None:
    files = project_of(NET_BUNDLES / "branches", "mps2-an386", PlanSettings(engine))
    names = {Path(name).name for name in files}
    assert {f"dd_{engine}.c", "dd_add_s8.c", "dd_dot_dsp.c", "commands_net.c"} <= names
    unused = {"dd_stream.c", "dd_layers.c"} - {f"dd_{engine}.c"}
    codecs = {"dd_codec.c", "dd_rice.c", "dd_decision.c", "commands_codec.c", "commands_codec.h"}
    unused |= {"dd_mul_s8.c", "dd_dot_helium.c", "uart_stm32.c"}
    assert not (unused | codecs) & names


def test_a_library_without_a_board_has_what_a_users_code_needs() -> None:
    files = project_of(SMALL_BUNDLE, None, PlanSettings())
    assert {"runtime/dd_quantize.h", "runtime/dd_codec.c", "model/model_codec.h"} <= set(files)
    assert not {name for name in files if name.startswith(("app/", "board/"))}


DEPTHWISE = {"dd_depthwise_dsp.c", "dd_depthwise_quads.c", "dd_depthwise_three.c"}


@pytest.mark.parametrize(("left_out", "expected"), [(set(), DEPTHWISE), (DEPTHWISE, set())])
def test_a_kernel_brings_the_files_of_its_kernel_set(
    left_out: set[str], expected: set[str]
) -> None:
    runtime = {path.name: path.read_bytes() for path in RUNTIME.iterdir()}
    names = needed([b'#include "dd_depthwise_s8.h"\n'], runtime, left_out & {"dd_depthwise_dsp.c"})
    assert names & DEPTHWISE == expected
