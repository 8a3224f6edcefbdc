"""A submodule of tensorflow without the package's own start, here of a package that says when it starts."""

from __future__ import annotations

import importlib
import sys

import pytest

from serving.server.runtime.python_package import import_without_init

INIT = """
import sys
started = "yes"
__version__ = "9.9"
sys.modules[__name__ + ".starts"] = sys.modules.get(__name__ + ".starts", 0) + 1
"""


@pytest.fixture(autouse=True)
def package(tmp_path, monkeypatch):
    """A package of that name comes first on the path; the real one, if it was imported, is put back at the end."""
    (tmp_path / "tensorflow").mkdir()
    (tmp_path / "tensorflow" / "__init__.py").write_text(INIT)
    (tmp_path / "tensorflow" / "piece.py").write_text("value = 7\n")
    kept = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "tensorflow"}
    for name in kept:
        del sys.modules[name]
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "tensorflow"]:
        del sys.modules[name]
    sys.modules.update(kept)


def starts() -> int:
    return sys.modules.get("tensorflow.starts", 0)  # type: ignore[return-value]


def test_a_submodule_comes_without_the_start():
    assert import_without_init("tensorflow.piece").value == 7
    assert starts() == 0


def test_the_first_public_name_starts_the_package_once():
    import_without_init("tensorflow.piece")
    package = importlib.import_module("tensorflow")
    assert (package.started, package.__version__, package.piece.value) == ("yes", "9.9", 7)
    assert starts() == 1
    assert type(package).__name__ == "module"


def test_a_look_at_private_names_starts_nothing():
    import_without_init("tensorflow.piece")
    assert not hasattr(sys.modules["tensorflow"], "__wrapped__")
    assert starts() == 0


def test_the_version_may_be_asked_for_first():
    import_without_init("tensorflow.piece")
    assert sys.modules["tensorflow"].__version__ == "9.9"


def test_a_package_that_has_started_stays_as_it_is():
    before = importlib.import_module("tensorflow")
    import_without_init("tensorflow.piece")
    assert sys.modules["tensorflow"] is before
    assert starts() == 1


def test_a_submodule_that_is_not_there_is_an_import_error():
    with pytest.raises(ImportError, match="nothing"):
        import_without_init("tensorflow.nothing")


def test_no_tensorflow_at_all_is_an_import_error(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(ImportError):
        import_without_init("tensorflow.piece")
