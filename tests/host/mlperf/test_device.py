"""The firmware that speaks the MLPerf Tiny protocol, held to its letter and to its bounds."""

import json
import random
import re
import time
from pathlib import Path

import pytest

from dynadeep.codegen.applications import ram_bytes
from dynadeep.codegen.board import load_board
from dynadeep.codegen.bundle import read_bundle
from dynadeep.codegen.emit import project_files
from dynadeep.codegen.planner import plan_for
from dynadeep.host_tools.link.serial import open_port
from dynadeep.host_tools.measure.memory import read_image
from dynadeep.host_tools.measure.references import golden_cases
from dynadeep.host_tools.mlperf.check import input_of, results_of

from .conftest import BUNDLES, MLPERF
from .strict_runner import LINE_S, StrictRunner


@pytest.mark.parametrize(
    ("name", "board"),
    [
        pytest.param("branches", "mps2-an386", marks=pytest.mark.emulator),
        pytest.param("codec", "microbit", marks=pytest.mark.emulator),
        ("two_inputs", "native"),
        ("codec", "native"),
    ],
)
def test_a_strict_host_gets_the_references_results(device, name, board):
    bundle = read_bundle(BUNDLES[name])
    with device(name, board) as link:
        host = StrictRunner(link.port)
        began = host.booted()
        assert host.name() == f"dynadeep {board}"
        assert host.model() == bundle.manifest.model_id
        for case in golden_cases(bundle)[-2:]:
            host.load(input_of(case).tobytes())
            inferred = host.infer(2, 1)
            assert inferred.results == results_of(case, bundle.manifest).tolist()
            assert host.results() == inferred.results
            assert began < inferred.begin_us < inferred.end_us < host.timestamp()


@pytest.mark.emulator
def test_more_inferences_take_more_time(device):
    with device("branches", "mps2-an386") as link:
        host = StrictRunner(link.port)
        host.booted()
        host.load(input_of(golden_cases(read_bundle(BUNDLES["branches"]))[0]).tobytes())
        few, many = host.infer(10, 0), host.infer(100, 0)
        assert 8 < (many.end_us - many.begin_us) / (few.end_us - few.begin_us) < 12


@pytest.mark.parametrize(
    "board", ["native", pytest.param("mps2-an386", marks=pytest.mark.emulator)]
)
def test_what_a_process_says_as_it_starts_is_heard_by_who_opens_its_port_slowly(
    device, monkeypatch, board
):
    def opened(url):
        time.sleep(0.3)
        return open_port(url)

    monkeypatch.setattr("dynadeep.host_tools.link.emulated.open_port", opened)
    with device("branches", board) as link:
        StrictRunner(link.port).booted()


@pytest.fixture
def host(device):
    with device("branches") as link:
        runner = StrictRunner(link.port)
        runner.booted()
        yield runner


def size_of() -> int:
    return len(input_of(golden_cases(read_bundle(BUNDLES["branches"]))[0]))


def test_what_was_loaded_can_be_printed(host):
    host.load(bytes(range(20)))
    assert host.printed() == bytes(range(16))
    assert host.printed(" 20") == bytes(range(20))
    assert host.printed(" 3 17") == bytes((17, 18, 19))


@pytest.mark.parametrize(
    "command",
    [
        "db load 0",
        "db load 100000",
        "db load 4294967300",
        "db load 99999999999999999999999999",
        "db load -1",
        "db load 0x10",
        "db load",
        "db load 4 4",
        "db",
        "db 00",  # nothing is expected
        "db print",  # nothing is loaded
        "infer 0 0",
        "infer",
        "infer 1 x",
        "infer 1 0 0",
        "infer 1 0",  # nothing is loaded
        "results",
    ],
)
def test_what_is_out_of_bounds_is_refused(host, command):
    host.refused(command)
    assert host.name()


def test_bytes_beyond_those_announced_are_refused_and_not_taken(host):
    host.send("db load 3")
    assert host.send("db 0102") == []
    for wrong in ("db 0304", "db 3", "db 0g", "db 03 04", "db load4"):
        host.refused(wrong)
    assert host.send("db 03") == ["m-load-done"]
    host.refused("db 04")
    assert host.printed() == bytes((1, 2, 3))
    host.refused("db print 4")
    host.refused("db print 1 3")
    host.refused("db print 3 1")


def test_a_part_of_an_input_is_not_run(host):
    size = size_of()
    host.load(bytes(size - 1))
    assert f"db load {size}" in host.refused("infer 1 0")


def test_results_go_with_the_input_that_they_are_of(host):
    host.load(bytes(size_of()))
    assert host.infer(1, 0).results == host.results()
    host.send("db load 1")
    host.refused("results")


def test_an_unknown_command_is_quoted_without_what_cannot_be_printed(host):
    assert host.refused("nonsense") == "Unknown command: nonsense"
    assert host.refused("a\x01\x7fb\x00c") == "Unknown command: a??b?c"


def test_a_command_that_is_too_long_is_refused_whole(host):
    host.port.write(b"db load 1 " + b"x" * 71 + b"name%")
    (line,) = host.lines(LINE_S)
    assert line == "e-[The command is longer than 80 characters]"
    assert host.name() == "dynadeep native"


def test_the_ends_of_a_terminals_lines_are_no_part_of_a_command(host):
    host.port.write(b"\r\nna\r\nme%")
    assert host.lines(LINE_S) == ["m-name-dut-[dynadeep native]"]


def test_help_names_every_command(host):
    names = {line.split(":")[0] for line in host.send("help")}
    assert names == {"help", "name", "profile", "timestamp", "db", "infer", "results"}


def test_any_bytes_are_answered_and_break_nothing(host):
    """Sanitizers watch: a write beyond a buffer ends the process."""
    draw = random.Random(1)
    words = [b"db ", b"load ", b"print ", b"infer ", b"results", b"00", b"ff", b"3", b" ", b"120 "]
    for _ in range(300):
        pieces = draw.choices([*words, draw.randbytes(3).replace(b"%", b"")], k=draw.randint(0, 30))
        host.port.write(b"".join(pieces) + b"%")
        assert all(re.fullmatch(r"[em]-.*|[a-z]+: .*", line) for line in host.lines(LINE_S))
    assert host.name()


@pytest.mark.parametrize("name", BUNDLES)
def test_the_project_holds_nothing_of_the_harness(name):
    board = load_board("mps2-an386")
    files = project_files(plan_for(read_bundle(BUNDLES[name]), board, MLPERF), board)
    app = {Path(file).name for file in files if file.startswith("app/")}
    assert {"mlperf.c", "mlperf_text.c", "mlperf_main.c", "fault.c"} <= app
    assert not {name for name in app if name.startswith(("commands", "dd_link"))} | (
        app & {"main.c"}
    )
    assert json.loads(files["manifest.json"])["application"] == "mlperf"


@pytest.mark.emulator
def test_the_plan_says_what_ram_it_takes(mlperf_elf):
    board = load_board("mps2-an386")
    plan = plan_for(read_bundle(BUNDLES["branches"]), board, MLPERF)
    image = read_image(mlperf_elf("branches", "mps2-an386"))
    static = ram_bytes(plan, board) - board.ram.stack_bytes
    assert image.static_ram_bytes <= static <= image.static_ram_bytes + 32
