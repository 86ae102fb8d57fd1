"""Run one Python target under atheris: ``python -m fuzz.watch TARGET`` and libFuzzer's options."""

import importlib
import os
import random
import resource
import sys
from collections.abc import Callable
from types import ModuleType

from dynadeep.codegen.errors import MissingDependencyError
from fuzz.mutate import mutate
from fuzz.readers import TARGETS

MEMORY_BYTES = 1 << 30
"""What reading one input may take beyond what the imported packages take."""

INSTALL = "Run: pip install 'dynadeep[fuzz]'"


def main(arguments: list[str]) -> None:
    """Fuzz until libFuzzer's options say to stop; it ends the process itself."""
    name, *options = arguments
    target, atheris = TARGETS[name], import_atheris()
    for module in target.modules:
        _instrument(atheris, module)
    limit_memory()
    atheris.Setup(
        [name, *options], target.accepts, custom_mutator=_mutator(atheris, f"seed{target.suffix}")
    )
    atheris.Fuzz()


def import_atheris() -> ModuleType:
    """Return atheris.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        return importlib.import_module("atheris")
    except ImportError as error:
        raise MissingDependencyError(
            f"the Python package atheris is not installed; the Python targets need it. {INSTALL}"
        ) from error


def limit_memory() -> None:
    """Let this process take little more memory than it has: what wants more gets a MemoryError."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - it is no file
        pages = int(file.read().split()[0])
    limit = pages * os.sysconf("SC_PAGESIZE") + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _instrument(atheris: ModuleType, name: str) -> None:
    """Watch the branches of a module, and of those in it that were imported with it."""
    for module_name, module in sorted(sys.modules.items()):
        if module_name == name or module_name.startswith(f"{name}."):
            for value in vars(module).values():
                _instrument_functions(atheris, value, module_name)


def _instrument_functions(atheris: ModuleType, value: object, module: str) -> None:
    """Watch a function, or a class's own, if it is the module's."""
    if getattr(value, "__module__", None) != module:
        return
    functions = vars(value).values() if isinstance(value, type) else (value,)
    for function in functions:
        plain = getattr(function, "__func__", function)
        if hasattr(plain, "__code__"):
            atheris.instrument_func(plain)


def _mutator(atheris: ModuleType, name: str) -> Callable[[bytes, int, int], bytes]:
    """Change inputs by their kind, and as libFuzzer does, half and half."""

    def change(data: bytes, max_size: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if chance.random() < 0.5:
            return bytes(atheris.Mutate(data, max_size))
        return mutate(name, data, chance)[:max_size]

    return change


if __name__ == "__main__":
    main(sys.argv[1:])
