"""What a run takes from whoever started it: nothing that a test could hang on."""

import os
import signal
import time

from tests.caching import CACHE

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGCHLD)

# What compilers, terminals, packages and this kit would read.
FORGOTTEN = (
    *("LANGUAGE", "LC_CTYPE", "LC_NUMERIC", "LC_TIME", "LC_COLLATE", "LC_MESSAGES"),
    *(
        "COLUMNS",
        "LINES",
        "NO_COLOR",
        "FORCE_COLOR",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "TTY_COMPATIBLE",
    ),
    *("CI", "BUILD_NUMBER", "GITHUB_ACTIONS", "PY_COLORS", "PYTEST_ADDOPTS"),
    *("CC", "CXX", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "CPATH", "LIBRARY_PATH"),
    *("CMAKE_GENERATOR", "CMAKE_PREFIX_PATH", "MAKEFLAGS", "NINJA_STATUS", "SOURCE_DATE_EPOCH"),
    *("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "PYTHONWARNINGS"),
    *("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"),
)


def become_neutral() -> None:
    """Make this process, and so all that it starts, the same whoever started it."""
    for name in FORGOTTEN:
        os.environ.pop(name, None)
    home = CACHE / "home"
    home.mkdir(parents=True, exist_ok=True)
    os.environ |= {"LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", "TZ": "UTC", "TERM": "dumb"}
    os.environ |= {
        "HOME": str(home),
        "MPLCONFIGDIR": str(CACHE / "matplotlib"),
        "MPLBACKEND": "agg",
    }
    # The workers share the cores: a library's own threads would only wait for each other.
    os.environ |= {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"}
    time.tzset()
    os.umask(0o022)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    # What was ignored when a program starts stays ignored in it, as SIGINT is for background jobs.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in SIGNALS:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def strange_environment() -> dict[str, str]:
    """Return this process's environment with what has broken programs elsewhere."""
    return os.environ | {
        "LC_ALL": "tr_TR.UTF-8",
        "TZ": "Asia/Kathmandu",
        "CI": "1",
        "GITHUB_ACTIONS": "true",
        "HOME": "/nonexistent",
        "CFLAGS": "-DNO_SUCH=",
        "COLUMNS": "20",
        "FORCE_COLOR": "1",
    }


def become_strange() -> None:
    """Hide files from others, ignore SIGINT as background jobs do, and hold SIGTERM back."""
    os.umask(0o077)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
