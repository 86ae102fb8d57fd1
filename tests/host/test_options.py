"""No option is ignored without a word: beside one that leaves it no use, it is refused."""

import pytest

TASK = ("--task", "rhythm")
FROM = (*TASK, "--start", "compressor.safetensors")
CINC = ("--dataset", "cinc2017")
BOTH = ("--dataset", "both")
SOURCES = ("--sources", "project")

IGNORED = [
    # command and option, then what would be ignored beside it
    (("generate", "--model-only"), ("--board", "microbit")),
    (("generate", "--model-only"), ("--kernels", "dsp")),
    (("generate", "--model-only"), ("--deadline", "1")),
    (("generate", "--plan"), ("--out", "project")),
    (("generate", "--plan"), ("--force",)),
    (("parity", "--port", "/dev/ttyUSB0"), ("--deadline", "1")),
    (("parity", *SOURCES), ("--engine", "layers")),
    (("parity", *SOURCES), ("--kernels", "plain")),
    (("parity", *SOURCES), ("--deadline", "1")),
    (("stream", "--ecg", "record.npy"), ("--segments", "2")),
    (("hello",), ("--baud", "9600")),
    (("parity",), ("--baud", "9600")),
    (("profile",), ("--baud", "9600")),
    (("stream",), ("--baud", "9600")),
    (("train", *CINC), ("--split", "patient")),
    (("train", *CINC), ("--download",)),
    (("train", *CINC), ("--random-windows",)),
    (("train", *TASK), CINC),
    (("train", *TASK), ("--random-windows",)),
    (("train", *TASK), ("--split", "patient")),
    (("train", *BOTH), ("--random-windows",)),
    (("train", *BOTH), ("--split", "published")),
    (("train",), ("--epoch-windows", "64")),
    (("train", *FROM), ("--precision", "bfloat16")),
    (("train", *FROM), ("--split", "published")),
    (("train", *FROM), ("--input-map", "minmax")),
    (("train", *FROM), ("--architecture", "cae32")),
    (("train", *FROM), ("--epochs", "2")),
    (("train", *FROM), ("--batch", "8")),
    (("train", *FROM), ("--peak-rate", "0.001")),
    (("train", *FROM), ("--seed", "0")),
    (("train", *FROM), ("--random-windows",)),
    (("train", *FROM), ("--download",)),
    (("train",), ("--bound", "1")),
    (("train",), ("--violation-rate", "1")),
    (("train",), ("--finetune-epochs", "2")),
    (("train",), ("--promise", "loss")),
    (("train",), ("--heads", "linear")),
    (("train",), ("--least-foresight", "0")),
    (("train",), ("--skip-bad",)),
    (("train-task", "rpeaks"), ("--skip-bad",)),
]


@pytest.mark.parametrize(
    ("command", "ignored"), IGNORED, ids=lambda words: " ".join(words).replace("/", "")
)
def test_an_option_that_would_be_ignored_is_refused_by_name(fails, command, ignored, tmp_path):
    line = fails(2, *command, *ignored)
    assert ignored[0] in line
    assert "needs" in line or "leaves no use" in line
    assert f"See: dynadeep {command[0]} --help" in line


@pytest.mark.parametrize(
    ("command", "option", "values"),
    [
        ("train", "--dataset", "mitdb"),
        ("train", "--split", "patient"),
        ("train", "--input-map", "affine"),
        ("evaluate", "--split", "patient"),
        ("generate", "--kernels", "helium"),
        ("parity", "--engine", "layers"),
    ],
)
def test_a_value_that_there_is_not_is_refused_with_those_there_are(fails, command, option, values):
    arguments = (command, "x") if command == "evaluate" else (command,)
    line = fails(2, *arguments, option, "nonsense")
    assert option in line
    assert values in line


@pytest.mark.parametrize(
    "arguments",
    [
        ("stream", "--packets", "a.bin", "--json", "./a.bin"),
        ("decode", "a.npy", "--out", "a.npy"),
        ("decode", "a.bin", "--out", "a.npy", "--json", "a.npy"),
    ],
)
def test_two_things_are_not_written_over_each_other(fails, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "one would write over the other" in fails(2, *arguments)


@pytest.mark.parametrize("arguments", [("stream", "--packets"), ("decode", "a.bin", "--out")])
def test_a_dash_is_not_taken_for_the_name_of_a_file(fails, arguments):
    assert "only --json goes to standard output" in fails(2, *arguments, "-")


@pytest.mark.parametrize("value", ["0", "-1", "soon"])
def test_a_deadline_that_leaves_no_time_is_refused(fails, value):
    assert "--deadline" in fails(2, "generate", "--deadline", value)


OUT_OF_RANGE = [
    ("train", "--peak-rate", "-1"),
    ("train", "--peak-rate", "0"),
    ("train", "--peak-rate", "nan"),
    ("train", "--peak-rate", "inf"),
    ("train", "--seed", "-1"),
    ("train", "--seed", "99999999999999999999"),
    ("train", *TASK, "--bound", "nan"),
    ("train", *TASK, "--bound", "-1"),
    ("train", *TASK, "--bound", "0"),
    ("train", *TASK, "--violation-rate", "nan"),
    ("train", *TASK, "--violation-rate", "0"),
    ("train", *TASK, "--violation-rate", "1.5"),
    ("calibrate", "network.safetensors", "--violation-rate", "0"),
    ("calibrate", "network.safetensors", "--violation-rate", "nan"),
    ("train", *TASK, "--least-foresight", "nan"),
    ("train", "--task", "rhythm=0"),
    ("train", "--task", "rhythm=-1"),
    ("train", "--task", "rhythm=nan"),
    ("train", *TASK, *TASK),
    ("generate", "--deadline", "nan"),
    ("generate", "--deadline", "inf"),
    ("stream", "--bound", "1", "--bound", "nan"),
    ("stream", "--bound", "-1"),
    ("demo", "--bound", "nan"),
    ("parity", "--ecg", "record.npy", "--rate", "nan"),
    ("parity", "--ecg", "record.npy", "--rate", "0"),
    ("parity", "--ecg", "record.npy", "--gain", "nan", "--baseline", "0"),
    ("parity", "--ecg", "record.npy", "--gain", "1", "--baseline", "inf"),
]


@pytest.mark.parametrize("words", OUT_OF_RANGE, ids=" ".join)
def test_a_number_that_stands_in_no_range_is_refused_before_any_work(fails, words):
    line = fails(2, *words)
    assert f"See: dynadeep {words[0]} --help" in line
