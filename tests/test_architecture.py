"""The rules that hold the folders together."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from dynadeep.host_tools import __version__

ROOT = Path(__file__).parents[1]
FOLDERS = ("codegen", "export", "firmware_templates", "host_tools", "train")
C_FOLDERS = ("firmware_templates", "fuzz", "tests")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

# What each folder may import of ours at module level and inside functions. The contracts (errors,
# bundle, numerics) are the files that carry a model from stage to stage; they need numpy alone.
# How files are read and written is one thing for all stages, and so is how a WFDB record is read.
CONTRACTS = {
    "codegen.version",
    "codegen.errors",
    "codegen.files",
    "codegen.lock",
    "codegen.children",
    "codegen.progress",
    "codegen.typed",
    "codegen.arrays",
    "codegen.bundle",
    "codegen.golden",
    "codegen.numerics",
}
# The .tflite as the stage behind the export reads it: its ends, and whether it can run at all.
TFLITE_READER = {"codegen.tflite", "codegen.graph", "codegen.canonical", "codegen.lowering"}
MAY_IMPORT: dict[str, set[str]] = {
    "train": {
        "codegen.version",
        "codegen.arrays",
        "codegen.errors",
        "codegen.files",
        "codegen.markdown",
        "codegen.lock",
        "codegen.progress",
        "codegen.numerics",  # the margins are fitted to the arithmetic of the device
        "codegen.typed",
        "codegen.wfdb_record",
    },
    "export": {"train", *CONTRACTS, *TFLITE_READER},
    "codegen": {"firmware_templates"},
    "firmware_templates": set(),
    "host_tools": {"codegen", "firmware_templates"},
}
# Heavy stages: host_tools reaches them only inside the functions of the commands that need them.
MAY_IMPORT_LAZILY: dict[str, set[str]] = {"host_tools": {"train", "export"}}
# The rooms of host_tools: what each may import of the others. What lies beside the rooms (opening a
# board, building its firmware) stands on the link alone.
STATION = {"boards", "compiled", "errors", "toolchain", "place", "pipeline"}
ROOMS: dict[str, set[str]] = {
    "errors": {"link.protocol"},
    "link": {"errors"},
    "recordings": {"errors"},
    "toolchain": {"errors"},
    "boards": {"errors", "link"},
    "place": {"boards", "errors", "link"},
    "flash": {"boards", "errors", "toolchain"},
    "pipeline": {"errors", "link", "place", "toolchain"},
    "compiled": {"errors"},
    "cycles": {"compiled", "errors"},
    "measure": {"cycles", "link", "recordings", *STATION},
    "codec": {"link", "measure", "recordings", *STATION},
    "cloud": {"codec", "link", "recordings", *STATION},
    "mlperf": {"errors", "link", "measure"},
    "pytest_plugin": {"applications", "link", "measure", "pipeline", "place", "toolchain"},
    "page": {"cycles", "link", "measure", "codec", "recordings", "errors"},
    "applications": {"codec", "measure", "pipeline"},
    "monitor": {"errors", "link", "measure", "codec", "recordings"},
    "study": {"link", "measure", "codec", "page", "recordings", "applications", *STATION},
    "cli": {
        "cloud",
        "link",
        "flash",
        "mlperf",
        "measure",
        "codec",
        "page",
        "monitor",
        "recordings",
        "study",
        "applications",
        *STATION,
    },
}
# Who of them reaches for training's and exporting's code, inside functions.
MAY_TRAIN = {"study", "cli", "cloud"}  # the cloud for the task networks
MAY_EXPORT = {"study", "measure", "cli"}
THE_ONE_DEFINITION = {("codec/distortion.py", "train.metrics")}  # of PRD, which training uses too
HEAVY_PACKAGES = {
    "tensorflow",
    "torch",
    "onnx",
    "onnxruntime",
    "wfdb",
    "pyedflib",
    "scipy",
    "soundfile",
    "safetensors",
    "tflite_micro",
}
CLOUD_PACKAGES = {"pyarrow", "paho", "ray"}
"""What a test station goes without: the room of the cloud alone imports them at the top."""
LIGHT_FOLDERS = ("codegen", "firmware_templates", "host_tools")


def python_files() -> list[Path]:
    return [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


def imports_of(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield (module, whether it is imported at module level)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in top
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield f"{node.module}.{alias.name}", id(node) in top


def is_within(module: str, allowed: set[str]) -> bool:
    return any(module == name or module.startswith(name + ".") for name in allowed)


@pytest.mark.parametrize("path", python_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_direction_of_the_data(path: Path) -> None:
    folder = path.relative_to(ROOT).parts[0]
    for module, at_top in imports_of(path):
        if not module.startswith("dynadeep."):
            continue
        name = module.removeprefix("dynadeep.")
        allowed = {folder} | MAY_IMPORT[folder]
        if not at_top:
            allowed |= MAY_IMPORT_LAZILY.get(folder, set())
        assert is_within(name, allowed), f"{path.relative_to(ROOT)} imports {module}"


def room_of(path: Path) -> str:
    return path.relative_to(ROOT / "host_tools").with_suffix("").parts[0]


@pytest.mark.parametrize(
    "path",
    [path for path in python_files() if ROOT / "host_tools" in path.parents],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_the_rooms_of_the_host_tools_import_one_way(path: Path) -> None:
    room = room_of(path)
    inside = path.relative_to(ROOT / "host_tools").as_posix()
    for module, _ in imports_of(path):
        name = module.removeprefix("dynadeep.")
        if name.startswith("host_tools.") and room != "__init__":
            allowed = {room} | ROOMS[room]
            assert is_within(name.removeprefix("host_tools."), allowed), f"{inside}: {module}"
        if name.startswith("train.") and (inside, name) not in THE_ONE_DEFINITION:
            assert room in MAY_TRAIN, f"{inside}: {module}"
        if name.startswith("export."):
            assert room in MAY_EXPORT, f"{inside}: {module}"


def test_every_room_of_the_host_tools_has_its_rule() -> None:
    found = {room_of(path) for path in python_files() if ROOT / "host_tools" in path.parents}
    assert found - {"__init__"} == set(ROOMS)


def test_a_station_without_the_heavy_packages_can_import_the_harness() -> None:
    for path in python_files():
        if path.relative_to(ROOT).parts[0] in LIGHT_FOLDERS:
            for module, at_top in imports_of(path):
                refused = HEAVY_PACKAGES
                if ROOT / "host_tools" / "cloud" not in path.parents:
                    refused = refused | CLOUD_PACKAGES | {"dynadeep.host_tools.cloud"}
                heavy = is_within(module, refused)
                assert not (at_top and heavy), (
                    f"{path.relative_to(ROOT)} imports {module} at the top"
                )


def test_every_sub_package_is_listed_for_the_wheel() -> None:
    found = {
        "dynadeep." + ".".join(path.parent.relative_to(ROOT).parts)
        for path in python_files()
        if path.name == "__init__.py"
    }
    assert set(PYPROJECT["tool"]["setuptools"]["packages"]) == found


def test_the_type_checkers_namespace_points_at_every_folder() -> None:
    links = {link.name: link.resolve() for link in (ROOT / ".namespace/dynadeep").iterdir()}
    assert links == {folder: ROOT / folder for folder in FOLDERS}


def test_the_changelog_starts_with_the_version() -> None:
    headings = [
        line.split()[1]
        for line in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("## ")
    ]
    assert headings[0] == PYPROJECT["project"]["version"] == __version__


def test_every_package_says_that_it_has_types() -> None:
    for folder in FOLDERS:
        assert (ROOT / folder / "py.typed").is_file()
        data = PYPROJECT["tool"]["setuptools"]["package-data"][f"dynadeep.{folder}"]
        assert "py.typed" in data


WRITERS = {
    "write_text", "write_bytes", "tofile", "touch", "symlink_to", "hardlink_to", "rename",
    "copyfile", "copy2", "copytree", "move", "savez", "savez_compressed", "savetxt", "savefig",
    "save_file", "to_csv", "to_json", "export_text", "wrsamp", "wrann", "dl_database", "extractall",
}  # fmt: skip
"""Calls that write a file. Those of two arguments or more get what ``open_whole`` yields first."""


def writing_calls(path: Path) -> Iterator[str]:
    """Yield each call of a file that writes to a path without ``codegen.files``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    given = {
        item.optional_vars.id
        for node in ast.walk(tree)
        if isinstance(node, ast.With)
        for item in node.items
        if isinstance(item.optional_vars, ast.Name)
        and isinstance(item.context_expr, ast.Call)
        and name_of(item.context_expr) in {"open_whole", "path_whole", "written_whole"}
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = name_of(node)
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        if any(isinstance(one, ast.Name) and one.id in given for one in arguments):
            continue
        modes = [one.value for one in arguments if isinstance(one, ast.Constant)]
        opens = name == "open" and any(
            isinstance(mode, str) and set("wax+") & set(mode) and set(mode) <= set("rwaxbt+")
            for mode in modes
        )
        dumps = name == "dump" or (name == "save" and ast.unparse(node.func) in SAVES)
        if opens or dumps or name in WRITERS:
            yield f"{path.relative_to(ROOT)}:{node.lineno} {ast.unparse(node.func)}"


SAVES = {"np.save", "torch.save", "onnx.save", "fabric.save", "safetensors.torch.save_file"}


def name_of(call: ast.Call) -> str:
    """Return what is called, without the object or module that has it."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


INTO_A_WHOLE_FOLDER = ("host_tools/cloud/records.py:", " wfdb.wrsamp")
"""Writes two files by itself, into a folder that its caller writes whole."""


def test_every_file_is_written_whole() -> None:
    writer = ROOT / "codegen" / "files.py"
    found = [call for path in python_files() if path != writer for call in writing_calls(path)]
    begin, end = INTO_A_WHOLE_FOLDER
    assert [call for call in found if not (call.startswith(begin) and call.endswith(end))] == []


@pytest.mark.parametrize(
    "line",
    [
        "path.write_text('x')", "path.write_bytes(b'x')", "open(path, 'w')", "path.open('ab')",
        "np.save(path, array)", "json.dump(data, file)", "figure.savefig(path)",
        "safetensors.torch.save_file(tensors, path)", "shutil.copyfile(a, b)",
        "path.open(mode='r+b')", "a.rename(b)",
    ],
)  # fmt: skip
def test_a_file_that_is_written_in_place_is_found(line: str, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    (tmp_path / "module.py").write_text(line + "\n")
    assert list(writing_calls(tmp_path / "module.py"))


PARSERS = {"json.loads", "json.load", "tomllib.loads", "tomllib.load", "np.load", "np.genfromtxt"}
ONE_PLACE = {
    "codegen/typed.py",
    "codegen/arrays.py",
    "codegen/emit.py",  # what it has itself just written
    "train/cache.py",  # the same
    "train/resume.py",  # the header of bytes that were read bounded
    "host_tools/recordings/numpy_format.py",  # maps recordings of any size
}


def test_files_from_outside_are_parsed_in_one_place() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno} {ast.unparse(node.func)}"
        for path in python_files()
        if path.relative_to(ROOT).as_posix() not in ONE_PLACE
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in PARSERS
    ]
    assert found == []


def test_nothing_unpickles_or_runs_a_file() -> None:
    banned = ("pickle", "joblib", "dill", "marshal", "shelve")
    for path in python_files():
        text = path.read_text(encoding="utf-8")
        assert "allow_pickle=True" not in text, path
        assert "weights_only=False" not in text, path
        for module, _ in imports_of(path):
            assert module.split(".")[0] not in banned, path


def test_the_c_has_the_format_that_make_format_gives_it() -> None:
    sources = [path for top in C_FOLDERS for path in sorted((ROOT / top).rglob("*.[ch]"))]
    tool = Path(sys.executable).parent / "clang-format"
    done = subprocess.run(
        [tool, "--dry-run", "--Werror", *sources], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"run `make format`\n{done.stderr}"
