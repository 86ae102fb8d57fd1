"""Writing a project: the same bytes everywhere, all or nothing, and never over somebody's work."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dynadeep.codegen import emit
from dynadeep.codegen.board import board_names, load_board
from dynadeep.codegen.bundle import (
    BUNDLE_FILES,
    ENCODER_TFLITE,
    MANIFEST,
    Bundle,
    read_bundle,
    sha256_of,
    write_manifest,
)
from dynadeep.codegen.emit import project_files, write_project
from dynadeep.codegen.errors import BundleError, OutputError, ProjectError
from dynadeep.codegen.files import write_whole
from dynadeep.codegen.generate import generate
from dynadeep.codegen.plan import Plan, make_plan
from dynadeep.codegen.project import read_whole_project

from .models import manifest_for, small_encoder

GENERATE = """
import sys
from pathlib import Path
from dynadeep.codegen.board import load_board
from dynadeep.codegen.bundle import read_bundle
from dynadeep.codegen.generate import generate
generate(read_bundle(Path(sys.argv[1])), load_board(sys.argv[2]), Path(sys.argv[3]))
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("bundle")
    net = small_encoder()
    content = net.model.build()
    for name in BUNDLE_FILES:
        (folder / name).write_bytes(content if name == ENCODER_TFLITE else b"not looked at")
    manifest = manifest_for(net, content)
    manifest.files.update({name: sha256_of(folder / name) for name in BUNDLE_FILES})
    write_manifest(folder, manifest)
    return read_bundle(folder)


@pytest.fixture(scope="module")
def plan(bundle: Bundle) -> Plan:
    return make_plan(bundle)


def content_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("seed", ["0", "1", "4711"])
def test_every_process_writes_the_same_bytes(bundle: Bundle, tmp_path: Path, seed: str) -> None:
    generate(bundle, load_board("mps2-an386"), tmp_path / "here")
    elsewhere = tmp_path / "else" / "where"
    elsewhere.mkdir(parents=True)
    environment = {
        **os.environ,
        "PYTHONHASHSEED": seed,
        "LC_ALL": "C",
        "TZ": "Pacific/Chatham",
        "USER": "somebody",
        "HOME": str(elsewhere),
    }
    arguments = [str(bundle.folder), "mps2-an386", "out"]
    subprocess.run(
        [sys.executable, "-c", GENERATE, *arguments], cwd=elsewhere, env=environment, check=True
    )
    assert content_of(elsewhere / "out") == content_of(tmp_path / "here")


def test_no_path_user_or_host_gets_into_the_files(bundle: Bundle, tmp_path: Path) -> None:
    generate(bundle, load_board("native"), tmp_path / "out")
    for name, content in content_of(tmp_path / "out").items():
        for private in (str(tmp_path), str(bundle.folder), os.uname().nodename):
            word = rb"(?<!\w)" + re.escape(private.encode()) + rb"(?!\w)"
            assert re.search(word, content) is None, name


def test_lines_end_as_on_unix(bundle: Bundle, plan: Plan) -> None:
    for name, content in project_files(plan, load_board("netduinoplus2")).items():
        assert b"\r" not in content, name
        assert content.endswith(b"\n"), name


def test_the_manifest_lists_every_other_file_with_its_hash(bundle: Bundle, tmp_path: Path) -> None:
    generate(bundle, load_board("mps2-an386"), tmp_path / "out")
    files = content_of(tmp_path / "out")
    manifest = json.loads(files.pop("manifest.json"))
    assert manifest["files"] == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items()
    }
    assert manifest["model_id"] == bundle.manifest.model_id
    assert manifest["board"] == "mps2-an386"


@pytest.mark.parametrize("name", board_names())
def test_each_board_gets_what_its_build_needs(plan: Plan, name: str) -> None:
    board = load_board(name)
    files = project_files(plan, board)
    assert {"CMakeLists.txt", "board/board.toml", "board/board_config.h"} <= set(files)
    assert ("board/board.c" in files) != ("app/board_plain.c" in files)
    assert ("toolchain.cmake" in files) == board.cortex_m
    assert ("toolchain-clang.cmake" in files) == board.cortex_m
    assert ("board/linker.ld" in files) == board.cortex_m
    assert not any(file.endswith((".j2", ".py")) for file in files)
    drivers = {"uart": board.uart and board.uart.driver, "counter": board.counter.driver}
    for driver in [f"app/{kind}_{name}.c" for kind, name in drivers.items() if name]:
        assert driver in files
        assert driver in files["CMakeLists.txt"].decode()


def test_without_a_board_there_is_only_the_model_and_its_runtime(plan: Plan) -> None:
    files = project_files(plan, None)
    assert {name.split("/")[0] for name in files} == {
        "model",
        "runtime",
        "CMakeLists.txt",
        "manifest.json",
    }


