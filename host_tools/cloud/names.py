"""Names that gateway and collector share."""

import re

DEVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
"""A device's name: a part of a topic, and of a path."""

PACKETS_TOPIC = "dynadeep/{}/packets"


def device_of_topic(topic: str) -> str:
    """Return the device whose packets a topic carries; empty if it is no topic of packets."""
    before, after = PACKETS_TOPIC.split("{}")
    if not (topic.startswith(before) and topic.endswith(after)):
        return ""
    return topic[len(before) : -len(after)]
