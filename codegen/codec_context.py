"""What the templates of a codec see beside those of its network."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dynadeep.codegen import c_text
from dynadeep.codegen.bundle import Codec, InputMap, Level, map_problem
from dynadeep.codegen.errors import BundleError
from dynadeep.codegen.naming import identifier
from dynadeep.codegen.numerics import MarginTable, error_scale, fixed_error
from dynadeep.codegen.packet_sizes import PACKET_OVERHEAD_BYTES, RANGE_BYTES
from dynadeep.codegen.plan import Plan

TAKEN_NAMES = {"none", "coded", "max"}
"""What of a level's macros is something else already: DD_LEVEL_NONE, NAME_PACKET_BYTES_MAX."""


@dataclass(frozen=True)
class LevelText:
    """One compressed level."""

    number: int
    name: str  # "cg32"
    macro: str  # "CG32"
    codes: int
    packet_bytes: int
    latent: int  # offsets in the values
    error: int
    error_zero_point: int
    error_scale: int  # Q8.24
    margins: tuple[str, ...]  # rows of Q8.24, one a knot
    margins_comment: str
    comment: str


@dataclass(frozen=True)
class CodecContext:
    """Everything that the templates of a codec name."""

    segment_length: int
    adc_units_per_mv: str  # a C float literal
    adc_baseline: int
    error_unit: str  # a C string literal
    default_bound: int  # Q8.24
    default_bound_comment: str
    input_map: InputMap
    minmax: bool
    lossless: bool
    encoder_bytes: int
    packet_bytes_coded: int
    packet_bytes_max: int
    knots: tuple[str, ...]  # rows of Q8.24
    knots_comment: str
    knot_count: int
    levels: tuple[LevelText, ...]


def codec_context(plan: Plan, codec: Codec) -> CodecContext:
    """Put a plan's codec into the words of the templates.

    Raises:
        CodegenError: the manifest holds what cannot stand in C.
    """
    minmax = codec.input_map.kind == "minmax"
    table = MarginTable.of_segments(codec)
    return CodecContext(
        segment_length=plan.manifest.segment_length,
        adc_units_per_mv=c_text.float_literal(codec.adc_gain, "adc_gain"),
        adc_baseline=codec.adc_baseline,
        error_unit=c_text.string(codec.error_unit, "error_unit"),
        default_bound=fixed_error(codec.default_bound),
        default_bound_comment=f"{codec.default_bound:g}",
        input_map=_checked_map(codec.input_map),
        minmax=minmax,
        lossless=plan.choice.lossless,
        encoder_bytes=plan.encoder_bytes,
        packet_bytes_coded=plan.packet_bytes_coded,
        packet_bytes_max=plan.packet_bytes_max,
        knots=_numbers(table.knots),
        knots_comment=_real(codec.margin_bounds),
        knot_count=len(table.knots),
        levels=_levels(plan, codec, RANGE_BYTES if minmax else 0),
    )


def _levels(plan: Plan, codec: Codec, range_bytes: int) -> tuple[LevelText, ...]:
    stems = [identifier(level.name) for level in codec.levels]
    if len(set(stems)) != len(stems) or TAKEN_NAMES & set(stems):
        raise BundleError(f"manifest.json: levels are called {stems}, expected different names.")
    margins = MarginTable.of_segments(codec).levels
    return tuple(
        _level(plan, level, number, margins[number - 1], range_bytes)
        for number, level in enumerate(codec.levels, start=1)
    )


def _level(
    plan: Plan, level: Level, number: int, margins: Sequence[int], range_bytes: int
) -> LevelText:
    places = {name: offset for name, (offset, _) in plan.memory.places.items()}
    return LevelText(
        number=number,
        name=identifier(level.name),
        macro=identifier(level.name).upper(),
        codes=level.codes,
        packet_bytes=level.codes + range_bytes + PACKET_OVERHEAD_BYTES,
        latent=places[plan.network.holder(level.latent_tensor)],
        error=places[plan.network.holder(level.error_tensor)],
        error_zero_point=level.error.zero_point,
        error_scale=error_scale(level),
        margins=_numbers(margins),
        margins_comment=_real(level.margins),
        comment=f"a code is {c_text.scale(level.error.scale)}",
    )


def _numbers(values: Sequence[int]) -> tuple[str, ...]:
    return c_text.rows(np.array(values, np.int32))


def _real(values: Sequence[float]) -> str:
    """Return real numbers for a comment."""
    return ", ".join(c_text.scale(value) for value in values)


def _checked_map(input_map: InputMap) -> InputMap:
    """Check that the input map's integers keep what dd_input_map.h demands."""
    problem = map_problem(input_map)
    if problem:
        raise BundleError(f"manifest.json: {problem}. Export again.")
    return input_map
