"""TensorFlow's C API (tensorflow/c/c_api.h), bound by ctypes.

The library that ``import tensorflow`` takes seconds to wrap is opened here in a fraction of one. Long calls, a load as much as a run, let
go of the interpreter lock, so a swap costs the requests under way next to nothing; and its SavedModel loader and session are the ones that
TF Serving is made of.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import sys
from pathlib import Path
from typing import Any, NoReturn

from configs.errors import SluicewayError
from serving.protocol.status import Code, StatusError

Pointer = ctypes.c_void_p


class Buffer(ctypes.Structure):
    """TF_Buffer."""

    _fields_ = (("data", Pointer), ("length", ctypes.c_size_t), ("deallocator", Pointer))


class Output(ctypes.Structure):
    """TF_Output: one output of one operation of a graph."""

    _fields_ = (("operation", Pointer), ("index", ctypes.c_int))


# void (*deallocator)(void* data, size_t len, void* arg)
Deallocator = ctypes.CFUNCTYPE(None, Pointer, ctypes.c_size_t, Pointer)

_INT, _SIZE, _INT64, _TEXT = ctypes.c_int, ctypes.c_size_t, ctypes.c_int64, ctypes.c_char_p
_BUFFER, _OUTPUTS, _POINTERS = ctypes.POINTER(Buffer), ctypes.POINTER(Output), ctypes.POINTER(Pointer)
_SHAPE = ctypes.POINTER(_INT64)

# name: (result, arguments)
_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "TF_Version": (_TEXT, ()),
    "TF_NewStatus": (Pointer, ()),
    "TF_DeleteStatus": (None, (Pointer,)),
    "TF_GetCode": (_INT, (Pointer,)),
    "TF_Message": (_TEXT, (Pointer,)),
    "TF_NewBuffer": (_BUFFER, ()),
    "TF_DeleteBuffer": (None, (_BUFFER,)),
    "TF_NewGraph": (Pointer, ()),
    "TF_DeleteGraph": (None, (Pointer,)),
    "TF_NewSessionOptions": (Pointer, ()),
    "TF_DeleteSessionOptions": (None, (Pointer,)),
    "TF_SetConfig": (None, (Pointer, _TEXT, _SIZE, Pointer)),
    "TF_LoadSessionFromSavedModel": (Pointer, (Pointer, Pointer, _TEXT, ctypes.POINTER(_TEXT), _INT, Pointer, _BUFFER, Pointer)),
    "TF_CloseSession": (None, (Pointer, Pointer)),
    "TF_DeleteSession": (None, (Pointer, Pointer)),
    "TF_GraphOperationByName": (Pointer, (Pointer, _TEXT)),
    "TF_OperationNumOutputs": (_INT, (Pointer,)),
    "TF_SessionRun": (None, (Pointer, Pointer, _OUTPUTS, _POINTERS, _INT, _OUTPUTS, _POINTERS, _INT, Pointer, _INT, Pointer, Pointer)),
    "TF_AllocateTensor": (Pointer, (_INT, _SHAPE, _INT, _SIZE)),
    "TF_NewTensor": (Pointer, (_INT, _SHAPE, _INT, Pointer, _SIZE, Deallocator, Pointer)),
    "TF_DeleteTensor": (None, (Pointer,)),
    "TF_TensorType": (_INT, (Pointer,)),
    "TF_NumDims": (_INT, (Pointer,)),
    "TF_Dim": (_INT64, (Pointer, _INT)),
    "TF_TensorByteSize": (_SIZE, (Pointer,)),
    "TF_TensorData": (Pointer, (Pointer,)),
    "TF_StringCopy": (None, (Pointer, _TEXT, _SIZE)),
    "TF_StringDealloc": (None, (Pointer,)),
    "TF_StringGetSize": (_SIZE, (Pointer,)),
    "TF_StringGetDataPointer": (Pointer, (Pointer,)),
}
_LONG = frozenset({"TF_LoadSessionFromSavedModel", "TF_SessionRun", "TF_CloseSession", "TF_DeleteSession", "TF_DeleteGraph"})
_SUFFIX = ".2.dylib" if sys.platform == "darwin" else ".so.2"


class NoTensorFlow(SluicewayError):
    """TensorFlow is not installed, or is a build that this server does not know."""


class Library:
    """The functions of `_FUNCTIONS`, as attributes without their prefix: ``library.SessionRun``."""

    def __init__(self, folder: Path) -> None:
        try:
            # Not RTLD_GLOBAL: TensorFlow 2.16's symbols would then stand in for those of other libraries, and numpy's random numbers crash.
            ctypes.CDLL(str(folder / f"libtensorflow_framework{_SUFFIX}"))
            path = str(folder / f"libtensorflow_cc{_SUFFIX}")
            # Most functions take less time than letting go of the interpreter lock, and waiting for it again among busy threads.
            holding, releasing = ctypes.PyDLL(path), ctypes.CDLL(path)
            for name, (result, arguments) in _FUNCTIONS.items():
                function = getattr(releasing if name in _LONG else holding, name)
                function.restype, function.argtypes = result, list(arguments)
                setattr(self, name.removeprefix("TF_"), function)
        except (OSError, AttributeError) as error:
            raise NoTensorFlow(f"TensorFlow's C library in {folder} cannot be used: {error}") from error
        self.version = str(self.Version().decode())

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)  # for type checkers: all functions are set in __init__

    def check(self, status: int) -> None:
        """Raise the StatusError that a TF_Status holds; nothing when it is OK."""
        if code := self.GetCode(status):
            raise StatusError(Code(code), self.Message(status).decode("utf-8", "replace"))


@functools.cache
def library() -> Library:
    """TensorFlow's C library, opened once. Raises NoTensorFlow."""
    spec = importlib.util.find_spec("tensorflow")
    if spec is None or not spec.submodule_search_locations:
        _missing()
    return Library(Path(next(iter(spec.submodule_search_locations))))


def _missing() -> NoReturn:
    raise NoTensorFlow("serving needs TensorFlow, which is not installed: pip install 'sluiceway[server]'")
