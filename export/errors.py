"""The errors of the export stage.

    ExportError                  (codegen/errors.py: DynadeepError) exit status 5
    +-- UnsupportedOpError       the network uses an ONNX operation that has no lowering
    +-- QuantizationError        the int8 model is degenerate, or not of the form that was asked for
    +-- CalibrationError         the calibration records cannot be used
    +-- DisagreementError        two runtimes that must agree do not

Missing packages are MissingDependencyError, bad checkpoints train's CheckpointError.
"""

from dynadeep.codegen.errors import DynadeepError


class ExportError(DynadeepError):
    """Something in the export stops it: what, with which value, and what to do."""

    exit_status = 5


class UnsupportedOpError(ExportError):
    """The network uses an ONNX operation, or a form of one, that has no lowering."""


class QuantizationError(ExportError):
    """The int8 model is degenerate, or is not of the form that the rest of the kit needs."""


class CalibrationError(ExportError):
    """The calibration records cannot be used."""


class DisagreementError(ExportError):
    """Two runtimes that must agree on the same model do not."""
