"""Try random networks and say how many were tried, refused and wrong.

python -m tests.graphs --count 2000 --json
"""

import argparse
import json
import sys
from dataclasses import dataclass, field

import hypothesis
from hypothesis import HealthCheck, Phase, given, reject

from dynadeep.codegen.errors import ModelError
from tests.firmware.harness import Harness, HarnessDied
from tests.graphs.checking import differences, harness_of_each_kernel_set
from tests.graphs.networks import NETWORKS, STREAMINGS, Drawn, Streaming


@dataclass
class Tally:
    """What came of the networks."""

    tried: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)

    def try_one(self, network: Drawn, streaming: Streaming, harnesses: list[Harness]) -> None:
        """Compare one network and count it."""
        try:
            found = differences(network.content(), network.codes(), streaming, harnesses)
        except ModelError:
            self.refused += 1
            reject()
        except (HarnessDied, RuntimeError, ValueError) as error:  # TFLite's, or a trap
            found = [f"{type(error).__name__}: {error}"]
        self.tried += 1
        if found:
            self.wrong.append(f"{found[0]} ... {network} {streaming}")


def try_networks(count: int, seed: int) -> Tally:
    """Try ``count`` random networks that the kit accepts."""
    tally = Tally()
    with harness_of_each_kernel_set() as harnesses:

        @hypothesis.seed(seed)
        @hypothesis.settings(
            max_examples=count,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(network=NETWORKS, streaming=STREAMINGS)
        def run(network: Drawn, streaming: Streaming) -> None:
            tally.try_one(network, streaming, harnesses)

        run()
    return tally


def main() -> int:
    """Run the command; its exit status is 0 if nothing was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.graphs", description=__doc__)
    parser.add_argument("--count", type=int, default=2000, help="networks to try")
    parser.add_argument("--seed", type=int, default=0, help="others for another number")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    options = parser.parse_args()
    tally = try_networks(options.count, options.seed)
    if options.json:
        counts = {"tried": tally.tried, "refused": tally.refused, "wrong": len(tally.wrong)}
        print(json.dumps(counts))
    else:
        print(f"{tally.tried} networks tried, {len(tally.wrong)} wrong; {tally.refused} refused")
    for line in tally.wrong:
        print(line, file=sys.stderr)
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
