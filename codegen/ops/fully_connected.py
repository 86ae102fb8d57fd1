"""FULLY_CONNECTED on one flattened segment."""

from dataclasses import dataclass

from dynadeep.codegen.graph import Int8s, Int32s, Node
from dynadeep.codegen.ops import checks
from dynadeep.codegen.ops.operation import Op


@dataclass(frozen=True, eq=False)
class FullyConnected(Op):
    """A dense layer over all values of ``inputs[0]``."""

    weights: Int8s  # [out, in]
    weight_scales: tuple[float, ...]  # float32 values, [out]
    bias: Int32s  # [out]
    activation: str


def read(node: Node) -> FullyConnected:
    """Read and check a FULLY_CONNECTED."""
    source, matrix, bias = checks.operands(node, 2, 3)
    x = checks.activation(node, source)
    y = checks.activation(node, node.outputs[0])
    weights, scales = checks.constant_weights(node, matrix)
    if node.options.get("WeightsFormat", 0) != 0:
        node.refuse("its weights are shuffled", "Export with the default weights format.")
    if weights.ndim != 2 or weights.shape != (y.size, x.size) or y.channels != y.size:
        node.refuse(
            f'its weights are {list(weights.shape)}, "{x.name}" {list(x.shape)} and its output '
            f"{list(y.shape)}",
            "Expected weights [outputs, inputs] over one flattened segment.",
        )
    return FullyConnected(
        node=node,
        inputs=(x,),
        output=y,
        weights=weights,
        weight_scales=scales,
        bias=checks.constant_bias(node, bias, weights.shape[0]),
        activation=checks.fused_activation(node),
    )
