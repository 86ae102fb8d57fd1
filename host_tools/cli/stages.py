"""The heavy stages, reached from commands: a missing package is a sentence, not a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

from dynadeep.codegen.errors import MissingDependencyError


@contextmanager
def heavy(extra: str) -> Iterator[None]:
    """Turn a failed import of a third-party package into a MissingDependencyError.

    Args:
        extra: the extra of the kit that brings the package, "train" or "export".
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or str(error)).partition(".")[0]
        raise MissingDependencyError(
            f"the Python package {package} is not installed; this command needs it. "
            f"Run: pip install 'dynadeep[{extra}]'"
        ) from error
