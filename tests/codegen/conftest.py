"""TFLite's interpreters, for the tests that hold codegen against them."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

Int8s = npt.NDArray[np.int8]
Run = Callable[[bytes, dict[str, Int8s]], dict[str, Int8s]]


@pytest.fixture(scope="session")
def reference() -> Run:
    """Run a model with TFLite's reference kernels: inputs and all tensors by name."""
    tf = pytest.importorskip("tensorflow")

    def run(content: bytes, inputs: dict[str, Int8s]) -> dict[str, Int8s]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # announces that the interpreter will move
            interpreter = tf.lite.Interpreter(
                model_content=content,
                experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF,
                experimental_preserve_all_tensors=True,
            )
        interpreter.allocate_tensors()
        for detail in interpreter.get_input_details():
            values = inputs[detail["name"]]
            interpreter.set_tensor(detail["index"], values.reshape(detail["shape"]))
        interpreter.invoke()
        details = interpreter.get_tensor_details()
        return {d["name"]: interpreter.get_tensor(d["index"]) for d in details if d["name"]}

    return run


@pytest.fixture(scope="session")
def micro() -> Run:
    """Run a model of one input and one output with TFLite-Micro."""
    runtime: Any = pytest.importorskip("tflite_micro.python.tflite_micro.runtime")

    def run(content: bytes, inputs: dict[str, Int8s]) -> dict[str, Int8s]:
        interpreter = runtime.Interpreter.from_bytes(content, arena_size=4 << 20)
        (values,) = inputs.values()
        interpreter.set_input(values, 0)
        interpreter.invoke()
        return {"output": interpreter.get_output(0)}

    return run
