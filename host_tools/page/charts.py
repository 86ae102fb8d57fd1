"""Geometry: values to places in a drawing. The templates draw what comes out of here."""

import math
from collections.abc import Sequence

from dynadeep.host_tools.page.document import Network, Values
from dynadeep.host_tools.page.view import Box, Line, Map, Part, Plot, Stack, Tick, size

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 1000, 64, 8, 12, 36
PLOT_HEIGHT, MAP_HEIGHT = 220, 320
LABEL_WIDTH, LABEL_HEIGHT = 7.2, 13
"""Room that a letter takes in a box, and a line of them."""

TONES = 8
"""Colours that follow each other."""


def plot_of(
    title: str,
    description: str,
    reference: tuple[str, Sequence[float]],
    result: tuple[str, Sequence[float]],
    *,
    start: float,
    step: float,
    x_label: str,
    y_label: str,
    mark: tuple[float, str] | None = None,
) -> Plot:
    """Draw a result over its reference, both sampled at ``start``, ``start + step``, ..."""
    values = [*reference[1], *result[1]]
    low, high = _widened(min(values), max(values))
    end = start + step * max(len(reference[1]) - 1, 1)

    def x_of(value: float) -> float:
        return LEFT + (value - start) / (end - start) * (WIDTH - LEFT - RIGHT)

    def y_of(value: float) -> float:
        return TOP + (high - value) / (high - low) * (PLOT_HEIGHT - TOP - BOTTOM)

    def path(series: Sequence[float]) -> str:
        places = (
            f"{x_of(start + step * number):.1f} {y_of(value):.1f}"
            for number, value in enumerate(series)
        )
        return "M" + "L".join(places)

    return Plot(
        title,
        description,
        (
            Line(reference[0], "reference", path(reference[1])),
            Line(result[0], "result", path(result[1])),
        ),
        x=tuple(Tick(x_of(value), text) for value, text in ticks(start, end, 10)),
        y=tuple(Tick(y_of(value), text) for value, text in ticks(low, high, 4)),
        x_label=x_label,
        y_label=y_label,
        mark=None if mark is None else x_of(mark[0]),
        mark_label="" if mark is None else mark[1],
    )


def millivolts(samples: Values, units_per_mv: float, baseline: int) -> list[float]:
    """Return ADC values as voltages."""
    return [(sample - baseline) / units_per_mv for sample in samples]


def ticks(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """Return round values between two, at most about so many, and their text."""
    raw = (high - low) / max(most, 1)
    scale = 10.0 ** math.floor(math.log10(raw))
    step = next(scale * factor for factor in (1, 2, 5, 10) if scale * factor >= raw)
    digits = max(0, -math.floor(math.log10(step)))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [(n * step, f"{n * step:,.{digits}f}") for n in range(first, last + 1)]


def _widened(low: float, high: float) -> tuple[float, float]:
    """Return limits with some air, which differ."""
    padding = (high - low) * 0.06 or 1.0
    return low - padding, high + padding


def arena_map(network: Network, title: str) -> Map:
    """Draw each tensor's place in the activations' RAM over the moments at which it is needed."""
    moments = len(network.layers) + 1
    wide, high = (WIDTH - LEFT - RIGHT) / moments, MAP_HEIGHT - TOP - BOTTOM
    scale = high / max(network.arena_bytes, 1)
    boxes = []
    for number, span in enumerate(network.spans):
        name = "input" if number == 0 else span.tensor
        width = (span.last - span.first + 1) * wide
        height = span.bytes * scale
        first, last = (_moment(network, at) for at in (span.first, span.last))
        boxes.append(
            Box(
                x=LEFT + span.first * wide,
                y=TOP + high - (span.offset + span.bytes) * scale,
                width=width,
                height=height,
                label=_fitting(name, width, height),
                title=f"{span.tensor}: {span.bytes:,} bytes from offset {span.offset:,}, "
                f"from {first} to {last}",
                tone=number % TONES + 1,
            )
        )
    every = max(1, math.ceil(moments / 30))
    x = [Tick(LEFT + (n + 0.5) * wide, str(n or "in")) for n in range(0, moments, every)]
    y = ticks(0, max(network.arena_bytes, 1), 5)
    return Map(
        title,
        f"{len(boxes)} tensors in {size(network.arena_bytes)} of RAM over {moments - 1} layers.",
        tuple(boxes),
        x=tuple(x),
        y=tuple(Tick(TOP + high - value * scale, text) for value, text in y),
        x_label="layer, by number",
        y_label="bytes",
    )


def _moment(network: Network, moment: int) -> str:
    return "the input" if moment == 0 else f"layer {moment} ({network.layers[moment - 1].name})"


def _fitting(text: str, width: float, height: float) -> str:
    """Return as much of a label as a box has room for."""
    letters = int((width - 6) / LABEL_WIDTH)
    if height < LABEL_HEIGHT or letters < 3:
        return ""
    return text if len(text) <= letters else f"{text[: letters - 1]}…"


def stack_of(title: str, parts: Sequence[tuple[str, int]], free: tuple[str, int] | None) -> Stack:
    """Draw what a sum is made of, and what is reserved beside it."""
    total = sum(value for _, value in parts)
    whole = max(total + (free[1] if free else 0), 1)
    pieces = [
        Part(label, f"{value:,} B, {value / max(total, 1):.1%}", value / whole, number % TONES + 1)
        for number, (label, value) in enumerate(parts)
    ]
    if free is not None:
        pieces.append(Part(free[0], f"{free[1]:,} B", free[1] / whole, 0))
    return Stack(title, f"{total:,} bytes", tuple(pieces))
