"""Try random networks and say how many were tried, refused and wrong.

python -m tests.graphs --count 2000 --json
"""

import argparse
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.firmware.emulated import CORES
from tests.graphs.checking import harness_of_each_kernel_set
from tests.graphs.cores import differ_on_core, sample_cases
from tests.graphs.networks import NETWORKS, only
from tests.graphs.tally import Tally, try_networks

FIRMWARE = 25  # networks in one firmware


def main() -> int:
    """Run the command; its exit status is 0 if nothing was wrong and every operator ran."""
    options = _parser().parse_args()
    networks = only(options.operators) if options.operators else NETWORKS
    with harness_of_each_kernel_set() as harnesses:
        tally = try_networks(networks, options.count, options.seed, harnesses)
    tally.wrong += _wrong_on_cores(options.cores, options.seed)
    if options.json:
        print(json.dumps({**_record(tally), "on_cores": options.cores}))
    else:
        _print(tally)
    for line in tally.wrong:
        print(line, file=sys.stderr)
    return 1 if tally.wrong or tally.never_run else 0


def _wrong_on_cores(count: int, seed: int) -> list[str]:
    """Try networks on all emulated cores; return what was wrong."""
    wrong: list[str] = []
    for begin in range(0, count, FIRMWARE):
        cases = sample_cases(min(FIRMWARE, count - begin), seed + begin)
        for core in CORES:
            with TemporaryDirectory() as folder:
                try:
                    wrong += differ_on_core(core, cases, Path(folder))
                except Exception as error:  # of the kit, the compiler or the emulator
                    wrong.append(f"{core.name} {type(error).__name__}: {error}")
    return wrong


def _record(tally: Tally) -> dict[str, object]:
    return {
        "tried": tally.tried,
        "refused": tally.refused,
        "wrong": len(tally.wrong),
        "never_run": tally.never_run,
        "operators": {
            name: {"drawn": drawn, "run": run, "refused": refused}
            for name, drawn, run, refused in tally.table()
        },
    }


def _print(tally: Tally) -> None:
    print(f"{'operator':<26}{'drawn':>8}{'ran':>8}{'refused for it':>16}")
    for name, drawn, run, refused in tally.table():
        print(f"{name:<26}{drawn:>8}{run:>8}{refused:>16}")
    for reason, count in tally.reasons.most_common(12):
        print(f"{count:>5} refused: {reason}")
    if tally.never_run:
        print(f"never ran: {', '.join(tally.never_run)}")
    print(f"{tally.tried} networks tried, {len(tally.wrong)} wrong; {tally.refused} refused")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.graphs", description=__doc__)
    parser.add_argument("operators", nargs="*", help="draw only these (all)")
    parser.add_argument("--count", type=int, default=2000, help="networks to try")
    parser.add_argument("--cores", type=int, default=0, help="networks on emulated cores (0)")
    parser.add_argument("--seed", type=int, default=0, help="others for another number")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
