"""Measure what predictions are made from, and how far off they are.

python -m tests.prediction sizes    flash: codegen/code_sizes.toml
"""

import argparse

from dynadeep.codegen.code_size import SIZES
from dynadeep.codegen.files import write_whole
from tests.caching import ROOT
from tests.prediction import sizes
from tests.prediction.counting import EMULATED


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.prediction", description=__doc__)
    parser.add_argument("what", choices=("sizes",))
    parser.parse_args()
    write_whole(ROOT / "codegen" / SIZES, sizes.text_of(sizes.measure(list(EMULATED))))


if __name__ == "__main__":
    main()
