"""PyTorch -> ONNX with names that every later stage keeps, checked against PyTorch.

Each node is called ``<layer>/<role>`` (``conv1/conv``, ``conv1/sigmoid``, ``conv1/silu``), where
the layer is the PyTorch module's own name. A head's ``head32/dense`` is ``head32/conv`` in TFLite.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from dynadeep.codegen.files import write_whole
from dynadeep.export.errors import DisagreementError, ExportError
from dynadeep.export.packages import load, quiet
from dynadeep.train.decoder import Decoder
from dynadeep.train.levels import SEGMENT_SAMPLES
from dynadeep.train.model import DynamicDeep

Floats = npt.NDArray[np.float32]

INPUT = "segment"
LATENT, ERROR = "latent", "error"
"""Outputs of the encoder, and with ``INPUT`` of the decoder, are these and a level's name."""

MAX_DIFFERENCE = 1e-4
"""Of an output's range: an error in percent spans a hundred, a latent about two."""

SMALLEST_RANGE = 1e-2
"""What an output that hardly changes is held against."""
MODULE_KEY = "module"
"""Key of a node's metadata that holds the full name of its PyTorch module."""

ROLES = {
    "Conv": "conv",
    "Sigmoid": "sigmoid",
    "Mul": "silu",
    "Reshape": "reshape",
    "Gemm": "dense",
    "Relu": "relu",
    "MaxPool": "pool",
}
_SCOPES_KEY = "pkg.torch.onnx.name_scopes"


class _DecoderGraph(nn.Module):
    """The decoder as a function of one tensor per level, which the exporter can trace."""

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, *latents: Tensor) -> tuple[Tensor, ...]:
        """Return the reconstructions."""
        decoded: tuple[Tensor, ...] = self.decoder(latents)
        return decoded


def names(kind: str, model: DynamicDeep) -> tuple[str, ...]:
    """Return what the levels' tensors of a kind are called in ONNX, ``latent32`` and so on."""
    return tuple(f"{kind}{level}" for level in model.levels)


def export_encoder(model: DynamicDeep) -> onnx.ModelProto:
    """Export encoder and heads.

    Returns:
        float ``segment`` [1, 1, 2000] -> ``latent32`` [1, 1, 62] and so on for every level, then
        ``error32`` [1, 1] and so on.
    """
    example = (torch.zeros(1, 1, SEGMENT_SAMPLES),)
    outputs = (*names(LATENT, model), *names(ERROR, model))
    proto = _export(model, example, (INPUT,), outputs, dynamic=False)
    _name_nodes(proto)
    return proto


def export_decoder(model: DynamicDeep) -> onnx.ModelProto:
    """Export all levels' decoders as one graph.

    Returns:
        float ``latent32`` [N, 1, 62] -> ``segment32`` [N, 1, 2000], and so on for every level, N of
        its own. Whoever decodes one level gives the others' inputs something, a row of zeros say.
    """
    codes = [level.codes for level in model.config.levels]
    inputs, outputs = names(LATENT, model), names(INPUT, model)
    example = tuple(torch.zeros(2 + i, 1, n) for i, n in enumerate(codes))
    proto = _export(_DecoderGraph(model.decoder), example, inputs, outputs, dynamic=True)
    for node in proto.graph.node:
        del node.metadata_props[:]
    return proto


def _export(
    model: nn.Module,
    example: tuple[Tensor, ...],
    inputs: Sequence[str],
    outputs: Sequence[str],
    *,
    dynamic: bool,
) -> onnx.ModelProto:
    # The decoder takes all its inputs as one variable argument, hence a tuple in a tuple.
    batches = (tuple({0: torch.export.Dim(f"batch_{name}")} for name in inputs),)
    with quiet(), torch.no_grad():
        program = torch.onnx.export(
            model.eval(),
            example,
            dynamo=True,
            verbose=False,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_shapes=batches if dynamic else None,
        )
    if program is None:
        raise ExportError("PyTorch's ONNX exporter returned no model. Is torch 2.13 installed?")
    proto = program.model_proto
    del proto.graph.metadata_props[:], proto.metadata_props[:]
    del proto.graph.value_info[:]
    onnx.checker.check_model(proto)
    return proto


def _name_nodes(proto: onnx.ModelProto) -> None:
    """Name each node and its value ``<layer>/<role>``; graph inputs and outputs keep theirs."""
    fixed = {value.name for value in (*proto.graph.input, *proto.graph.output)}
    renamed: dict[str, str] = {}
    for node, module in zip(proto.graph.node, _modules(proto.graph), strict=True):
        role = ROLES.get(node.op_type, node.op_type.lower())
        node.name = f"{layer_name(module)}/{role}"
        if node.output[0] not in fixed:
            renamed[node.output[0]] = node.name
        del node.metadata_props[:]
        node.metadata_props.add(key=MODULE_KEY, value=module)
        node.doc_string = ""
    for node in proto.graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        node.output[:] = [renamed.get(name, name) for name in node.output]


def layer_name(module: str) -> str:
    """Return the layer's name of a module: ``encoder.conv1`` -> ``conv1``."""
    return module.rpartition(".")[2]


def module_of(node: onnx.NodeProto) -> str:
    """Return the full name of the PyTorch module that a node comes from."""
    return next((p.value for p in node.metadata_props if p.key == MODULE_KEY), "?")


