"""Train an example network: python -m tests.networks train NAME --data FOLDER."""

import argparse
import sys
from pathlib import Path

from dynadeep.train.errors import TrainError
from tests.networks import example


def train(name: str, data: Path) -> None:
    """Train a network into build/networks, or go on where that was interrupted."""
    folder = example.TRAINED / name
    folder.mkdir(parents=True, exist_ok=True)
    module = example.load(name)
    module.train(data, folder)
    print(f"{name}: {module.score(example.in_float(module.network()), data)}")


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.networks", description=__doc__)
    parser.add_argument("command", choices=["train"])
    parser.add_argument("name", choices=example.NAMES)
    parser.add_argument("--data", type=Path, required=True, help="folder with both databases")
    options = parser.parse_args()
    try:
        train(options.name, options.data)
    except TrainError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
