"""A user's mistakes: one line on standard error, the documented exit status, no traceback."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dynadeep.codegen.bundle import ENCODER_TFLITE
from dynadeep.host_tools.cli import run

MAIN = "from dynadeep.host_tools.cli import main; main()"


def save(path: Path, values: object) -> Path:
    np.save(path, np.asarray(values))
    return path


@pytest.mark.heavy
def test_a_checkpoint_that_is_none_is_refused(fails, tmp_path):
    path = tmp_path / "run.safetensors"
    path.write_bytes(b"this is no checkpoint")
    path.with_suffix(".json").write_text("{}")
    assert "checkpoint" in fails(4, "export", path, "--out", tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


@pytest.mark.heavy
def test_a_missing_checkpoint_is_refused(fails, tmp_path):
    assert "not found" in fails(4, "export", tmp_path / "none.safetensors", "--out", tmp_path / "b")


def test_a_missing_bundle_is_refused(fails, tmp_path):
    assert "no such file" in fails(6, "parity", "--bundle", tmp_path / "none")


def test_a_truncated_tflite_is_refused_by_its_hash(fails, copied_bundle, tmp_path):
    path = copied_bundle / ENCODER_TFLITE
    path.write_bytes(path.read_bytes()[:1000])
    line = fails(6, "generate", "--bundle", copied_bundle, "--out", tmp_path / "c")
    assert "SHA-256" in line


def test_a_truncated_tflite_is_refused_even_if_the_manifest_agrees(
    fails, copied_bundle, rewrite_model, tmp_path
):
    rewrite_model(copied_bundle, (copied_bundle / ENCODER_TFLITE).read_bytes()[:10_000])
    line = fails(6, "generate", "--bundle", copied_bundle, "--out", tmp_path / "c")
    assert ENCODER_TFLITE in line
    assert not (tmp_path / "c").exists()


def test_a_segment_of_the_wrong_length_is_refused(fails, bundle, tmp_path):
    path = save(tmp_path / "segments.npy", np.zeros((2, 319), np.int16))
    line = fails(2, "parity", "--bundle", bundle.folder, "--board", "native", "--ecg", path)
    assert "expected segments [N, 320]" in line


def test_a_sample_that_is_not_a_number_is_refused(fails, bundle, tmp_path):
    samples = np.zeros(320)
    samples[3] = np.nan
    path = save(tmp_path / "nan.npy", samples)
    line = fails(2, "stream", "--bundle", bundle.folder, "--board", "native", "--ecg", path)
    assert "sample 3 (nan) is not a number" in line


def test_a_record_shorter_than_one_segment_is_refused(fails, bundle, tmp_path):
    path = save(tmp_path / "short.npy", np.zeros(319, np.int16))
    line = fails(2, "stream", "--bundle", bundle.folder, "--board", "native", "--ecg", path)
    assert "319 samples, one segment needs 320" in line


def test_a_missing_wfdb_record_is_refused(fails, bundle, tmp_path):
    where = ("--bundle", bundle.folder, "--board", "native")
    assert "no such record" in fails(2, "stream", *where, "--ecg", tmp_path / "100")


@pytest.mark.parametrize("board", ["mps2-an386", "native"])
def test_a_missing_toolchain_is_one_line(fails, bundle, monkeypatch, tmp_path, board):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    line = fails(3, "hello", "--bundle", bundle.folder, "--board", board)
    assert "not installed. Install it: apt-get install" in line


def test_an_unknown_board_is_refused_with_those_there_are(fails, bundle):
    line = fails(6, "hello", "--bundle", bundle.folder, "--board", "toaster")
    assert "mps2-an386" in line


def test_a_port_that_does_not_exist_is_refused(fails, bundle):
    line = fails(22, "hello", "--bundle", bundle.folder, "--port", "/dev/ttyNone")
    assert "/dev/ttyNone: no such port" in line


def test_a_folder_that_cannot_be_written_is_refused(fails, bundle, tmp_path):
    (tmp_path / "file").write_text("in the way")
    fails(6, "generate", "--bundle", bundle.folder, "--out", tmp_path / "file" / "c")


def test_a_result_that_cannot_be_written_is_refused(fails, bundle, tmp_path):
    packets = Path(__file__).parent / "cases" / "packets" / "six.bin"
    (tmp_path / "file").write_text("in the way")
    out = tmp_path / "file" / "ecg.npy"
    line = fails(2, "decode", packets, "--bundle", bundle.folder, "--out", out)
    assert f"{out} cannot be written" in line


@pytest.mark.heavy
def test_a_file_that_holds_no_packets_is_refused(fails, bundle, tmp_path):
    path = tmp_path / "packets"
    path.write_bytes(b"these are none")
    line = fails(12, "decode", path, "--bundle", bundle.folder, "--out", tmp_path / "ecg.npy")
    assert "no packet starts here" in line


@pytest.mark.parametrize(
    "arguments",
    [("parity", "--nonsense"), ("frobnicate",), ("stream", "--bound", "much"), ("decode",)],
)
def test_a_wrong_option_is_one_line_with_where_to_look(fails, arguments):
    assert "--help" in fails(2, *arguments)


def test_a_negative_bound_is_refused(fails, bundle):
    where = ("--bundle", bundle.folder, "--board", "native")
    line = fails(2, "stream", *where, "--bound", "-1", "--segments", "1")
    assert "'--bound': Input should be greater than or equal to 0, not -1. See: " in line


def test_traceback_shows_the_rest(tmp_path):
    with pytest.raises(Exception, match="no such file"):
        run(["parity", "--bundle", str(tmp_path / "none"), "--traceback"])


def test_help_needs_no_heavy_package_and_lists_every_command():
    code = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {{'torch', 'tensorflow', 'onnx', 'onnxruntime', 'wfdb', 'pandas',
                                  'numpy'}}:  # slow to import, and no help needs it
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Absent())
sys.argv = ['dynadeep', '--help']
{MAIN}
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for command in ("train", "export", "generate", "build", "parity", "profile", "stream", "demo"):
        assert command in done.stdout


@pytest.mark.parametrize("command", ["train", "evaluate", "export", "demo"])
def test_a_missing_package_is_one_line(command, tmp_path):
    code = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {{'torch', 'tensorflow', 'onnx', 'wfdb'}}:
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Absent())
sys.argv = ['dynadeep', '{command}'] + (['x'] if '{command}' == 'evaluate' else [])
{MAIN}
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 3, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "is not installed" in done.stderr
    assert "pip install" in done.stderr


def test_the_console_script_ends_with_the_exit_status(tmp_path):
    done = subprocess.run(
        [Path(sys.executable).with_name("dynadeep"), "parity", "--bundle", tmp_path / "none"],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "80"},
        check=False,
    )
    assert done.returncode == 6
    assert len(done.stderr.splitlines()) == 1
