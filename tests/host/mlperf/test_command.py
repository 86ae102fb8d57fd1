"""`dynadeep mlperf`: it drives a device, and writes what an unmodified runner reads."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from dynadeep.codegen.board import load_board
from dynadeep.codegen.bundle import read_bundle
from dynadeep.codegen.generate import generate
from dynadeep.host_tools.cli import run
from dynadeep.host_tools.errors import BoardCrashedError, LinkError, ParityError
from dynadeep.host_tools.measure.parity import require_exact
from dynadeep.host_tools.measure.references import Case, golden_cases
from dynadeep.host_tools.mlperf.check import check
from dynadeep.host_tools.mlperf.dut import Dut
from dynadeep.host_tools.mlperf.runner_files import write_runner_files

from .conftest import BUNDLES, MLPERF
from .strict_runner import StrictRunner

BRANCHES = BUNDLES["branches"]


@pytest.fixture(scope="module")
def model():
    return read_bundle(BRANCHES)


@pytest.mark.emulator
def test_the_command_checks_an_emulated_device_and_writes_the_runners_files(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    options = ["--bundle", str(BRANCHES), "--out", "runner", "--json", "found.json"]
    assert run(["mlperf", *options]) == 0
    report = json.loads(Path("found.json").read_text())
    cases = golden_cases(read_bundle(BRANCHES))
    assert (report["bit_exact"], report["inputs"]) == (True, len(cases))
    assert report["inference_us"] > 0
    assert "dynadeep mps2-an386: bit-exact" in capsys.readouterr().out
    assert Path("runner/devices.yaml").is_file()


def loaded(path: Path):
    return yaml.safe_load(path.read_text())


def test_a_runner_that_reads_the_files_gets_full_accuracy(device, model, tmp_path):
    """It goes as the public runner does: devices, then the test of the device's model."""
    cases = golden_cases(model)[:2]
    write_runner_files(tmp_path, model.manifest, load_board("nucleo-l4r5zi"), cases, 1000.0)
    with device("branches") as link:
        host = StrictRunner(link.port)
        host.booted()
        host.name()
        test = loaded(tmp_path / "tests_accuracy.yaml")[host.model()]
        data = tmp_path / "datasets" / test["model"]
        labels = list(csv.reader((data / test["truth_file"]).read_text().splitlines()))
        ((loop, steps),) = test["script"][0].items()
        assert (loop, steps) == (f"loop {len(cases)}", ["download", "infer 1 0"])
        for name, classes, label in labels:
            host.load((data / name).read_bytes())
            results = host.infer(1, 0).results
            assert (len(results), int(np.argmax(results))) == (int(classes), int(label))


def test_the_runner_finds_the_board_by_its_usb_ids(model, tmp_path):
    write_runner_files(tmp_path, model.manifest, load_board("nucleo-l4r5zi"), (), 1000.0)
    (entry,) = loaded(tmp_path / "devices.yaml")
    assert (entry["name"], entry["type"]) == ("nucleo-l4r5zi", "dut")
    assert set(entry["baud"].values()) == {115200}
    assert all(
        f"{vendor:04x}:{product:04x}" in load_board("nucleo-l4r5zi").usb
        for vendor, products in entry["usb"].items()
        for product in products
    )
    assert entry["usb"]


def test_a_window_of_a_performance_run_lasts_ten_seconds(model, tmp_path):
    write_runner_files(tmp_path, model.manifest, load_board("native"), (), 40_000.0)
    test = loaded(tmp_path / "tests_performance.yaml")[model.manifest.model_id]
    (steps,) = (step["loop 5"] for step in test["script"])
    download, infer = steps
    assert download == "download 0"
    assert int(infer.split()[1]) * 0.040 >= 10


def test_a_result_that_differs_is_named_by_output_and_place(device, model):
    case = golden_cases(model)[0]
    spec = model.manifest.outputs[1]
    values = case.tensor(spec.name).copy()
    values[1, 1] ^= 1
    spoilt = Case(case.name, case.input, {**case.tensors, spec.name: values})
    with device("branches") as link:
        dut = Dut(link)
        dut.greet()
        checked = check(dut, model.manifest, [spoilt, case], 0.1)
    assert checked.parity.segments == 1
    (difference,) = checked.parity.differences
    assert (difference.name, difference.time, difference.channel, difference.segment) == (
        spec.name,
        1,
        1,
        case.name,
    )
    with pytest.raises(ParityError, match=spec.name):
        require_exact(checked.parity)


class Paused:
    """A device's line that is silent for a moment behind each answer."""

    def __init__(self, link):
        self.link, self.name = link, link.name
        self.send, self.explain = link.send, link.explain
        self._came, self._silent = b"", False

    def receive(self):
        if self._silent:
            self._silent = False
            return b""
        self._came += self.link.receive()
        answer, ready, self._came = self._came.partition(b"m-ready\r\n")
        self._silent = bool(ready)
        return answer + ready


def test_a_device_that_is_still_saying_how_it_began_is_greeted(device):
    with device("branches") as link:
        assert Dut(Paused(link)).greet() == "dynadeep native"


def test_a_device_in_the_middle_of_a_command_is_greeted(device):
    with device("branches") as link:
        link.send(b"db lo")
        assert Dut(link).greet() == "dynadeep native"


def test_a_device_that_refuses_is_quoted(device):
    with device("branches") as link:
        dut = Dut(link)
        dut.greet()
        with pytest.raises(LinkError, match="answers infer with e-"):
            dut.infer()


def test_a_device_that_crashes_says_where(device):
    with device("branches") as link:
        dut = Dut(link)
        dut.greet()
        link.child.send_signal(11)
        with pytest.raises(BoardCrashedError, match="Fault 1, exception 11"):
            dut.ask("name")


@pytest.mark.emulator
def test_another_models_device_is_refused(device, fails):
    with device("branches", "mps2-an386") as link:
        port = link.port.port
        link.port.close()
        line = fails(9, "mlperf", "--bundle", BUNDLES["codec"], "--port", port)
    assert "the firmware is of model" in line


def test_a_port_where_nothing_speaks_it_is_told(fails, monkeypatch):
    monkeypatch.setattr("dynadeep.host_tools.mlperf.dut.LINE_S", 0.1)
    line = fails(26, "mlperf", "--bundle", BRANCHES, "--port", "loop://")
    assert "not of the MLPerf Tiny protocol" in line


def test_a_project_of_another_application_is_refused(fails, tmp_path, model):
    for application, command in ((MLPERF, "parity"), (None, "mlperf")):
        folder = tmp_path / command
        settings = {} if application is None else {"settings": application}
        generate(model, load_board("native"), folder, **settings)
        line = fails(6, command, "--bundle", BRANCHES, "--sources", folder)
        assert "was generated with --application" in line


def test_a_device_is_not_looked_for(fails):
    assert "give --port" in fails(2, "mlperf", "--bundle", BRANCHES, "--board", "auto")


def test_model_only_leaves_no_use_for_an_application(fails, tmp_path):
    options = ("--model-only", "--application", "mlperf", "--out", tmp_path / "out")
    assert "--application" in fails(2, "generate", "--bundle", BRANCHES, *options)
