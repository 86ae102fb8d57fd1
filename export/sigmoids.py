"""Choose scales at which TFLite and TFLite-Micro compute the same sigmoid.

TFLite's reference fills LOGISTIC's table in float32, TFLite-Micro computes it in fixed point. At
about one code in 150,000 the exact value lies so near a tie that they round it apart. A calibrated
scale is a choice, good to a percent or so: where a table has such a code, the scale in front of it
moves by a ten-thousandth, and every tensor of the two is equal again.
"""

import copy
from typing import Any

import numpy as np

from dynadeep.export import flatbuffer
from dynadeep.export.errors import QuantizationError
from dynadeep.export.reference import Int8, Reference, Witness, has_witness

STEP = 1e-4
STEPS = 20
"""One try in 600 fails; so many in a row mean that the two differ in something else."""

ALL_CODES: Int8 = np.arange(-128, 128).astype(np.int8).reshape(1, 256)


def settle_sigmoids(content: bytes) -> bytes:
    """Return the model with every LOGISTIC's input at a scale on which both runtimes agree.

    Where TFLite-Micro has no package, the model comes back as it is.

    Raises:
        QuantizationError: no scale within ``STEPS`` steps makes them agree.
    """
    if not has_witness():
        return content
    model = flatbuffer.parse(content)
    graph = model.subgraphs[0]
    for operator in graph.operators:
        if flatbuffer.kind_of(model, operator) == "LOGISTIC":
            parameters = graph.tensors[operator.inputs[0]].quantization
            parameters.scale = np.array([_settled_scale(model, operator)], np.float32)
    return flatbuffer.pack(model)


def _settled_scale(model: Any, operator: Any) -> np.float32:
    """Return the scale of the operator's input, or the nearest larger one that is agreed on."""
    tensor = model.subgraphs[0].tensors[operator.inputs[0]]
    calibrated = np.float32(tensor.quantization.scale[0])
    for step in range(STEPS):
        scale = np.float32(calibrated * (1 + step * STEP))
        if _agree(_alone(model, operator, scale)):
            return scale
    raise QuantizationError(
        f"encoder.tflite: the sigmoid of {tensor.name.decode()} differs between TFLite and "
        f"TFLite-Micro at {STEPS} scales from {calibrated:g}. Are the pinned versions installed?"
    )


def _agree(content: bytes) -> bool:
    """Return whether both runtimes give the same outputs for all 256 codes."""
    reference, witness = (runtime(content).run(ALL_CODES) for runtime in (Reference, Witness))
    return all(np.array_equal(values, witness[name]) for name, values in reference.items())


def _alone(model: Any, operator: Any, scale: np.float32) -> bytes:
    """Return a model that is one operator on 256 values, its input at ``scale``."""
    lonely, graph = copy.copy(model), copy.copy(model.subgraphs[0])
    tensors = [
        copy.deepcopy(graph.tensors[index]) for index in (operator.inputs[0], operator.outputs[0])
    ]
    for tensor in tensors:
        tensor.shape, tensor.shapeSignature = np.array([1, 1, 256, 1], np.int32), None
    tensors[0].name = flatbuffer.INPUT.encode()
    tensors[0].quantization.scale = np.array([scale], np.float32)
    only = copy.copy(operator)
    only.inputs, only.outputs = [0], [1]
    graph.tensors, graph.operators, graph.inputs, graph.outputs = tensors, [only], [0], [1]
    lonely.subgraphs, lonely.buffers = [graph], [flatbuffer.schema().BufferT()]
    return flatbuffer.pack(lonely)
