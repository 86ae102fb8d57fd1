"""Turn a bundle into C sources."""
