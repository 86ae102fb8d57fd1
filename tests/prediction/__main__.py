"""Measure what predictions are made from, and how far off they are.

python -m tests.prediction sizes     flash, of every C file and core: codegen/code_sizes.toml
python -m tests.prediction fit       instructions and cycles: codegen/kernel_costs.toml
python -m tests.prediction judge     the worst errors on networks that nothing was fitted to
"""

import argparse
import sys

from dynadeep.codegen.code_size import SIZES
from dynadeep.codegen.files import write_whole
from dynadeep.codegen.prediction import COSTS
from tests.caching import ROOT
from tests.prediction import fit, judge, sizes
from tests.prediction.counting import EMULATED


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.prediction", description=__doc__)
    parser.add_argument("what", choices=("sizes", "fit", "judge"))
    parser.add_argument("--core", action="append", help="judge this one alone", choices=EMULATED)
    arguments = parser.parse_args()
    if arguments.what == "sizes":
        text = sizes.text_of(sizes.measure(list(EMULATED)))
        write_whole(ROOT / "codegen" / SIZES, text)
    elif arguments.what == "fit":
        write_whole(ROOT / "codegen" / COSTS, fit.text_of(fit.fit(list(EMULATED))))
    else:
        for line in judge.table(arguments.core or list(EMULATED)):
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
