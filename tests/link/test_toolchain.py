import shutil
from pathlib import Path
from types import ModuleType

import pytest

from dynadeep.codegen.errors import MissingDependencyError
from dynadeep.host_tools import toolchain
from dynadeep.host_tools.errors import BuildError
from dynadeep.host_tools.toolchain import Firmware, build, first_complaint

ARM = 40
"""An ELF file's machine."""


@pytest.fixture
def project(toy: ModuleType, tmp_path: Path) -> Path:
    folder: Path = toy.make_project("native", tmp_path / "toy")
    return folder


def test_a_compiler_error_is_told_by_its_first_line(project: Path) -> None:
    with (project / "model" / "model.c").open("a") as file:
        file.write("int broken = nowhere;\nint more = nowhere;\n")
    with pytest.raises(BuildError, match=r"model\.c:\d+:\d+: error: .*nowhere.* Log: \S+build.log"):
        build(project)


def test_a_warning_fails_the_build(project: Path) -> None:
    with (project / "model" / "model.c").open("a") as file:
        file.write("int narrow(long wide);\nint narrow(long wide) { return wide; }\n")
    with pytest.raises(BuildError, match="Werror=conversion"):
        build(project)


def test_firmware_that_does_not_fit_says_by_how_much(toy: ModuleType, tmp_path: Path) -> None:
    project = toy.make_project("mps2-an386", tmp_path / "toy")
    script = project / "board" / "linker.ld"
    script.write_text(
        script.read_text().replace("0x20000000, LENGTH = 4194304", "0x20000000, LENGTH = 8192")
    )
    with pytest.raises(BuildError, match=r"region `RAM' overflowed by [0-9]+ bytes"):
        build(project)


def test_a_model_with_a_variable_is_refused_by_the_linker(toy: ModuleType, tmp_path: Path) -> None:
    project = toy.make_project("mps2-an386", tmp_path / "toy")
    source = project / "model" / "model.c"
    text = source.read_text().replace("static const int8_t weights[5]", "static int8_t weights[5]")
    source.write_text(text)
    with pytest.raises(BuildError, match="it must be constant"):
        build(project)


def test_a_project_generated_again_for_another_compiler_builds_afresh(
    toy: ModuleType, tmp_path: Path
) -> None:
    for board in ("mps2-an386", "native", "microbit"):
        project = toy.make_project(board, tmp_path / "new")
        if (tmp_path / "toy").is_dir():  # the build folder of the board before
            shutil.move(tmp_path / "toy" / "build", project / "build")
            shutil.rmtree(tmp_path / "toy")
        project = project.rename(tmp_path / "toy")
        firmware = build(project)
        machine = int.from_bytes(firmware.elf.read_bytes()[18:20], "little")
        assert (machine == ARM) == (board != "native")
        assert (firmware.bin is None) == (board == "native")


def test_a_project_that_was_moved_builds_where_it_is(project: Path, tmp_path: Path) -> None:
    build(project)
    moved = shutil.copytree(project, tmp_path / "elsewhere")
    shutil.rmtree(project)
    assert build(moved).elf.is_file()


def test_a_folder_that_is_no_project_is_a_clear_line(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"has no CMakeLists.txt. Generate the project first"):
        build(tmp_path)


@pytest.mark.parametrize("program", ["cmake", "arm-none-eabi-gcc"])
def test_a_missing_program_is_a_line_that_names_its_package(
    toy: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    project = toy.make_project("mps2-an386", tmp_path / "toy")
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == program else which(name))
    package = toolchain.PACKAGES[program].split()[0]
    with pytest.raises(MissingDependencyError, match=f"{program}: not installed.*{package}"):
        build(project)


def test_the_flasher_gets_the_image_and_its_failure_is_told(tmp_path: Path) -> None:
    firmware = Firmware(
        tmp_path / "a.elf", tmp_path / "a.bin", tmp_path / "a.map", tmp_path / "log"
    )
    toolchain.flash(firmware, "echo", ["{{elf}}", "{0.__class__}", "write", "{bin}"])
    assert f"{{{tmp_path / 'a.elf'}}}" in firmware.log.read_text()  # as Tcl quotes a path
    assert f"write {tmp_path / 'a.bin'}" in firmware.log.read_text()
    with pytest.raises(BuildError, match="sh failed: no device found"):
        toolchain.flash(firmware, "sh", ["-c", "echo no device found; exit 1"])


@pytest.mark.parametrize(
    ("output", "complaint"),
    [
        ("[1/2] cc\na.c:3:1: error: expected ';'\nmore", "a.c:3:1: error: expected ';'."),
        ("x.o: undefined reference to `f'\n", "x.o: undefined reference to `f'."),
        (
            "CMake Error at CMakeLists.txt:3:\n  no such\n",
            "CMake Error at CMakeLists.txt:3: no such.",
        ),
        ("", "it said nothing."),
    ],
)
def test_the_first_complaint_is_found(output: str, complaint: str) -> None:
    assert first_complaint(output) == complaint


@pytest.mark.heavy
def test_sources_build_to_the_same_bytes_in_any_folder(toy: ModuleType, tmp_path: Path) -> None:
    images = []
    for folder in ("here", "a/longer/path/there"):
        firmware = build(toy.make_project("mps2-an386", tmp_path / folder))
        assert firmware.bin is not None
        images.append(firmware.bin.read_bytes())
    assert images[0] == images[1]


ODD = "it's (50 %) R&D, $HOME ~ #1"


@pytest.mark.heavy
@pytest.mark.parametrize(
    "where", [("native", "Ninja", ODD), ("mps2-an386", "Ninja", ODD),
              ("mps2-an386", "Unix Makefiles", "it's (50) R&D, x")],
)  # fmt: skip
def test_a_folder_of_any_name_builds_to_the_same_bytes(
    toy: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: tuple[str, str, str]
) -> None:
    board, generator, name = where
    monkeypatch.setattr(toolchain, "_generator", lambda _: ["-G", generator])
    plain, odd = (build(toy.make_project(board, tmp_path / each)) for each in ("plain", name))
    assert odd.map.is_file()
    if board == "native":
        assert name.encode() not in odd.elf.read_bytes()
    else:
        assert odd.bin is not None
        assert plain.bin is not None
        assert odd.bin.read_bytes() == plain.bin.read_bytes()


@pytest.mark.parametrize("letter", "$#%=~")
def test_what_makefiles_cannot_have_in_a_path_is_refused_by_name(
    toy: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, letter: str
) -> None:
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "ninja" else which(name))
    project = tmp_path / f"a{letter}b"
    project.mkdir()
    (project / "CMakeLists.txt").touch()
    with pytest.raises(BuildError, match="apt-get install ninja-build"):
        build(project)
