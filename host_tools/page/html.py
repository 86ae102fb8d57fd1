"""report.html: one file without network, made of the page's parts by Jinja2."""

import base64
import hashlib
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources

from jinja2 import Environment, FunctionLoader, StrictUndefined

from dynadeep.host_tools.page.compare import Comparison
from dynadeep.host_tools.page.document import Document
from dynadeep.host_tools.page.sheet import page_of
from dynadeep.host_tools.page.text import printable

TEMPLATE, STYLE, SCRIPT = "page.html.j2", "page.css", "page.js"


def html_of(reports: Sequence[Document], comparisons: Sequence[Comparison] = ()) -> str:
    """Return a report as a page, or several as a benchmark's.

    Whatever a model or a file calls itself is escaped; the page's policy forbids any other script
    than its own, and everything from elsewhere.
    """
    script = _look_file(SCRIPT)
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    return (
        _environment()
        .get_template(TEMPLATE)
        .render(
            page=page_of(reports, comparisons),
            style=_look_file(STYLE),
            script=script,
            digest=digest,
        )
    )


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(_look_file),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: printable(value) if type(value) is str else value,
    )


def _look_file(name: str) -> str:
    folder = resources.files("dynadeep.host_tools.page") / "look"
    return (folder / name).read_text(encoding="utf-8")
