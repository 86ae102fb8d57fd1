"""Lower one TFLite operator per module."""
