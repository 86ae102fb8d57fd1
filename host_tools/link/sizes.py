"""How large a frame a line lets through: whole requests on a good one, small pieces on a bad one.

A frame of n bytes comes through whole with (1 - e)^n if one byte in 1/e is spoilt: 4 KB at one in
a thousand hardly ever, 128 bytes nearly always.
"""

LEAST_BYTES, FIRST_BYTES, MOST_BYTES = 64, 512, 4096
GOOD_RUN = 8
"""Frames that have to come through one after the other before larger ones are tried."""

UNLIMITED = 1 << 17
"""More than any payload has."""


class FrameSize:
    """The most payload that a frame should carry now."""

    def __init__(self) -> None:
        self.limit = UNLIMITED
        self._good = 0

    @property
    def disturbed(self) -> bool:
        """Whether the line has spoilt something lately."""
        return self.limit < UNLIMITED

    def failed(self) -> None:
        """Take note of a frame, either way, that did not come through."""
        self._good = 0
        self.limit = max(LEAST_BYTES, min(FIRST_BYTES, self.limit // 2))

    def passed(self) -> None:
        """Take note of a request that was answered at once."""
        self._good += 1
        if self._good >= GOOD_RUN and self.disturbed:
            self._good = 0
            self.limit = self.limit * 2 if self.limit < MOST_BYTES else UNLIMITED
