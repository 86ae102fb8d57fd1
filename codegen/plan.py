"""The plan: what each layer costs, where its tensors lie, and what the firmware will need."""

from dataclasses import dataclass

from dynadeep.codegen.arena import Arena, plan_arena
from dynadeep.codegen.board import Board
from dynadeep.codegen.bundle import ENCODER_TFLITE, Bundle, Level, Manifest, Quantization
from dynadeep.codegen.errors import BoardError, ModelError
from dynadeep.codegen.graph import Tensor
from dynadeep.codegen.inventory import (
    Constant,
    TracedTensor,
    model_constants,
    traced_tensors,
)
from dynadeep.codegen.layers import Conv1d, Network
from dynadeep.codegen.lowering import lower
from dynadeep.codegen.tflite import read_graph

ENGINE = "layers"
CODE_BYTES = {"layers": 10_240}
"""Flash besides the arrays, by engine: 9,823 B measured with gcc 12.2 -O2 for Cortex-M4."""

SEGMENT_LIMIT = (1 << 15) - 1
"""Samples of a segment: as int16 and a byte they are a packet's payload, whose size is uint16."""

ENCODER_OVERHEAD_BYTES = 8
"""dd_encoder around its arena on a 32-bit target: trace pointer, stream and sequence number."""

APPLICATION_RAM_BYTES = 192
"""The application's state besides a segment in and a packet out: 108 B measured."""


@dataclass(frozen=True)
class LayerRow:
    """One line of the plan."""

    number: int  # from 1
    layer: Conv1d
    in_offset: int
    out_offset: int


@dataclass(frozen=True)
class Plan:
    """Everything that is decided before any C is written."""

    manifest: Manifest
    network: Network
    arena: Arena
    tensors: tuple[TracedTensor, ...]
    constants: tuple[Constant, ...]

    @property
    def rows(self) -> tuple[LayerRow, ...]:
        """The layers in the order of execution, with the offsets of their tensors."""
        at = self.arena.offsets
        return tuple(
            LayerRow(number, layer, at[layer.input.name], at[layer.output.name])
            for number, layer in enumerate(self.network.layers, start=1)
        )

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one segment."""
        return sum(layer.macs for layer in self.network.layers)

    @property
    def constant_bytes(self) -> int:
        """Flash of all arrays, exact."""
        return sum(layer.constant_bytes for layer in self.network.layers)

    @property
    def flash_bytes(self) -> int:
        """Flash of the firmware, its code estimated."""
        return self.constant_bytes + CODE_BYTES[ENGINE]

    @property
    def encoder_bytes(self) -> int:
        """RAM of one ``dd_encoder`` on a 32-bit target, exact."""
        return self.arena.size + ENCODER_OVERHEAD_BYTES

    def ram_bytes(self, board: Board) -> int:
        """RAM of the firmware on a board, its stack included, the application's part estimated."""
        stack = board.ram.stack_bytes if board.ram else 0
        # A request carries a segment of int16 samples; a reply may carry it back as a packet.
        buffers = 2 * 2 * self.manifest.segment_length
        return self.encoder_bytes + buffers + APPLICATION_RAM_BYTES + stack


def make_plan(bundle: Bundle) -> Plan:
    """Read a bundle's model and decide everything that the generated C needs.

    Raises:
        CodegenError: the model cannot be run, or does not fit the manifest.
    """
    return plan_model(bundle.path(ENCODER_TFLITE).read_bytes(), bundle.manifest)


def plan_model(content: bytes, manifest: Manifest) -> Plan:
    """Plan the model whose flatbuffer is ``content``; see ``make_plan``."""
    network = lower(read_graph(content))
    _check_manifest(network, manifest)
    return Plan(
        manifest, network, plan_arena(network), traced_tensors(network), model_constants(network)
    )


def check_fit(plan: Plan, board: Board) -> None:
    """Check that the firmware fits a board before anything is compiled.

    Raises:
        BoardError: it needs more flash or RAM than the board has.
    """
    largest = max(plan.network.layers, key=lambda layer: layer.output.size)
    if board.flash is not None and plan.flash_bytes > board.flash.bytes:
        raise BoardError(
            f"{board.name}: the firmware needs about {plan.flash_bytes} B of flash, the board has "
            f"{board.flash.bytes} B. {plan.constant_bytes} B are weights and tables: use a "
            "smaller network or a larger board."
        )
    if board.ram is not None and plan.ram_bytes(board) > board.ram.bytes:
        raise BoardError(
            f"{board.name}: the firmware needs about {plan.ram_bytes(board)} B of RAM, the board "
            f"has {board.ram.bytes} B. The arena takes {plan.arena.size} B, its largest tensor is "
            f"{largest.output.name} with {largest.output.size} B: use a shorter segment or a "
            "larger board."
        )


def _check_manifest(network: Network, manifest: Manifest) -> None:
    """Check that the model computes what the manifest promises."""
    source = network.input
    if (source.name, source.size) != (manifest.input_tensor, manifest.segment_length):
        raise ModelError(
            f'encoder.tflite: its input is "{source.name}" with {source.size} values, the manifest '
            f'says "{manifest.input_tensor}" with {manifest.segment_length}. Export again.'
        )
    if not 1 <= manifest.segment_length <= SEGMENT_LIMIT:
        raise ModelError(
            f"manifest.json: a segment has {manifest.segment_length} samples, a packet carries at "
            f"most {SEGMENT_LIMIT}. Use a shorter segment."
        )
    _check_quantization(source, manifest.input)
    if not 1 <= len(manifest.levels) <= 15:
        raise ModelError(f"manifest.json: has {len(manifest.levels)} levels, expected 1 to 15.")
    for level in manifest.levels:
        _check_level(network, level)


def _check_level(network: Network, level: Level) -> None:
    for name, size, quantization in (
        (level.latent_tensor, level.codes, level.latent),
        (level.error_tensor, 1, level.error),
    ):
        tensor = network.tensor(name)
        kept = {output.name for output in network.outputs}
        if tensor is None or tensor.name not in kept or tensor.size != size:
            raise ModelError(
                f'manifest.json: level {level.name} needs the tensor "{name}" of {size} values, '
                "which is not among the outputs of encoder.tflite. Export again."
            )
        _check_quantization(tensor, quantization)


def _check_quantization(tensor: Tensor, expected: Quantization) -> None:
    if (tensor.scale, tensor.zero_point) != (expected.scale, expected.zero_point):
        raise ModelError(
            f'encoder.tflite: "{tensor.name}" has scale {tensor.scale!r} and zero point '
            f"{tensor.zero_point}, the manifest says {expected.scale!r} and "
            f"{expected.zero_point}. Export again."
        )
