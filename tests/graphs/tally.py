"""What came of random networks, operator by operator."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import hypothesis
from hypothesis import given
from hypothesis import strategies as st

from dynadeep.codegen.errors import ModelError
from dynadeep.codegen.tflite import OPERATORS
from tests.firmware.harness import Harness
from tests.graphs.checking import differences
from tests.graphs.draws import DRAWS
from tests.graphs.networks import STREAMINGS, Drawn, Streaming, build, generating

NAME = re.compile(r"\b[A-Z][A-Z0-9_]+\b")


@dataclass
class Tally:
    """Networks by what came of them, and by operator how many networks had one."""

    tried: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)
    drawn: Counter[str] = field(default_factory=Counter)
    run: Counter[str] = field(default_factory=Counter)
    blamed: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def try_one(
        self, network: Drawn, streaming: Streaming, harnesses: Sequence[Harness]
    ) -> list[str]:
        """Compare one network and count it; return what was wrong."""
        model = build(network)
        operators = {OPERATORS[op.code] for op in model.ops}
        self.drawn.update(operators)
        try:
            problems = differences(model.build(), network.codes(), streaming, harnesses)
        except ModelError as error:
            self._count_refusal(str(error), operators)
            return []
        except Exception as error:  # of the kit, TFLite, or a trap
            problems = [f"{type(error).__name__}: {error}"]
        self.tried += 1
        self.run.update(operators)
        if problems:
            self.wrong.append(f"{problems[0]} ... {network} {streaming}")
        return problems

    def _count_refusal(self, words: str, operators: set[str]) -> None:
        self.refused += 1
        named = set(NAME.findall(words.split("Use one of", maxsplit=1)[0])) & operators
        self.blamed.update(named or {"the network"})
        self.reasons[re.sub(r'"[^"]*"|\d+|\[[^]]*\]', "#", words)] += 1

    @property
    def never_run(self) -> list[str]:
        """The operators of which no network ran."""
        return [name for name in DRAWS if self.drawn[name] and not self.run[name]]

    def table(self) -> list[tuple[str, int, int, int]]:
        """Return for each operator in how many networks it was drawn, ran, and was refused."""
        return [
            (name, count, self.run[name], self.blamed[name])
            for name, count in sorted(self.drawn.items())
        ]


def try_networks(
    networks: st.SearchStrategy[Drawn], count: int, seed: int, harnesses: Sequence[Harness]
) -> Tally:
    """Try ``count`` random networks that the kit accepts."""
    tally = Tally()

    @hypothesis.seed(seed)
    @generating(count)
    @given(network=networks, streaming=STREAMINGS)
    def run(network: Drawn, streaming: Streaming) -> None:
        refused = tally.refused
        tally.try_one(network, streaming, harnesses)
        if tally.refused > refused:
            hypothesis.reject()

    run()
    return tally
