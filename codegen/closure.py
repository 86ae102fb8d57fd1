"""Which of the kit's C files a project needs: those that its own sources lead to, and no more."""

import re
from collections.abc import Iterable, Mapping

from dynadeep.codegen.kernels import KERNELS
from dynadeep.codegen.plan import Plan

INCLUDE = re.compile(rb'^#include "(\w+\.h)"', re.MULTILINE)
ALWAYS = "dd_quantize.h"
"""For the user's own code: nothing includes it."""


def needed(roots: Iterable[bytes], files: Mapping[str, bytes], left_out: set[str]) -> set[str]:
    """Return the names of the files that some sources need.

    A header is needed where it is included; a C file where the header is that it implements: the
    one of its own name, else the first that it includes.

    Args:
        roots: the sources.
        files: what there is, by name.
        left_out: C files that are not wanted, though their header is.
    """
    implements: dict[str, list[str]] = {}
    for name, content in files.items():
        if name.endswith(".c") and name not in left_out:
            implements.setdefault(_header_of(name, content, files), []).append(name)
    names: set[str] = set()
    pending = list(roots)
    while pending:
        for header in (match.decode() for match in INCLUDE.findall(pending.pop())):
            new = {header, *implements.get(header, ())} & files.keys() - names
            names |= new
            pending += [files[name] for name in new]
    return names


def _header_of(name: str, content: bytes, files: Mapping[str, bytes]) -> str:
    own = f"{name.removesuffix('.c')}.h"
    if own in files:
        return own
    first = INCLUDE.search(content)
    return "" if first is None else first[1].decode()


def alternatives_to(plan: Plan) -> set[str]:
    """Return the C files of the runtime that a plan's engine and kernels are an alternative to."""
    other_engine = "layers" if plan.choice.engine == "stream" else "stream"
    stems = ("dd_dot", "dd_depthwise")
    other_kernels = [name for name in KERNELS if name != plan.choice.kernels.name]
    sets = {f"{stem}_{name}.c" for stem in stems for name in other_kernels}
    return {f"dd_{other_engine}.c", *sets}
