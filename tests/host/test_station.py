"""A test station: with a bundle, it needs neither TensorFlow nor PyTorch nor ONNX."""

import subprocess
import sys
from pathlib import Path

import pytest

from dynadeep.export.importing import ImportOptions, import_network
from dynadeep.export.isolated import isolated
from tests.codegen.tflite_builder import OPS, ModelBuilder, TensorSpec

DATA = Path(__file__).parents[1] / "data"
HEAVY = ("tensorflow", "torch", "onnx", "onnxruntime", "tflite_micro", "keras")
WITHOUT = f"""
import sys
from importlib.abc import MetaPathFinder

class Absent(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {HEAVY!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
from dynadeep.host_tools.cli import run
for line in sys.stdin.read().splitlines():
    status = run(line.split())
    if status:
        sys.exit(status)
"""

pytestmark = pytest.mark.heavy


def test_an_imported_network_is_planned_built_and_checked_without_the_heavy_packages(tmp_path):
    bundle = tmp_path / "bundle"
    import_network(DATA / "keras" / "flatten_dense.tflite", bundle, ImportOptions(count=1))
    lines = [
        f"generate --bundle {bundle} --plan --board native",
        f"generate --bundle {bundle} --board native --out {tmp_path}/c",
        f"build {tmp_path}/c",
        f"parity --bundle {bundle} --sources {tmp_path}/c",
    ]
    completed = subprocess.run(
        [sys.executable, "-c", WITHOUT],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    assert "bit-exact" in completed.stdout


def test_an_import_without_tensorflow_says_what_to_install(tmp_path):
    script = WITHOUT.partition("from dynadeep.host_tools.cli")[0] + (
        "from pathlib import Path\n"
        "from dynadeep.export.importing import ImportOptions, import_network\n"
        "import_network(Path(sys.argv[1]), Path(sys.argv[2]), ImportOptions())\n"
    )
    path = DATA / "operators" / "conv_only.tflite"
    completed = subprocess.run(
        [sys.executable, "-c", script, path, tmp_path / "b"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "MissingDependencyError" in completed.stderr
    assert "pip install 'dynadeep[export]'" in completed.stderr
    assert not (tmp_path / "b").exists()


def abort_maker() -> bytes:
    """Return a network in which TensorFlow aborts on an operator that no output needs."""
    model = ModelBuilder()
    source = model.tensor(TensorSpec("x", (1, 700), scales=(0.02,)))
    result = model.tensor(TensorSpec("y", (1, 700), scales=(0.02,)))
    unread = model.tensor(TensorSpec("unread", (1, 700), scales=(1 / 256,), zero_points=(-128,)))
    model.op(OPS.SOFTMAX, [source], [unread], Beta=0.1)
    model.op(OPS.RELU, [source], [result])
    model.inputs, model.outputs = [source], [result]
    return model.build()


def test_a_network_on_which_tensorflow_aborts_is_refused_in_one_line(tmp_path, fails):
    path = tmp_path / "net.tflite"
    path.write_bytes(abort_maker())
    assert "TensorFlow ended the process" in fails(5, "import", path, "--out", tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_an_error_in_the_other_process_is_the_same_here():
    with pytest.raises(ZeroDivisionError) as caught:
        isolated(divmod, 1, 0)
    assert "function(*arguments)" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name a .tflite or .onnx file"),
        (("x.tflite", "--torch", "a:b"), "name a .tflite or .onnx file"),
        (("x.tflite", "--shape", "1,2"), "--shape"),
        (("--torch", "a:b"), "--torch needs --shape"),
        (("--torch", "a:b", "--shape", "2,3"), "as in 1,3,256"),
        (("x.tflite", "--golden", "x.npy", "--count", "3"), "--count"),
        (("x.tflite", "--rate", "0"), "--rate"),
    ],
)
def test_options_that_say_nothing_together_are_refused(fails, arguments, message):
    assert message in fails(2, "import", *arguments)


def test_a_file_that_is_not_there_is_named(fails, tmp_path):
    line = fails(6, "import", tmp_path / "none.tflite", "--out", tmp_path / "b")
    assert "none.tflite: no such file" in line


def test_a_command_that_needs_a_codec_says_so_of_a_network(fails, tmp_path):
    import_network(DATA / "operators" / "conv_only.tflite", tmp_path / "b", ImportOptions(count=1))
    (tmp_path / "p.bin").write_bytes(b"")
    options = ("--bundle", tmp_path / "b", "--out", tmp_path / "ecg.npy")
    line = fails(6, "decode", tmp_path / "p.bin", *options)
    assert "is a network without a codec" in line
