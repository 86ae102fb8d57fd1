"""Which of a recording's channels is the ECG: by its name, and never unsaid."""

import re
from collections.abc import Sequence

from dynadeep.host_tools.errors import EcgError
from dynadeep.host_tools.recordings.channel import Channel, Recording

_LEADS = frozenset(
    [*("i", "ii", "iii", "avr", "avl", "avf", "v", "vx", "vy", "vz", "d1", "d2", "d3")]
    + [*("mli", "mlii", "mliii", "cm2", "cm4", "cm5", "cc5", "cs5", "mcl1", "mcl6")]
    + [f"{kind}{n}{side}" for kind in ("v", "mv") for n in range(1, 10) for side in ("", "r")]
)
_SEPARATORS = re.compile(r"[\s_.:#/-]+")
_SAY_NOTHING = frozenset({"", "lead", "raw", "filtered"})
_NAMELESS = re.compile(
    r"(?:ch|chan|channel|signal|sig|col|column|adc|value|values|sample|samples|data|record|x)?"
    r"[\s_.#-]*\d*",
    re.IGNORECASE,
)


def is_lead(name: str) -> bool:
    """Return whether a channel's name is one of an ECG lead: MLII, V5, aVR, ECG 1 ..."""
    words = [word for word in _SEPARATORS.split(name.lower()) if word not in _SAY_NOTHING]
    if any(word.startswith(("ecg", "ekg")) for word in words):
        return True
    return len(words) == 1 and words[0] in _LEADS


def choose(recording: Recording, requested: str | None) -> tuple[Channel, str]:
    """Return the channel to take, and what to say of the choice.

    Without ``requested``, a name or a number from 0: the first of the channels that are called as
    ECG leads are; a single one may be nameless.

    Raises:
        EcgError: no channel is an ECG by its name, or none is called ``requested``.
    """
    channels = recording.channels
    index = _automatic(recording) if requested is None else _named(recording, requested)
    channel = channels[index]
    if not channel.is_voltage:
        raise EcgError(
            f"{recording.name}: channel {_label(channels, index)} is in {channel.unit}, which is "
            f"no voltage. {_channel_list(channels)}"
        )
    leads = sum(is_lead(channel.name) for channel in channels)
    more = f", the first of {leads} leads" if requested is None and leads > 1 else ""
    if len(channels) == 1:
        return channel, f"channel {channel.name}" if channel.name else "its only channel"
    return channel, f"channel {_label(channels, index)} of {len(channels)}{more}"


def _automatic(recording: Recording) -> int:
    channels = recording.channels
    leads = [
        i for i, channel in enumerate(channels) if is_lead(channel.name) and channel.is_voltage
    ]
    if leads:
        return leads[0]
    if len(channels) == 1 and _NAMELESS.fullmatch(channels[0].name.strip()):
        return 0
    if len(channels) == 1:
        raise EcgError(
            f"{recording.name}: its only channel is called {channels[0].name!r}, which is no ECG "
            "lead that the kit knows. If it is one, say --channel 0."
        )
    raise EcgError(
        f"{recording.name}: {len(channels)} channels, and no name says which is the ECG. "
        f"{_channel_list(channels)}"
    )


def _named(recording: Recording, requested: str) -> int:
    channels = recording.channels
    matches = [
        i for i, channel in enumerate(channels) if channel.name.lower() == requested.strip().lower()
    ]
    if len(matches) == 1:
        return matches[0]
    if len(matches) > 1:
        numbers = ", ".join(map(str, matches))
        raise EcgError(
            f"{recording.name}: channels {numbers} are all called {requested!r}. "
            "Name one by its number with --channel."
        )
    if requested.strip().isdecimal() and len(requested) < 6 and int(requested) < len(channels):
        return int(requested)
    raise EcgError(f"{recording.name}: has no channel {requested!r}. {_channel_list(channels)}")


def _channel_list(channels: Sequence[Channel]) -> str:
    listing = ", ".join(_label(channels, i) for i in range(min(len(channels), 16)))
    return f"Name one with --channel: {listing}{' ...' if len(channels) > 16 else ''}."


def _label(channels: Sequence[Channel], index: int) -> str:
    return f"{index} ({channels[index].name})" if channels[index].name else str(index)
