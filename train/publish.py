"""Ship a trained checkpoint: python -m dynadeep.train.publish RUN_FOLDER NAME [DATA].

The decoder's weights become float16, which halves the file, and the record's scores are measured
again on what is shipped.
"""

import sys
from dataclasses import replace
from pathlib import Path

from dynadeep.train import checkpoint, evaluate
from dynadeep.train.evaluate import EvaluateConfig


def publish(source: Path, target: Path, data: Path | None = None) -> Path:
    """Write ``source`` to ``target`` with a float16 decoder and freshly measured scores."""
    path = checkpoint.save(checkpoint.load(source), target, half_decoder=True)
    scores = evaluate.evaluate(EvaluateConfig(path, data)).scores
    shipped = checkpoint.load(path)
    if shipped.promise is not None:
        # Its heads predict the tasks' losses: held against PRD they mean nothing.
        scores = {
            level: {k: figures[k] for k in ("prd", "prdn")} for level, figures in scores.items()
        }
    shipped = replace(shipped, training=replace(shipped.training, scores=scores))
    return checkpoint.save(shipped, path, half_decoder=True)


if __name__ == "__main__":
    publish(
        Path(sys.argv[1]) / "checkpoint",
        checkpoint.PRETRAINED_FOLDER / sys.argv[2],
        Path(sys.argv[3]) if len(sys.argv) > 3 else None,
    )