def _modules(graph: onnx.GraphProto) -> list[str]:
    """Return each node's module: that of its weights, else of its scope, else of a neighbour.

    What a container does between its layers (flatten before, ReLU behind a head) has no module
    of its own: a Reshape is counted to the layer after it, all else to the layer before it.
    """
    weights = {tensor.name for tensor in graph.initializer}
    owners = [_owner(node, weights) for node in graph.node]
    layers = {owner for owner in owners if owner}
    maker = {node.output[0]: i for i, node in enumerate(graph.node)}
    modules: list[str] = []
    for index, node in enumerate(graph.node):
        after = [o for o, n in zip(owners, graph.node, strict=True) if node.output[0] in n.input]
        before = [modules[maker[name]] for name in node.input if name in maker]
        scopes = [scope for scope in _scopes(node) if scope in layers]
        near = after + before if node.op_type == "Reshape" else before + after
        candidates = [owners[index], *scopes[-1:], *near, "graph"]
        modules.append(next(name for name in candidates if name))
    return modules


def _owner(node: onnx.NodeProto, weights: set[str]) -> str:
    """Return the module whose ``weight`` a node uses, or nothing."""
    named = [n for n in node.input if n in weights and n.endswith(".weight")]
    return named[0].removesuffix(".weight") if named else ""


def _scopes(node: onnx.NodeProto) -> list[str]:
    """Return the exporter's list of enclosing modules, outermost first."""
    text = next((p.value for p in node.metadata_props if p.key == _SCOPES_KEY), "[]")
    return [part.strip(" '\"") for part in text.strip("[]").split(",")]


def constants(proto: onnx.ModelProto) -> dict[str, npt.NDArray[np.generic]]:
    """Return the graph's constant tensors by name."""
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in proto.graph.initializer}


def weights_of(proto: onnx.ModelProto) -> dict[str, Floats]:
    """Return each layer's weights as convolutions have them, float [filters, channels, kernel].

    Those of a Linear layer, [out, in], are filters over one channel that are as long as its input.
    """
    values = constants(proto)
    by_layer: dict[str, Floats] = {}
    for node in proto.graph.node:
        if node.op_type in ("Conv", "Gemm"):
            weights = values[node.input[1]].astype(np.float32)
            layer = node.name.partition("/")[0]
            by_layer[layer] = weights if weights.ndim == 3 else weights[:, None]
    return by_layer


def output_layers(proto: onnx.ModelProto) -> list[str]:
    """Return the layer that makes each of the graph's outputs, in their order."""
    makers = {node.output[0]: node.name.partition("/")[0] for node in proto.graph.node}
    return [makers[output.name] for output in proto.graph.output]


def open_session(proto: onnx.ModelProto) -> Any:
    """Load a model into onnxruntime on the CPU."""
    runtime = load("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    content = proto.SerializeToString()
    return runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def check_encoder(model: DynamicDeep, proto: onnx.ModelProto, windows: Floats) -> float:
    """Return the largest difference between ONNX and PyTorch over windows [N, 1, 2000].

    It is a share of each output's range.

    Raises:
        DisagreementError: it is over ``MAX_DIFFERENCE``.
    """
    session = open_session(proto)
    with torch.no_grad():
        expected = [value.numpy() for value in model(torch.from_numpy(windows))]
    outputs = [*names(LATENT, model), *names(ERROR, model)]
    runs = [session.run(outputs, {INPUT: window[None]}) for window in windows]
    computed = [np.concatenate(parts) for parts in zip(*runs, strict=True)]
    return within(expected, computed, "encoder.onnx")


def check_decoder(model: DynamicDeep, proto: onnx.ModelProto, windows: Floats) -> float:
    """Return the largest difference between ONNX and PyTorch for what ``windows`` decode to.

    It is a share of each output's range.

    Raises:
        DisagreementError: it is over ``MAX_DIFFERENCE``.
    """
    session = open_session(proto)
    with torch.no_grad():
        latents = model.encode(torch.from_numpy(windows))
        expected = [value.numpy() for value in model.decode(latents)]
    feeds = {
        name: latent.numpy() for name, latent in zip(names(LATENT, model), latents, strict=True)
    }
    computed = session.run(names(INPUT, model), feeds)
    return within(expected, computed, "decoder.onnx")


def decoded_of(session: Any, level: object, latent: Floats) -> Floats:
    """Decode one level's latents [N, 1, codes] by a session of ``export_decoder``'s graph."""
    feeds = {
        value.name: np.zeros((1, 1, value.shape[-1]), np.float32) for value in session.get_inputs()
    }
    (decoded,) = session.run([f"{INPUT}{level}"], feeds | {f"{LATENT}{level}": latent})
    return np.asarray(decoded)


def within(expected: Sequence[Floats], computed: Sequence[Floats], what: str) -> float:
    """Return the largest difference of outputs, each as a share of its own range.

    Raises:
        DisagreementError: it is over ``MAX_DIFFERENCE``.
    """
    worst = max(
        _relative(reference, output) for reference, output in zip(expected, computed, strict=True)
    )
    if not worst <= MAX_DIFFERENCE:
        raise DisagreementError(
            f"{what}: differs from PyTorch by up to {worst:.3g} of an output's range, allowed are "
            f"{MAX_DIFFERENCE:g}. "
            "Check the versions of torch, onnx and onnxruntime against pyproject.toml."
        )
    return worst


def _relative(expected: Floats, computed: Floats) -> float:
    """Return the largest difference as a share of the range of what is expected."""
    span = max(float(np.ptp(expected)), SMALLEST_RANGE)
    return float(np.abs(expected - computed).max()) / span


def write(proto: onnx.ModelProto, path: Path) -> None:
    """Write a model, the same bytes for the same graph."""
    write_whole(path, proto.SerializeToString(deterministic=True))
