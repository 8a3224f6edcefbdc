"""The notebooks, run in their order on one new state folder: they end well, show what they promise, and leave nothing running."""

from __future__ import annotations

import base64
import io
import os
import re
from typing import Any

import nbformat
import numpy as np
import psutil
import pytest
from nbclient import NotebookClient
from PIL import Image

from tests.e2e.command import ROOT, environment

# One run and one that is half cached, each as long as a run may take, and three kernels that import TensorFlow.
pytestmark = pytest.mark.timeout(1500)

CELL_SECONDS = 560
MOST_LINES = 60
DISPLAYED = {"stream", "display_data", "execute_result"}

Notebook = Any  # nbformat has no types


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Notebook]:
    """Name to executed notebook. A cell that fails raises here, with its traceback."""
    home = tmp_path_factory.mktemp("notebooks")
    variables = {
        **environment(),
        "SLUICEWAY_STATE": str(home / "state"),
        # A person's own settings are not under test, and their history is not ours to write.
        **{name: str(home / name.lower()) for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "MPLCONFIGDIR")},
    }
    done = {}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        client = NotebookClient(notebook, timeout=CELL_SECONDS, kernel_name="python3", resources={"metadata": {"path": str(home)}})
        client.execute(env=variables)  # ends the kernel, also when a cell fails
        done[path.stem] = notebook
    return done


def outputs(notebook: Notebook) -> list[Any]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def printed(notebook: Notebook) -> str:
    return "".join(output.text for output in outputs(notebook) if output.output_type == "stream")


def pictures(notebook: Notebook) -> list[Image.Image]:
    found = [output.data["image/png"] for output in outputs(notebook) if "image/png" in output.get("data", {})]
    return [Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB") for data in found]


def kernels() -> list[int]:
    """Kernels and servers below this process, by id."""
    children = psutil.Process(os.getpid()).children(recursive=True)
    return [child.pid for child in children if child.status() != psutil.STATUS_ZOMBIE and re.search("kernel|serving", str(child.cmdline()))]


def test_a_first_run_ends_live_and_the_second_finds_nothing_new(executed: dict[str, Notebook]) -> None:
    said = printed(executed["01_first_run"])
    assert "LIVE taxi v1" in said
    assert "UNCHANGED taxi v1" in said
    assert "publish v1" in said


def test_cash_is_an_anomaly_where_the_schema_has_none(executed: dict[str, Notebook]) -> None:
    shown = [output.data["text/html"] for output in outputs(executed["02_look_at_the_data"]) if "text/html" in output.get("data", {})]
    assert sum("missing from the schema: Cash" in table for table in shown) == 1
    assert any("trip_start_hour" in table and "required" in table for table in shown)


def test_the_challenger_was_held_against_the_champion(executed: dict[str, Notebook]) -> None:
    said = printed(executed["03_look_at_the_model"])
    assert re.search(r"^Champion +done .* v1$", said, re.MULTILINE)
    assert re.search(r"^Transform +cached ", said, re.MULTILINE), "what does not depend on the challenger ran again"
    assert "LIVE taxi v2" in said


def test_the_server_goes_back_by_number_by_name_and_for_everyone(executed: dict[str, Notebook]) -> None:
    said = printed(executed["04_serve_and_go_back"])
    scores = {name: re.search(rf"{name}.*?(\[\[.*)", said) for name in ("versions/1", "versions/2", "stable before:", "stable now:")}
    found = {name: match[1] for name, match in scores.items() if match}
    assert found["versions/1"] != found["versions/2"]
    assert found["stable before:"] == found["versions/2"]
    assert found["stable now:"] == found["versions/1"]
    assert re.search(r"\d+ requests, none failed; v3 answers", said)
    assert "the server ended with 0" in said


@pytest.mark.parametrize(
    ("name", "count"), [("01_first_run", 1), ("02_look_at_the_data", 3), ("03_look_at_the_model", 3), ("04_serve_and_go_back", 0)]
)
def test_the_plots_are_there_and_show_something(name: str, count: int, executed: dict[str, Notebook]) -> None:
    found = pictures(executed[name])
    assert len(found) == count
    for picture in found:
        ink = (np.asarray(picture).min(axis=2) < 245).mean()
        assert picture.width >= 600, "too small to read"
        assert 0.02 < ink < 0.7, f"{ink:.1%} of the picture is drawn on"


def test_nothing_but_the_notebooks_own_words_is_printed(executed: dict[str, Notebook]) -> None:
    for name, notebook in executed.items():
        noise = [output.text for output in outputs(notebook) if output.output_type == "stream" and output.name == "stderr"]
        assert noise == [], name
        assert len(printed(notebook).splitlines()) <= MOST_LINES, name
        assert {output.output_type for output in outputs(notebook)} <= DISPLAYED, name


def test_what_is_shown_asks_nothing_of_the_network(executed: dict[str, Notebook]) -> None:
    for name, notebook in executed.items():
        pages = [output.data["text/html"] for output in outputs(notebook) if "text/html" in output.get("data", {})]
        assert [page for page in pages if re.search(r"<(?:script|link|iframe|img)\b|https?://", page)] == [], name


def test_no_kernel_and_no_server_is_left(executed: dict[str, Notebook]) -> None:
    assert len(executed) == 4
    assert kernels() == []
