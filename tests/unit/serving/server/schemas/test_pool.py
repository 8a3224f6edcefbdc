"""The private pool."""

from __future__ import annotations

import subprocess
import sys

import pytest
from google.protobuf import descriptor_pool

from serving.server.schemas import pool


def test_our_messages_are_not_in_the_pool_of_everyone():
    name = "tensorflow.serving.BatchingParameters"
    assert pool.new(name).DESCRIPTOR.full_name == name
    with pytest.raises(KeyError):
        descriptor_pool.Default().FindMessageTypeByName(name)


def test_a_message_that_is_not_there_is_a_key_error():
    with pytest.raises(KeyError):
        pool.new("tensorflow.serving.Nothing")


def test_the_stock_messages_can_be_loaded_after_ours_and_before():
    from tensorflow_serving.config import model_server_config_pb2

    mine = pool.new("tensorflow.serving.ModelServerConfig")
    assert type(mine) is not model_server_config_pb2.ModelServerConfig
    assert mine.DESCRIPTOR.full_name == model_server_config_pb2.ModelServerConfig.DESCRIPTOR.full_name


def test_model_configs_need_no_tensorflow():
    code = (
        "import sys; from serving.server.schemas import model_configs, batching, monitoring, ssl, session, platform\n"
        "model_configs.read_text('model_config_list {}', 'f'); monitoring.read('', 'f')\n"
        "sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
