"""The page about the Python API, run as it stands."""

import doctest
from pathlib import Path

from dynadeep.codegen.bundle import Bundle
from tests.caching import ROOT

PAGE = ROOT / "docs" / "api.md"
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def test_every_example_gives_what_the_page_says(
    shipped_bundle: Bundle, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("build").mkdir()
    Path("build/bundle").symlink_to(shipped_bundle.folder)
    text = PAGE.read_text(encoding="utf-8").replace("```", "")
    test = doctest.DocTestParser().get_doctest(text, {}, PAGE.name, str(PAGE), 0)
    assert len(test.examples) >= 15
    output: list[str] = []
    result = doctest.DocTestRunner(optionflags=OPTIONS).run(test, out=output.append)
    assert result.failed == 0, "".join(output)
