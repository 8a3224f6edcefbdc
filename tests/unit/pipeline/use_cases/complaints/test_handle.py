"""An encoder that cannot be had is found before a run."""

from __future__ import annotations

import pytest

from configs.errors import ConfigError
from pipeline.use_cases.complaints.handle import check


@pytest.mark.parametrize(
    ("handle", "line"),
    [("", "hparams.hub_handle: is empty; encoder hub needs a folder"), ("/nowhere", "hparams.hub_handle: '/nowhere' is no folder here")],
)
def test_a_handle_that_cannot_be_one_is_one_line(handle, line):
    with pytest.raises(ConfigError) as caught:
        check({"encoder": "hub", "hub_handle": handle})
    assert str(caught.value).startswith(line)
    check({"encoder": "words", "hub_handle": handle})


def test_a_folder_and_an_address_may_be_ones(tmp_path):
    for handle in (str(tmp_path), "https://hub.example/encoder/4"):
        check({"encoder": "hub", "hub_handle": handle})
