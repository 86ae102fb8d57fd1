"""The heavy packages of the export: found or named in one sentence, and kept quiet."""

import functools
import importlib
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dynadeep.codegen.errors import MissingDependencyError

log = logging.getLogger(__name__)


def missing(error: ImportError) -> MissingDependencyError:
    """Return the error that says which package is not there and how to get it."""
    name = (error.name or str(error)).partition(".")[0]
    return MissingDependencyError(
        f"the Python package {name} is not installed; the export stage needs it. "
        "Run: pip install 'dynadeep[export]'"
    )


def load(module: str) -> Any:
    """Import a third-party module.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise missing(error) from error


@functools.cache
def tensorflow() -> Any:
    """Import TensorFlow without its start-up messages."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    with quiet():
        module = load("tensorflow")
        module.get_logger().setLevel(logging.ERROR)
        load("absl.logging").set_verbosity("error")
    return module


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what native code prints on standard error, and Python warnings, out of the user's sight.

    The text goes to this module's log at level DEBUG.
    """
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as capture, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.dup2(capture.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
            capture.seek(0)
            log.debug("%s", capture.read().decode(errors="replace"))
