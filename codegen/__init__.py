"""Turn a bundle into C sources."""

from dynadeep.codegen.version import __version__ as __version__
