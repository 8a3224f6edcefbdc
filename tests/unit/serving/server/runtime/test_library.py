"""TensorFlow's C library is opened, or one line says why it cannot be."""

from __future__ import annotations

import importlib.util
from _ctypes import FUNCFLAG_PYTHONAPI
from importlib import metadata
from pathlib import Path

import numpy.random.mtrand
import pytest

from serving.protocol.status import Code, StatusError
from serving.server.runtime.library import _SUFFIX, Library, NoTensorFlow, library


def test_the_library_is_the_installed_tensorflow():
    assert library().version == metadata.version("tensorflow")


def test_it_is_opened_once():
    assert library() is library()


def test_a_bad_status_is_an_error_with_tensorflows_code_and_text():
    lib = library()
    status, options = lib.NewStatus(), lib.NewSessionOptions()
    lib.check(status)
    lib.SetConfig(options, b"\xff", 1, status)
    with pytest.raises(StatusError, match="Unparseable ConfigProto") as caught:
        lib.check(status)
    assert caught.value.code is Code.INVALID_ARGUMENT
    lib.DeleteSessionOptions(options)
    lib.DeleteStatus(status)


@pytest.mark.parametrize("name", ["LoadSessionFromSavedModel", "SessionRun", "CloseSession", "DeleteSession"])
def test_calls_that_take_long_let_other_threads_run(name):
    assert not type(getattr(library(), name))._flags_ & FUNCFLAG_PYTHONAPI
    assert type(library().NumDims)._flags_ & FUNCFLAG_PYTHONAPI  # and short ones do not, which costs less


def test_a_function_that_is_not_bound_is_no_attribute():
    assert not hasattr(library(), "NoSuchFunction")


@pytest.mark.parametrize("spec", [None, importlib.util.spec_from_loader("tensorflow", None)], ids=["absent", "a module"])
def test_no_tensorflow_says_what_to_install(monkeypatch, spec):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    with pytest.raises(NoTensorFlow, match=r"not installed: pip install 'sluiceway\[server\]'"):
        library.__wrapped__()


def test_a_folder_without_the_library_is_named(tmp_path):
    with pytest.raises(NoTensorFlow, match=f"C library in {tmp_path} cannot be used: .*cannot open shared object file"):
        Library(tmp_path)


def test_a_library_without_the_functions_is_named(tmp_path):
    for name in ("framework", "cc"):
        (tmp_path / f"libtensorflow_{name}{_SUFFIX}").symlink_to(Path(numpy.random.mtrand.__file__))
    with pytest.raises(NoTensorFlow, match=f"C library in {tmp_path} cannot be used: .*undefined symbol: TF_"):
        Library(tmp_path)
