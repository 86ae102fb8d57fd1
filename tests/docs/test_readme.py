"""The readme's code is compiled and run, its commands are run, its figures are those measured.

Not run here: `make` (`make test` is this suite), `export` (the session's bundle was exported
once), `--flash` (it needs a board on USB). A process takes the place of the board at --port.
"""

import shlex
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from dynadeep.codegen.emit import project_files, write_project
from dynadeep.codegen.plan import plan_model
from dynadeep.host_tools import toolchain
from dynadeep.host_tools.cli import run
from dynadeep.host_tools.monitor.app import Monitor
from tests.codegen.models import manifest_for, small_encoder

from .pages import blocks, page

README = page("README.md")
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
MAIN = """
static int sent;

void send_packet(const uint8_t *packed, size_t length)
{
    sent += length > 0 && packed[0] == 0xDD;
}

int main(void)
{
    if (!start()) {
        return 1;
    }
    for (int16_t i = 0; i < 2 * ECG_SEGMENT_LENGTH; i++) {
        on_sample(i);
    }
    return sent == 2 ? 0 : 2;
}
"""
CMAKE = """
cmake_minimum_required(VERSION 3.20)
project(mine C CXX)
add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Werror)
add_executable(my_firmware main.{suffix})
"""


@pytest.fixture(scope="module")
def small_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `generate --model-only` writes, of a small model."""
    net = small_encoder()
    content = net.model.build()
    out = tmp_path_factory.mktemp("readme") / "ecg"
    plan = plan_model(content, manifest_for(net, content))
    write_project(project_files(plan, None, "ecg"), out)
    return out


def checked(command: list[str | Path], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize(
    ("compiler", "language"),
    [
        (["gcc", "-std=c11"], "c"),
        (["g++", "-std=c++17"], "cpp"),
        (["arm-none-eabi-gcc", "-std=c11", "-mcpu=cortex-m4", "-mthumb"], "c"),
        (["arm-none-eabi-g++", "-std=c++17", "-mcpu=cortex-m4", "-mthumb"], "cpp"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else value,
)
def test_its_code_compiles_as_c_and_as_cpp_without_a_warning(
    small_project: Path, tmp_path: Path, compiler: list[str], language: str
) -> None:
    toolchain.require(compiler[0])
    (snippet,) = blocks(README, "c")
    source = tmp_path / f"main.{language}"
    source.write_text(snippet)
    folders = [f"-I{small_project / name}" for name in ("model", "runtime")]
    flags = [
        flag for flag in compiler[1:] if flag not in ("-Wmissing-declarations", "-DDD_NOTHING")
    ]
    checked([compiler[0], *flags, *STRICT, *folders, "-fsyntax-only", source], tmp_path)


@pytest.mark.parametrize("suffix", ["c", "cpp"])
def test_its_cmake_lines_build_a_program_of_the_generated_folder_that_sends_packets(
    small_project: Path, tmp_path: Path, suffix: str
) -> None:
    (snippet,), (lines,) = blocks(README, "c"), blocks(README, "cmake")
    (tmp_path / f"main.{suffix}").write_text(snippet + MAIN)
    (tmp_path / "ecg").symlink_to(small_project)
    (tmp_path / "CMakeLists.txt").write_text(CMAKE.format(suffix=suffix) + lines)
    checked(["cmake", "-B", "build"], tmp_path)
    checked(["cmake", "--build", "build", "--parallel"], tmp_path)
    checked(["build/my_firmware"], tmp_path)


def commands(heading: str) -> list[list[str]]:
    """Return the command lines of a chapter."""
    chapter = README.split(f"## {heading}\n")[1].split("\n## ")[0]
    return [
        shlex.split(line, comments=True)
        for line in blocks(chapter)[0].splitlines()
        if line.startswith("dynadeep ")
    ]


@pytest.fixture
def board(firmware) -> Iterator[str]:
    """Serve the native board's firmware at a URL, afresh to each that connects."""
    server = socket.create_server(("127.0.0.1", 0))
    program = firmware("native").elf

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                wire = connection.fileno()
                subprocess.run([program], stdin=wire, stdout=wire, check=False)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"socket://127.0.0.1:{server.getsockname()[1]}"
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(10)


@pytest.fixture
def workplace(bundle, tmp_path, monkeypatch) -> Path:
    """A folder of a user's own, in which the bundle was exported already."""
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "bundle").symlink_to(bundle.folder)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_its_commands_for_your_own_firmware_work(workplace, capsys) -> None:
    export, generate = commands("In your own firmware")
    assert export[1:4] == ["export", "--out", "build/bundle"]
    assert run(generate[1:]) == 0, capsys.readouterr().err
    folder = workplace / generate[generate.index("--out") + 1]
    assert (folder / "CMakeLists.txt").is_file()
    assert (folder / "model" / "ecg_codec.h").is_file()


def draw_to_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the monitor draw to nowhere."""
    whole = Monitor.run
    monkeypatch.setattr(Monitor, "run", lambda app: whole(app, headless=True))
    monkeypatch.setattr(sys, "__stderr__", SimpleNamespace(isatty=lambda: True))


@pytest.mark.heavy
@pytest.mark.usefixtures("workplace")
def test_its_commands_for_a_real_board_work(bundle, board, firmware, capsys, monkeypatch) -> None:
    draw_to_nowhere(monkeypatch)
    Path("build/netduino").symlink_to(firmware("netduinoplus2").elf.parents[1])
    np.save("my_record.npy", bundle.manifest.adc_baseline + np.arange(4000, dtype=np.int16) % 200)
    for words in commands("With a real board"):
        given = {"/dev/ttyUSB0": board}
        if words[1] == "generate":
            given = {"build/netduino": "build/fresh"}
        if words[1] == "profile":
            given["build/netduino"] = str(firmware("native").elf.parents[1])
        arguments = [given.get(word, word) for word in words[1:]]
        if words[1] == "monitor":
            arguments += ["--inputs", "2"]
        if "--flash" in arguments:
            arguments = arguments[: arguments.index("--flash")]
        assert run(arguments) == 0, (words, capsys.readouterr().err)
