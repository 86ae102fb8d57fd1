"""Whether a network computes what its manifest promises."""

from collections.abc import Mapping, Sequence

from dynadeep.codegen.bundle import (
    ENCODER_TFLITE,
    MAKE_AGAIN,
    Level,
    Manifest,
    Quantization,
    TensorSpec,
)
from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.graph import Tensor
from dynadeep.codegen.layers import Network
from dynadeep.codegen.packet_sizes import CODES_LIMIT, SEGMENT_LIMIT


def check_manifest(network: Network, manifest: Manifest) -> None:
    """Check that the model computes what the manifest promises.

    Raises:
        ModelError: an end, a level or a size is another; it names both.
    """
    outputs = {tensor.name: tensor for tensor in network.outputs}
    holders = {spec.name: outputs.get(network.holder(spec.name)) for spec in manifest.outputs}
    inputs = [(tensor.name, tensor) for tensor in network.inputs]
    _check_ends("inputs", inputs, manifest.inputs, manifest)
    _check_ends("outputs", list(holders.items()), manifest.outputs, manifest)
    if manifest.codec is not None:
        _check_codec(network, manifest)


def _check_ends(
    what: str,
    ends: Sequence[tuple[str, Tensor | None]],
    specs: Sequence[TensorSpec],
    manifest: Manifest,
) -> None:
    actual = {name: (tensor.time, tensor.channels) for name, tensor in ends if tensor is not None}
    promised = {spec.name: (spec.time, spec.channels) for spec in specs}
    if actual != promised:
        raise ModelError(
            f"{manifest.model}: its {what} are {_shapes(actual)}, the manifest says "
            f"{_shapes(promised)}. {MAKE_AGAIN}"
        )
    by_name = {spec.name: spec for spec in specs}
    for name, tensor in ends:
        assert tensor is not None
        _check_quantization(tensor, by_name[name], manifest.model)


def _shapes(ends: Mapping[str, tuple[int, int]]) -> str:
    named = (f'"{name}" [{time}, {channels}]' for name, (time, channels) in ends.items())
    return ", ".join(named) or "none"


def _check_codec(network: Network, manifest: Manifest) -> None:
    if not 1 <= manifest.segment_length <= SEGMENT_LIMIT:
        raise ModelError(
            f"manifest.json: a segment has {manifest.segment_length} samples, a packet carries at "
            f"most {SEGMENT_LIMIT}. Use a shorter segment."
        )
    if not 1 <= len(manifest.levels) <= 15:
        raise ModelError(f"manifest.json: has {len(manifest.levels)} levels, expected 1 to 15.")
    for level in manifest.levels:
        _check_level(network, level)


def _check_level(network: Network, level: Level) -> None:
    if level.codes > CODES_LIMIT:
        raise ModelError(
            f"manifest.json: level {level.name} sends {level.codes} codes, a packet carries at "
            f"most {CODES_LIMIT}. Compress more strongly, or use a shorter segment."
        )
    for name, size, quantization in (
        (level.latent_tensor, level.codes, level.latent),
        (level.error_tensor, 1, level.error),
    ):
        tensor = network.tensor(name)
        outputs = {output.name for output in network.outputs}
        if tensor is None or tensor.name not in outputs or tensor.size != size:
            raise ModelError(
                f'manifest.json: level {level.name} needs the tensor "{name}" of {size} values, '
                f"which is not among the outputs of {ENCODER_TFLITE}. Export again."
            )
        _check_quantization(tensor, quantization, ENCODER_TFLITE)


def _check_quantization(tensor: Tensor, expected: Quantization, file: str) -> None:
    if (tensor.scale, tensor.zero_point) != (expected.scale, expected.zero_point):
        raise ModelError(
            f'{file}: "{tensor.name}" has scale {tensor.scale!r} and zero point '
            f"{tensor.zero_point}, the manifest says {expected.scale!r} and "
            f"{expected.zero_point}. Export again."
        )
