"""What a device may be called, for who needs no broker to know."""

import re

DEVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
"""A device's name: a part of a topic, and of a path."""
