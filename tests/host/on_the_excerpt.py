"""The command line as a process of its own, the committed excerpt of CinC 2017 for all of it."""

from pathlib import Path

from dynadeep.host_tools.cli import main
from dynadeep.train.data import cinc2017
from dynadeep.train.data.cinc2017 import SAMPLE, Split


def _excerpt(folder: Path, **_options: object) -> Split:
    return _WHOLE(folder, parts=SAMPLE)


_WHOLE = cinc2017.read_split

if __name__ == "__main__":
    cinc2017.read_split = _excerpt  # type: ignore[assignment]
    main()
