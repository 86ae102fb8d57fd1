import errno
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dynadeep.codegen import files

KILLER = Path(__file__).with_name("kill_writer.py")


def kills(path: Path, what: str) -> list[tuple[bool, dict[str, str]]]:
    command = [sys.executable, str(KILLER), str(path), what]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    return [(killed, left) for killed, left in json.loads(result.stdout)]


def test_sigkill_at_any_line_leaves_the_old_file_or_the_new_one(tmp_path):
    outcomes = kills(tmp_path / "in" / "file.json", "file")
    assert len(outcomes) > 20
    assert all(left in ({"": "old"}, {"": "new"}) for _, left in outcomes)
    assert outcomes[0] == (True, {"": "old"})
    assert outcomes[-1] == (False, {"": "new"})


def test_sigkill_at_any_line_leaves_the_old_folder_or_the_new_one(tmp_path):
    outcomes = kills(tmp_path / "in" / "folder", "folder")
    assert len(outcomes) > 50
    old, new = {"old.txt": "old"}, {"new.txt": "new"}
    assert all(left in (old, new) for _, left in outcomes)
    assert outcomes[0] == (True, old)
    assert outcomes[-1] == (False, new)


def test_sigkill_while_a_large_file_is_written_leaves_the_old_one(tmp_path):
    path = tmp_path / "large.bin"
    path.write_bytes(b"old")
    program = (
        "import sys; from pathlib import Path; from dynadeep.codegen import files\n"
        "print(flush=True)\n"
        "with files.open_whole(Path(sys.argv[1])) as file:\n"
        "    while True: file.write(bytes(1 << 20)); print(flush=True)\n"
    )
    command = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        for _ in range(8):
            child.stdout.readline()
        child.kill()
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 2


def test_remains_of_a_killed_command_go_once_they_are_old(tmp_path):
    old, fresh, foreign = (
        tmp_path / name
        for name in (".a.dynadeep-01234567.json", ".a.dynadeep-76543210.json", ".a.mine-0123.json")
    )
    folder = tmp_path / ".b.dynadeep-01234567"
    folder.mkdir()
    (folder / "c").write_text("left")
    for path in (old, fresh, foreign):
        path.write_text("left")
    for path in (old, foreign, folder):
        os.utime(path, (0, 0))
    files.write_whole(tmp_path / "d", "new")
    assert {path.name for path in tmp_path.iterdir()} == {fresh.name, foreign.name, "d"}


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    files.write_whole(path, "old")
    with pytest.raises(ZeroDivisionError), files.open_whole(path) as file:
        file.write(b"new" * (1 // 0))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupt_leaves_the_old_folder_and_nothing_else(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "a").write_text("old")

    def interrupted(folder: Path) -> None:
        (folder / "a").write_text("new")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), files.write_folder_whole(out) as folder:
        interrupted(folder)
    assert (out / "a").read_text() == "old"
    assert list(tmp_path.iterdir()) == [out]


def test_a_folder_is_replaced_where_the_system_cannot_exchange_two(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_exchange", lambda *_: False)
    for text in ("old", "new"):
        with files.write_folder_whole(tmp_path / "out") as folder:
            (folder / text).write_text(text)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["new"]


def test_the_old_folder_is_never_cleared_away_where_a_kill_came_between_two_renames(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(files, "_exchange", lambda *_: False)
    out = tmp_path / "out"
    out.mkdir()
    (out / "a").write_text("old")
    rename = Path.rename

    def killed(path: Path, target: Path) -> Path:
        if path != out:
            raise SystemExit  # as a kill: nothing of the writer's own runs any more
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", killed)
    with pytest.raises(SystemExit), files.write_folder_whole(out) as folder:
        (folder / "a").write_text("new")
    monkeypatch.undo()
    (left,) = tmp_path.iterdir()
    os.utime(left, (0, 0))
    files._remove_remains.cache_clear()
    files.write_whole(tmp_path / "b", "later")
    assert (left / "a").read_text() == "old"


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_permissions_are_those_of_the_umask(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        path = files.write_whole(tmp_path / "file", "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_missing_folders_are_made_and_line_ends_kept(tmp_path):
    path = files.write_whole(tmp_path / "a" / "b", "ä\r\n\n")
    assert path.read_bytes() == "ä\r\n\n".encode()


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "there").write_text("old")
    (tmp_path / "link").symlink_to("there")
    files.write_whole(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there").read_text() == "new"


def test_a_device_is_written_to_not_replaced(tmp_path):
    assert files.write_whole(Path(os.devnull), "x").is_char_device()
    command = "from pathlib import Path; from dynadeep.codegen import files; "
    command += "files.write_whole(Path('/dev/stdout'), 'said')"
    out = tmp_path / "out"
    with out.open("wb") as file:
        subprocess.run([sys.executable, "-c", command], check=True, stdout=file)
    assert out.read_text() == "said"


def test_a_full_disk_is_told_of_the_file_that_was_asked_for(tmp_path):
    path = tmp_path / "file"
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(OSError, match="No space left") as caught, files.open_whole(path):
        raise full
    assert caught.value.filename == str(path)


def test_a_folder_in_the_way_and_one_that_is_a_file_are_refused_by_name(tmp_path):
    with pytest.raises(IsADirectoryError) as caught:
        files.write_whole(tmp_path, "x")
    assert caught.value.filename == str(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"exists|Not a directory") as caught:
        files.write_whole(tmp_path / "file" / "below", "x")
    assert Path(caught.value.filename) in {tmp_path / "file", tmp_path / "file" / "below"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anything")
def test_a_file_that_must_not_be_written_is_not_replaced(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o444)
    with pytest.raises(PermissionError):
        files.write_whole(path, "new")
    assert path.read_text() == "old"
