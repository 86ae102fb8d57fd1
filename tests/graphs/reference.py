"""TFLite's reference kernels, the independent witness: every tensor of a network by its index."""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

Int8s = npt.NDArray[np.int8]


def tflite_tensors(content: bytes, codes: Int8s) -> dict[int, Int8s]:
    """Run a model of one input.

    Raises:
        ValueError, RuntimeError: TFLite refuses the model.
    """
    import tensorflow as tf

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # announces that the interpreter will move
        interpreter: Any = tf.lite.Interpreter(
            model_content=content,
            experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF,
            experimental_preserve_all_tensors=True,
        )
    interpreter.allocate_tensors()
    (source,) = interpreter.get_input_details()
    interpreter.set_tensor(source["index"], codes.reshape(source["shape"]))
    interpreter.invoke()
    made = [d for d in interpreter.get_tensor_details() if d["dtype"] == np.int8]
    return {d["index"]: interpreter.get_tensor(d["index"]).ravel() for d in made}
