"""How to draw each operator, a file for a family.

To add one: a frozen dataclass whose ``add`` draws it on a canvas, and its row in ``DRAWS``.
"""

from hypothesis import strategies as st

from tests.graphs.draws import arithmetic, convolutions, in_batches, moves, pools, shapes, tables
from tests.graphs.draws.draw import Draw

DRAWS: dict[str, st.SearchStrategy[Draw]] = {
    **tables.DRAWS,
    **arithmetic.DRAWS,
    **shapes.DRAWS,
    **moves.DRAWS,
    **pools.DRAWS,
    **convolutions.DRAWS,
    **in_batches.DRAWS,
}
"""By the operator; the one that a failure shrinks to first."""
