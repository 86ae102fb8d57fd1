"""The errors of the training stage.

TrainError              (codegen/errors.py: DynadeepError) exit status 4
+-- DataError           a record or a data folder cannot be used
+-- CheckpointError     a checkpoint is not one, is damaged, or is another model's
+-- TrainingFailedError the run itself went wrong: not a number, or a head that died
"""

from dynadeep.codegen.errors import DynadeepError


class TrainError(DynadeepError):
    """Something in training stops it: what, with which value, and what to do."""

    exit_status = 4


class DataError(TrainError):
    """A record or a data folder cannot be used."""


class CheckpointError(TrainError):
    """A checkpoint cannot be read, is damaged, or belongs to another model."""


class TrainingFailedError(TrainError):
    """A training run produced nothing usable."""
