"""Decode lossless samples as fast as this computer can: by the kit's C, where there is a compiler.

``rice.py`` is the definition, and decodes where there is none, many times slower; both give the
same samples and refuse the same bytes.
"""

import ctypes
import functools
import logging
from collections.abc import Sequence
from importlib import resources
from typing import Any

import numpy as np

from dynadeep.codegen.errors import DynadeepError
from dynadeep.host_tools.codec import rice
from dynadeep.host_tools.codec.rice import Bools, Samples
from dynadeep.host_tools.compiled import compiled

SOURCES = {
    "dd_rice_decode.c": "host",
    "dd_rice_decode.h": "host",
    "dd_rice.h": "runtime",
    "dd_rice_model.h": "runtime",
}
"""And their folder among the templates. What is learnt of the samples is the firmware's own C."""


def decode_all(coded: Sequence[bytes], count: int) -> tuple[Samples, Bools]:
    """Return segments of ``count`` samples each, int16 [N, T], and which an encoder made, bool [N].

    The samples of the others are 0.
    """
    library = _library()
    if isinstance(library, str):
        return rice.decode_all(coded, count)
    offsets = np.zeros(len(coded) + 1, np.int64)
    np.cumsum([len(data) for data in coded], out=offsets[1:])
    samples = np.empty((len(coded), count), np.int16)
    right = np.empty(len(coded), np.uint8)
    library.dd_rice_decode_all(
        b"".join(coded),
        offsets.ctypes.data,
        len(coded),
        samples.ctypes.data,
        count,
        right.ctypes.data,
    )
    return samples, right.astype(np.bool_)


def why_slow() -> str:
    """Say why numpy decoded level none, or nothing where it did not, or there was no such level."""
    library = _library() if _library.cache_info().currsize else None
    if not isinstance(library, str):
        return ""
    return f"level none was decoded by numpy, which takes many times as long: {library}"


@functools.cache
def _library() -> Any:
    """Return the compiled decoder, or why there is none."""
    folder = resources.files("dynadeep.firmware_templates")
    sources = {name: (folder / where / name).read_bytes() for name, where in SOURCES.items()}
    try:
        library = ctypes.CDLL(str(compiled("rice_decode", sources, "the decoder of level none")))
    except (DynadeepError, OSError) as error:  # a cache that cannot be written, a broken compiler
        logging.getLogger(__name__).warning("numpy decodes level none: %s", error)
        return str(error)
    size, pointer = ctypes.c_size_t, ctypes.c_void_p
    library.dd_rice_decode_all.argtypes = (ctypes.c_char_p, pointer, size, pointer, size, pointer)
    library.dd_rice_decode_all.restype = None
    return library
