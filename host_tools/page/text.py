"""Text from models and files as it may be shown: no control characters, no broken Unicode."""

import unicodedata

UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Controls, invisible and turning marks, half surrogates, private and unassigned characters, and
line ends: a terminal, a page or a table may take them for orders."""


def printable(text: str) -> str:
    """Return text in which what cannot be shown safely is the replacement character."""
    return "".join(_shown(character) for character in text)


def one_line(text: str) -> str:
    """Return text on one line; see ``printable``."""
    return printable(" ".join(text.split()))


def _shown(character: str) -> str:
    if character == "\n":
        return character
    return "\N{REPLACEMENT CHARACTER}" if unicodedata.category(character) in UNSAFE else character
