"""Groups of options: what several commands take together is listed once, and made into one thing.

A group is a function whose parameters are the options and whose result is what a command works
with. A decorated command has the options in place of the parameter that takes the result.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

Group = Callable[..., Any]


def taking(**groups: Group) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of ``groups``; each parameter of that name gets its result.

    A group that the command has no parameter for stands behind its own options, and is called for
    what it does.
    """

    def wrap(command: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(command).parameters
        options = {name: inspect.signature(group).parameters for name, group in groups.items()}

        @functools.wraps(command)
        def run(**arguments: Any) -> None:
            for name, group in groups.items():
                value = group(**{option: arguments.pop(option) for option in options[name]})
                if name in own:
                    arguments[name] = value
            command(**arguments)

        parameters = [*_spread(own, options)]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        annotations = {parameter.name: parameter.annotation for parameter in parameters}
        run.__annotations__ = annotations | {"return": None}
        return run

    return wrap


def _spread(
    own: Mapping[str, inspect.Parameter], options: Mapping[str, Mapping[str, inspect.Parameter]]
) -> list[inspect.Parameter]:
    """Return a command's parameters with each group's options in the place of its name."""
    spread = [
        parameter
        for name, own_parameter in own.items()
        for parameter in (options[name].values() if name in options else [own_parameter])
    ]
    appended = [
        parameter
        for name, group in options.items()
        if name not in own
        for parameter in group.values()
    ]
    return [*spread, *appended]
