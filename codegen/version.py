"""The version of the kit, which stands in everything that it writes."""

from importlib import metadata

__version__ = metadata.version("dynadeep")
"""The installed version, the one of pyproject.toml."""
