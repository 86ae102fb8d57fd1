"""The version of the kit, which stands in everything that it writes."""

from importlib import metadata


def kit_version() -> str:
    """Return the installed version, the one of pyproject.toml."""
    return metadata.version("dynadeep")
