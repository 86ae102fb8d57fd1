"""Every command, option and board that a page names exists."""

import re
import shlex
from itertools import pairwise
from typing import Any

import pytest
import typer

from dynadeep.codegen.board import board_names
from dynadeep.host_tools.cli import make_app

from .pages import blocks, page
from .test_links import ROOT, documents

GROUP: Any = typer.main.get_command(make_app())
COMMANDS = GROUP.commands
PAGES = [path.relative_to(ROOT).as_posix() for path in documents()]


def command_lines(text: str) -> list[list[str]]:
    """Return the words of each `dynadeep ...` in code, without comments."""
    spans = re.findall(r"`(dynadeep [^`]+)`", text)
    lines = [line for block in blocks(text) for line in block.splitlines()]
    spans += [line for line in lines if line.startswith("dynadeep ")]
    return [shlex.split(span, comments=True)[1:] for span in spans]


def found(words: list[str]) -> tuple[Any, list[str]]:
    """Return the command that a line names, and what follows its name of one or two words."""
    command = COMMANDS[words[0]]
    if hasattr(command, "commands") and words[1] in command.commands:
        return command.commands[words[1]], words[2:]
    return command, words[1:]


def options_of(command: Any) -> set[str]:
    return {name for parameter in command.params for name in (*parameter.opts, "--help")}


@pytest.mark.parametrize("name", PAGES)
def test_the_commands_and_options_of_a_page_exist(name: str) -> None:
    for words in command_lines(page(name)):
        if words[0].startswith("-"):
            known, options = options_of(GROUP), words
        else:
            assert words[0] in COMMANDS, words
            command, options = found(words)
            known = options_of(command)
        used = {word.split("=")[0] for word in options if word.startswith("--")}
        assert used <= known, (words, used - known)


def test_whole_command_lines_of_the_readme_are_accepted() -> None:
    """Each is parsed as it stands: nothing is missing, nothing has the wrong type."""
    lines = [words for words in command_lines(page("README.md")) if len(words) > 1]
    assert len(lines) > 5
    for words in lines:
        if not words[0].startswith("-") and words[1] != "--help":
            command, rest = found(words)
            command.make_context(words[0], rest)


def test_the_boards_of_a_page_exist() -> None:
    known = {*board_names(), "_template"}
    for name in PAGES:
        for words in command_lines(page(name)):
            for option, value in pairwise(words):
                if option in ("--board", "--flash"):
                    assert value in known, words
        assert set(re.findall(r"\bBOARD=([\w-]+)", page(name))) <= known | {"name"}


def test_the_make_targets_of_a_page_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([\w-]+):", makefile, re.MULTILINE))
    for name in PAGES:
        text = page(name)
        used = re.findall(r"`make ([a-z-]+)", text)
        used += [one for block in blocks(text) for one in re.findall(r"^make (\S+)", block, re.M)]
        assert set(used) <= targets, name
