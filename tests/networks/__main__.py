"""Train the example networks, and measure what a board makes of them.

python -m tests.networks train NAME ... --data FOLDER      into build/networks
python -m tests.networks measure NAME ... --data FOLDER    tests/networks/models, the results
"""

import argparse
import sys
from pathlib import Path

from dynadeep.codegen.errors import DynadeepError
from tests.networks import example


def train(name: str, data: Path) -> None:
    """Train a network into build/networks, or go on where that was interrupted."""
    folder = example.TRAINED / name
    folder.mkdir(parents=True, exist_ok=True)
    module = example.load(name)
    module.train(data, folder)
    print(f"{name}: {module.score(example.in_float(module.network()), data)}")


def measure(name: str, data: Path) -> None:
    """Import, score and measure a trained network, and write its figures."""
    from tests.networks import measuring  # needs TensorFlow

    found = measuring.measure(name, data)
    measuring.write(found)
    print(found)


COMMANDS = {"train": train, "measure": measure}


def main() -> int:
    """Run the command; its exit status is 0 if all went well."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.networks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("names", nargs="+", choices=example.NAMES, metavar="NAME")
    parser.add_argument("--data", type=Path, required=True, help="folder with both databases")
    options = parser.parse_args()
    try:
        for name in options.names:
            COMMANDS[options.command](name, options.data)
    except DynadeepError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
