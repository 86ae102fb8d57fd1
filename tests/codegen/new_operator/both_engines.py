"""Run in a copy of the kit: print what both engines make of a network, tensor by tensor.

python both_engines.py COPY MODEL CODES
"""

import json
import sys
from pathlib import Path

import numpy as np

import dynadeep.codegen
from dynadeep.codegen.kernels import LANES
from dynadeep.codegen.lowering import lower
from dynadeep.codegen.tflite import read_graph
from tests.firmware.compiling import build_harness
from tests.firmware.harness import Harness
from tests.graphs.engines import OK, run_layers, run_stream
from tests.graphs.networks import Streaming

copy, model, codes = map(Path, sys.argv[1:])
assert Path(dynadeep.codegen.__file__).is_relative_to(copy), dynadeep.codegen.__file__
network = lower(read_graph(model.read_bytes()))
source = network.input
inputs = np.fromfile(codes, np.int8).reshape(source.time, source.channels)
with Harness(build_harness(LANES), LANES) as harness:
    outcomes = [
        run_layers(harness, network, inputs),
        run_stream(harness, network, inputs, Streaming(tile=0, pushes=(3, 1, 7))),
    ]
assert all(outcome.status == OK for outcome in outcomes)
words = [layer.words for layer in network.layers]
tensors = [{int(at): v.tolist() for at, v in outcome.traced.items()} for outcome in outcomes]
print(json.dumps({"words": words, "tensors": tensors}))