def test_another_board_replaces_the_kits_files_and_keeps_the_users(
    bundle: Bundle, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    generate(bundle, load_board("mps2-an386"), out)
    for name in ("model/mine.c", "notes.txt", "build/firmware.elf"):
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_text("mine", encoding="utf-8")
    generate(bundle, load_board("native"), out)
    content = content_of(out)
    kept = {name: content.pop(name) for name in ("model/mine.c", "notes.txt", "build/firmware.elf")}
    assert set(kept.values()) == {b"mine"}
    generate(bundle, load_board("native"), tmp_path / "fresh")
    assert content == content_of(tmp_path / "fresh")


def test_a_project_that_is_current_is_not_touched(bundle: Bundle, tmp_path: Path) -> None:
    out = tmp_path / "out"
    generate(bundle, load_board("native"), out)
    (out / "build").mkdir()
    before = (out / "model/model_net.c").stat().st_mtime_ns
    generate(bundle, load_board("native"), out)
    assert (out / "build").is_dir()
    assert (out / "model/model_net.c").stat().st_mtime_ns == before


@pytest.mark.parametrize("board", ["native", "mps2-an386"])
def test_edited_files_are_refused_by_name_and_kept(
    bundle: Bundle, tmp_path: Path, board: str
) -> None:
    out = tmp_path / "out"
    generate(bundle, load_board("mps2-an386"), out)
    for name in ("app/main.c", "toolchain.cmake"):  # native needs no toolchain file
        (out / name).write_text("edited\n", encoding="utf-8")
    before = content_of(out)
    with pytest.raises(OutputError, match=r"app/main\.c, toolchain\.cmake changed .*--force"):
        generate(bundle, load_board(board), out)
    assert content_of(out) == before


def test_edited_files_are_put_right_by_force(bundle: Bundle, tmp_path: Path) -> None:
    out = tmp_path / "out"
    generate(bundle, load_board("native"), out)
    expected = content_of(out)
    (out / "model/model_net.c").write_text("/* gone */\n", encoding="utf-8")
    generate(bundle, load_board("native"), out, force=True)
    assert content_of(out) == expected


def test_a_file_of_the_users_in_the_way_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    out = tmp_path / "out"
    generate(bundle, None, out)
    (out / "app").mkdir()
    (out / "app/main.c").write_text("int main(void);\n", encoding="utf-8")
    with pytest.raises(OutputError, match=r"app/main\.c changed"):
        generate(bundle, load_board("native"), out)
    assert (out / "app/main.c").read_text() == "int main(void);\n"


def test_a_missing_file_is_written_again(bundle: Bundle, tmp_path: Path) -> None:
    out = tmp_path / "out"
    generate(bundle, load_board("native"), out)
    expected = content_of(out)
    (out / "model/model_net.c").unlink()
    generate(bundle, load_board("native"), out)
    assert content_of(out) == expected


def test_an_interrupted_generation_says_so_and_is_completed(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    generate(bundle, load_board("mps2-an386"), out)
    left = 5

    def interrupted(path: Path, content: bytes | str) -> Path:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt
        return write_whole(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(emit, "write_whole", interrupted)
        with pytest.raises(KeyboardInterrupt):
            generate(bundle, load_board("microbit"), out)
    with pytest.raises(ProjectError, match="its generation was interrupted"):
        read_whole_project(out)
    generate(bundle, load_board("native"), out)  # neither the old nor the new files are edits
    generate(bundle, load_board("native"), tmp_path / "fresh")
    assert content_of(out) == content_of(tmp_path / "fresh")


def test_somebody_elses_folder_is_never_replaced(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work", encoding="utf-8")
    with pytest.raises(OutputError, match="exists and is not a generated project"):
        write_project(project_files(plan, None), tmp_path)
    assert (tmp_path / "thesis.tex").exists()


def test_a_bundle_is_not_mistaken_for_a_project(bundle: Bundle, plan: Plan) -> None:
    with pytest.raises(OutputError, match="is not a generated project"):
        write_project(project_files(plan, None), bundle.folder)


def test_an_empty_folder_is_filled(plan: Plan, tmp_path: Path) -> None:
    write_project(project_files(plan, None), tmp_path / ".")
    assert (tmp_path / "model/model_codec.h").is_file()


def test_a_file_in_the_way_is_one_clear_error(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match="cannot be written"):
        write_project(project_files(plan, None), tmp_path / "file" / "out")


def test_nothing_is_left_beside_the_project(plan: Plan, tmp_path: Path) -> None:
    write_project(project_files(plan, None), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_truncated_model_in_a_bundle_is_refused_by_its_hash(
    bundle: Bundle, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in (*BUNDLE_FILES, MANIFEST):
        (copy / name).write_bytes(bundle.path(name).read_bytes())
    (copy / ENCODER_TFLITE).write_bytes(bundle.path(ENCODER_TFLITE).read_bytes()[:1000])
    with pytest.raises(BundleError, match=r"encoder\.tflite: SHA-256 is"):
        read_bundle(copy)
