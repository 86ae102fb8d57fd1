"""The plan in words: a table for people, and ``NAME_net.json`` for the host's tools."""

import json
import zlib
from typing import Any

from dynadeep.codegen.applications import ram_bytes
from dynadeep.codegen.board import Board
from dynadeep.codegen.bundle import TensorSpec
from dynadeep.codegen.code_size import flash_bytes
from dynadeep.codegen.graph import Tensor
from dynadeep.codegen.keeping import long_lines
from dynadeep.codegen.plan import LayerRow, Plan
from dynadeep.codegen.prediction import predict_for
from dynadeep.codegen.running import State
from dynadeep.codegen.schedule import Schedule
from dynadeep.codegen.version import __version__

FORMAT = 1
HEADINGS = ("", "layer", "what", "from", "to", "MAC", "flash B", "RAM at", "bytes")
COSTS = HEADINGS.index("flash B")
"""Where a table that is too wide is parted: what each layer is, and what it takes."""

PREDICTED = ("instructions", "cycles")
"""Of a layer's kernel on a board, before any compiler runs."""


def describe_model(plan: Plan) -> dict[str, Any]:
    """Return what ``NAME_net.json`` holds; lists are in the order of their numbers."""
    return {
        "format": FORMAT,
        "kit": __version__,
        "model_id": plan.manifest.model_id,
        "engine": plan.choice.engine,
        "kernels": plan.choice.kernels.name,
        "chunk": plan.chunk,
        "sample_rate_hz": plan.manifest.sample_rate_hz,
        "inputs": [_end(end) for end in plan.manifest.inputs],
        "outputs": [_end(end) for end in plan.manifest.outputs],
        **_codec(plan),
        "tensors": [vars(tensor) for tensor in plan.tensors],
        "constants": [
            {
                "number": constant.number,
                "layer": constant.layer,
                "kind": constant.kind,
                "bytes": len(constant.content),
                "crc32": zlib.crc32(constant.content),
            }
            for constant in plan.constants
        ],
        "layers": [_layer(row) for row in plan.rows],
        "unread": list(plan.network.unread),
        "totals": {
            "macs": plan.macs,
            "constant_bytes": plan.constant_bytes,
            "values_bytes": plan.values_bytes,
            "net_bytes": plan.net_bytes,
            **({} if plan.manifest.codec is None else {"encoder_bytes": plan.encoder_bytes}),
        },
    }


def _end(end: TensorSpec) -> dict[str, Any]:
    return {
        "name": end.name,
        "shape": [end.time, end.channels],
        "scale": end.scale,
        "zero_point": end.zero_point,
    }


def _codec(plan: Plan) -> dict[str, Any]:
    codec = plan.manifest.codec
    if codec is None:
        return {}
    return {
        "segment_length": plan.manifest.segment_length,
        "lossless": plan.choice.lossless,
        "levels": [level.name for level in codec.levels],
    }


def _layer(row: LayerRow) -> dict[str, Any]:
    layer = row.layer
    return {
        "number": row.number,
        "name": layer.name,
        "what": layer.summary,
        "macs": layer.macs,
        "in": [layer.inputs[0].time, layer.inputs[0].channels],
        "out": [layer.output.time, layer.output.channels],
        "constant_bytes": row.constant_bytes,
        "in_offset": row.in_offset,
        "out_offset": row.out_offset,
        "out_bytes": row.out_bytes,
    }


def json_text(data: dict[str, Any]) -> str:
    """Return JSON that diffs well and is the same on every machine."""
    return json.dumps(data, indent=2, ensure_ascii=True) + "\n"


def _shape(tensor: Tensor) -> str:
    return "state" if isinstance(tensor, State) else f"{tensor.time}x{tensor.channels}"


def table_rows(plan: Plan) -> list[tuple[str, ...]]:
    """Return the plan's table, one row of text per layer, under ``HEADINGS``."""
    return [
        (
            str(row.number),
            row.layer.name,
            row.layer.summary,
            ", ".join(_shape(tensor) for tensor in row.layer.inputs),
            _shape(row.layer.output),
            f"{row.layer.macs:,}",
            f"{row.constant_bytes:,}",
            f"{row.out_offset:,}",
            f"{row.out_bytes:,}",
        )
        for row in plan.rows
    ]


def _predicted(plan: Plan, board: Board) -> list[tuple[str, ...]]:
    """Return what each layer's kernel will take in a run, under ``PREDICTED``."""
    prediction = predict_for(plan, board)
    counts = zip(
        prediction.instructions_by_layer.values(), prediction.cycles_by_layer.values(), strict=True
    )
    return [tuple(f"{count:,.0f}" for count in pair) for pair in counts]


def _of_what(plan: Plan) -> str:
    if plan.manifest.codec is not None:
        return f"a segment of {plan.manifest.segment_length} samples"
    shapes = ", ".join(f"{spec.time}x{spec.channels}" for spec in plan.manifest.inputs)
    return f"an input of {shapes}"


def _state(plan: Plan) -> str:
    if plan.manifest.codec is None:
        return f"{plan.net_bytes:,} B for one network"
    return f"{plan.encoder_bytes:,} B for one encoder"


def totals(plan: Plan, board: Board | None) -> list[str]:
    """Return what the whole firmware needs, one sentence a line."""
    flash = flash_bytes(plan, board)
    lines = [
        f"{plan.macs:,} MAC {_of_what(plan)}",
        f"{plan.constant_bytes:,} B of constants; with code about {flash:,} B of flash",
        f"{plan.values_bytes:,} B of activations; {_state(plan)}",
    ]
    if plan.network.unread:
        lines.append(f"left out, because no output needs it: {', '.join(plan.network.unread)}")
    if isinstance(plan.memory, Schedule):
        step = "step" if plan.manifest.codec is None else "sample"
        lines.append(
            f"streaming, {plan.memory.tile} steps at a time; one {step} sets going at most "
            f"{plan.memory.worst_macs:,} MAC"
        )
        lines += long_lines(plan.memory)
    if board is not None and board.flash is not None and board.ram is not None:
        lines.append(
            f"{board.name}: about {flash:,} of {board.flash.bytes:,} B of flash, "
            f"{ram_bytes(plan, board):,} of {board.ram.bytes:,} B of RAM with its stack"
        )
    return lines


def describe_plan(plan: Plan, board: Board | None = None, columns: int | None = None) -> str:
    """Return the plan as text, for printing before any compiler runs.

    Where the table is wider than ``columns`` it is two, the second with each layer's costs.
    """
    rows = [HEADINGS, *table_rows(plan)]
    if board is not None and board.cortex_m:
        predicted = [PREDICTED, *_predicted(plan, board)]
        rows = [(*row, *more) for row, more in zip(rows, predicted, strict=True)]
    lines = _aligned(rows, texts={1, 2})
    if columns is not None and max(map(len, lines)) > columns:
        shapes = _aligned([row[:COSTS] for row in rows], texts={1, 2})
        costs = _aligned([(*row[:2], *row[COSTS:]) for row in rows], texts={1})
        lines = [*shapes, "", *costs]
    return "\n".join([*lines, "", *totals(plan, board)])


def _aligned(rows: list[tuple[str, ...]], texts: set[int]) -> list[str]:
    """Return a line for each row; ``texts`` are the columns that stand to the left."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if i in texts else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
