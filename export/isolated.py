"""Run a function in a process of its own, which native code may end without ending ours.

TensorFlow aborts the process on some files (a SOFTMAX over 700 values, say), where Python's other
errors can be caught. Beside that the process is ours: its errors come back as they are.
"""

import multiprocessing
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from dynadeep.codegen.children import deaf_to_interrupts
from dynadeep.export.errors import ExportError

T = TypeVar("T")


def isolated(function: Callable[..., T], *arguments: Any) -> T:
    """Return what a function of a module returns, called in another process.

    Raises:
        ExportError: the process was ended by a signal.
        Exception: whatever the function raises.
    """
    context = multiprocessing.get_context("spawn")  # nothing of ours is copied into it
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_run, args=(sender, function, arguments))
    try:
        with deaf_to_interrupts():  # the parent ends it
            child.start()
        sender.close()
        result = receiver.recv()
    except EOFError:
        child.join()
        raise ExportError(
            f"TensorFlow ended the process (exit {child.exitcode}) on this network, which its own "
            "checks should have refused. Leave out what is out of the ordinary in it: an operator "
            "that no output needs, or over very many values."
        ) from None
    finally:
        if child.pid is not None:
            child.kill()
            child.join()
    if isinstance(result, Exception):
        raise result
    value: T = result
    return value


def _run(pipe: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        result = function(*arguments)
    except Exception as error:  # handed on as it is
        error.add_note(traceback.format_exc())
        result = error
    pipe.send(result)
