"""Train the example networks, and measure what a board makes of them.

python -m tests.networks train NAME ... --data FOLDER    weights, into build/networks
python -m tests.networks score NAME ... --data FOLDER    models/NAME.tflite, in float and in int8
python -m tests.networks measure NAME ...                that file on an emulated board

The last two write benchmarks/networks.json and benchmarks/networks.md.
"""

import argparse
import sys
from dataclasses import asdict
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


def score(name: str, data: Path) -> None:
    """Import a trained network and score it."""
    from tests.networks import measuring  # needs TensorFlow

    found = measuring.score(name, data)
    measuring.record(name, asdict(found))
    print(f"{name}: {found}")


def measure(name: str) -> None:
    """Measure a network that was imported."""
    from tests.networks import measuring  # needs TensorFlow

    found = measuring.cost(name)
    measuring.record(name, asdict(found))
    print(f"{name}: {found}")


def main() -> int:
    """Run the command; its exit status is 0 if all went well."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.networks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=["train", "score", "measure"])
    parser.add_argument("names", nargs="+", choices=example.NAMES, metavar="NAME")
    parser.add_argument("--data", type=Path, help="folder with both databases")
    options = parser.parse_args()
    if (options.data is None) != (options.command == "measure"):
        parser.error("train and score need --data, measure takes none")
    try:
        for name in options.names:
            if options.command == "measure":
                measure(name)
            else:
                (train if options.command == "train" else score)(name, options.data)
    except DynadeepError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
