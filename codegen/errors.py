"""The exception family of the kit.

    DynadeepError
    +-- MissingDependencyError    a package or a program is not installed
    +-- RecordingError            a recording cannot be read, or is not what its header says
    +-- BusyError                 another command is at work in the folder
    +-- CodegenError              codegen/: the model cannot become C
    |   +-- BundleError           the bundle is incomplete, altered or of another format
    |   +-- ModelError            a .tflite is damaged, or holds what the kit cannot run
    |   +-- BoardError            there is no such board, or its description is wrong
    |   +-- OutputError           the generated project cannot be written there
    |   +-- ProjectError          a folder is no generated project, or not of what is expected
    +-- (train/errors.py)         TrainError
    +-- (export/errors.py)        ExportError
    +-- (host_tools/errors.py)    HostError and its kinds

The root stands here because this folder needs no heavy package: every stage may import it.
"""


class DynadeepError(Exception):
    """Say what is wrong, with which value, and what to do; the command line prints it as one line.

    ``exit_status`` is what a command ends with. The table of all of them is in docs/errors.md.
    """

    exit_status = 1


class MissingDependencyError(DynadeepError):
    """A Python package or a program that this stage needs is not installed."""

    exit_status = 3


class BusyError(DynadeepError):
    """Another command is at work in the folder; ``holder`` says which."""

    exit_status = 14

    def __init__(self, message: str, holder: str) -> None:
        super().__init__(message, holder)  # both, so that another process gets it whole
        self.holder = holder

    def __str__(self) -> str:
        return str(self.args[0])


class RecordingError(DynadeepError):
    """A recording cannot be read, or does not hold what its header says."""

    exit_status = 2


class CodegenError(DynadeepError):
    """The bundle or its model cannot be turned into C."""

    exit_status = 6


class BundleError(CodegenError):
    """The bundle is incomplete, altered, or of another format."""


class ModelError(CodegenError):
    """The model file is damaged, or holds an operator, type or shape that the kit cannot run."""


class BoardError(CodegenError):
    """A board is unknown, or its board.toml has a wrong, missing or unknown key."""


class OutputError(CodegenError):
    """The generated project cannot be written where it was asked for."""


class ProjectError(CodegenError):
    """A folder is no generated project, or one that was generated for something else."""


def line_of(error: object, limit: int = 200) -> str:
    """Return what another package's exception says, on one line of at most ``limit`` characters."""
    return " ".join(str(error).split())[:limit]
