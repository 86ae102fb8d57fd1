import pytest

from dynadeep.export.errors import ExportError
from dynadeep.export.replace import replaced


def test_a_new_folder_appears_whole(tmp_path):
    out = tmp_path / "deep" / "out"
    with replaced(out, ("a",)) as folder:
        (folder / "a").write_text("new")
        assert not out.exists()
    assert (out / "a").read_text() == "new"
    assert [item.name for item in out.parent.iterdir()] == ["out"]


def test_an_old_folder_is_replaced_with_all_its_files(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "a").write_text("old")
    (out / "b").write_text("old")
    with replaced(out, ("a", "b")) as folder:
        (folder / "a").write_text("new")
    assert [(item.name, item.read_text()) for item in out.iterdir()] == [("a", "new")]


def test_an_error_leaves_the_old_folder_and_nothing_else(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "a").write_text("old")
    with pytest.raises(ZeroDivisionError), replaced(out, ("a",)) as folder:
        (folder / "a").write_text(str(1 // 0))
    assert (out / "a").read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["out"]


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "out").write_text("mine")
    with (
        pytest.raises(ExportError, match="is a file; a bundle is a folder"),
        replaced(tmp_path / "out", ()),
    ):
        pass
