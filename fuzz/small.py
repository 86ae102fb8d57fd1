"""The small model that is fuzzed, in place of one that takes seconds."""

from dynadeep.codegen.board import load_board
from dynadeep.codegen.bundle import Manifest
from dynadeep.codegen.emit import Files, project_files
from dynadeep.codegen.plan import plan_model
from tests.codegen.models import manifest_for, small_encoder

BOARD = "native"


def small_model() -> tuple[bytes, Manifest]:
    """Return an ``encoder.tflite`` of 40 samples and two levels, and its manifest."""
    net = small_encoder()
    content = net.model.build()
    return content, manifest_for(net, content)


def small_project() -> Files:
    """Return its firmware project for the host."""
    return project_files(plan_model(*small_model()), load_board(BOARD))
