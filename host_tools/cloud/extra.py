"""Say what to install where the packages of the extra ``cloud`` are missing."""

from importlib.util import find_spec

from dynadeep.codegen.errors import MissingDependencyError


def require(*packages: str) -> None:
    """Refuse to go on without packages, by the names under which they are imported.

    Raises:
        MissingDependencyError: one of them is not installed.
    """
    missing = [name for name in packages if find_spec(name.split(".", maxsplit=1)[0]) is None]
    if missing:
        raise MissingDependencyError(
            f"the Python package {missing[0]} is not installed; what is done with archives and "
            "brokers needs it. Run: pip install 'dynadeep[cloud]'"
        )
