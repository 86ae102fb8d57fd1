"""Figures of the paper, as reference marks: none of them is ours, none is computed."""

from dataclasses import dataclass

DIGITISED = "read off the paper's plot, about 0.01 in loss and 0.1 in CG"
MATCHED_GAIN = 52.2
"""The mean CG of the paper's second operating point, which ours is brought to."""


@dataclass(frozen=True)
class Published:
    """A row of the paper's Table I; None where it gives no figure."""

    name: str
    mean_cg: float
    f1: float
    error_percent: float | None = None
    violations: float | None = None


TABLE1 = (
    Published("LZ77", 2.7, 0.87),
    Published("CAE", 32.25, 0.20, 2.73, 0.1021),
    Published("Dynamic-Deep #1", 48.31, 0.73, 3.81, 0.0),
    Published("Dynamic-Deep #2", 52.2, 0.69, 4.2, 0.0),
)

# Bound: (average CG, effective loss), by the levels that the oracle may take beside none.
ORACLES: dict[tuple[str, ...], dict[float, tuple[float, float]]] = {
    ("32", "64"): {
        0.1: (20.6, 0.023),
        0.3: (31.1, 0.073),
        0.5: (37.1, 0.133),
        0.75: (42.2, 0.21),
        1.0: (45.8, 0.284),
        1.5: (51.2, 0.448),
        1.9: (55.1, 0.605),
    },
    ("64",): {
        0.1: (10.6, 0.009),
        0.3: (21.3, 0.041),
        0.5: (27.5, 0.080),
        0.75: (34.2, 0.146),
        1.0: (38.8, 0.211),
        1.5: (45.4, 0.339),
        1.9: (50.2, 0.473),
    },
    ("32",): {
        0.1: (15.3, 0.019),
        0.3: (20.3, 0.050),
        0.5: (22.9, 0.083),
        0.75: (24.35, 0.112),
        1.0: (25.4, 0.143),
        1.9: (29.2, 0.313),
    },
}

# Level: mean PRD in percent of the shared encoder on MIT-BIH, windows on [0, 1], split by window.
RECONSTRUCTION = {"32": 5.92, "64": 7.41}

# Level: cross entropy per record, Q1, median, Q3, mean.
QUARTILES = {
    "none": (0.018, 0.055, 0.227, 0.31),
    "32": (0.036, 0.127, 0.709, 0.575),
    "64": (0.191, 0.682, 1.81, 1.02),
}

# Parameters and bytes (float32) of the encoders, as printed in Table II.
TABLE2 = {
    "CAE32": ("133K", "532 KB"),
    "two CAE32": ("266K", "1064 KB"),
    "two encoders, not shared": ("168K", "678 KB"),
    "one shared encoder": ("83K", "332 KB"),
}
