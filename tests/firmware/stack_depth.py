"""The deepest stack of the runtime, by the call graphs that gcc writes (-fcallgraph-info=su).

Calls through pointers go one level down: from the library's functions to an engine, from an engine
to a kernel, which calls none.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

INDIRECT = "__indirect_call"
ENGINES = ("dd_stream.c:", "dd_layers.c:")
NODE = re.compile(r'node: \{ title: "([^"]+)" label: "[^"]*?(\d+) bytes \((\w+)\)')
EDGE = re.compile(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')


@dataclass(frozen=True)
class Calls:
    """Every function's frame, and whom it calls."""

    frames: Mapping[str, int]
    callees: Mapping[str, tuple[str, ...]]


def read_calls(reports: Iterable[Path]) -> Calls:
    """Read the .ci files of all objects; no frame may depend on what is computed."""
    frames: dict[str, int] = {}
    callees: dict[str, list[str]] = {}
    for report in reports:
        for line in report.read_text(encoding="utf-8").splitlines():
            if node := NODE.match(line):
                assert node[3] == "static", line
                frames[node[1]] = int(node[2])
            elif edge := EDGE.match(line):
                callees.setdefault(edge[1], []).append(edge[2])
    return Calls(frames, {caller: tuple(called) for caller, called in callees.items()})


def deepest(calls: Calls) -> int:
    """Return the bytes of the deepest chain of calls, the C library's own not counted."""
    kernels = [name for name in calls.frames if name.endswith("_s8")]
    engines = [name for name in calls.frames if any(part in name for part in ENGINES)]
    kernel = _deepest_of(calls, kernels, 0)
    engine = _deepest_of(calls, [*engines, "dd_stage_traced"], kernel)
    return _deepest_of(calls, calls.frames, engine)


def _deepest_of(calls: Calls, names: Iterable[str], indirect: int) -> int:
    @cache
    def depth(name: str) -> int:
        if name == INDIRECT:
            return indirect
        below = (depth(called) for called in calls.callees.get(name, ()))
        return calls.frames.get(name, 0) + max(below, default=0)

    return max(depth(name) for name in names)
