"""Which layer makes a stream keep how much of a tensor, in words."""

from collections.abc import Iterator

from dynadeep.codegen.running import State
from dynadeep.codegen.schedule import Line, Schedule, Stage

LEAST_SHARE = 0.05
"""Of all lines together: what is less is not worth a word."""

ROLLING_STEPS = 8
"""Steps that a line holds besides the window of its reader, about: those of a tile or two."""

WIDE = 4
"""A window that is worth a word holds at least this part of its tensor."""

MOST_LINES = 4


def long_lines(schedule: Schedule) -> list[str]:
    """Return a sentence for each line that holds much more than a window, the largest first."""
    sentences = sorted(_sentences(schedule), key=lambda entry: -entry[0])
    least = LEAST_SHARE * schedule.size
    return [why for size, why in sentences[:MOST_LINES] if size >= least]


def _sentences(schedule: Schedule) -> Iterator[tuple[int, str]]:
    stages = [(stage, number) for stage in schedule.stages for number in range(len(stage.sources))]
    for line in schedule.lines:
        why = _why(line, [stages[reader] for reader in line.readers])
        if why:
            yield line.size, f"{why} {_amount(line)}"


def _amount(line: Line) -> str:
    return f"{line.steps} x {line.tensor.channels} = {line.size:,} B of {line.tensor.name}"


def _why(line: Line, readers: list[tuple[Stage, int]]) -> str:
    """Return who keeps a line, or nothing if it holds but a window."""
    if isinstance(line.tensor, State) or line.steps <= ROLLING_STEPS:
        return ""
    if line.kept:
        return "the output keeps"
    stage, number = max(readers, key=lambda reader: reader[0].sources[reader[1]].window.kernel)
    window = stage.sources[number].window
    if line.steps <= window.kernel + ROLLING_STEPS:
        wide = window.kernel > ROLLING_STEPS and WIDE * window.kernel >= line.tensor.time
        return f"{stage.layer.name} ({stage.layer.words}) keeps" if wide else ""
    waiting = next((joining for joining, _ in readers if len(joining.sources) > 1), stage)
    return f"{waiting.layer.name} ({waiting.layer.words}) waits for its other input with"
