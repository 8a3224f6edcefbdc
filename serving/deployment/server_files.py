"""TF Serving's own configuration files, as text protos: models, batching, monitoring, TLS."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from google.protobuf import text_format

from configs.deployment import Batching, Tls
from configs.errors import UsageError
from configs.paths import expanded
from serving.deployment.models import Served
from serving.server.schemas import batching as batching_schema
from serving.server.schemas import model_configs, monitoring, pool, ssl

MODELS, BATCHING, MONITORING, SSL = "models.config", "batching.config", "monitoring.config", "ssl.config"


def models_config(models: Sequence[Served], base_path: str) -> str:
    """A ModelServerConfig whose models lie in folders of their names below ``base_path``, a folder or a bucket."""
    message: Any = pool.new(model_configs.MESSAGE)
    message.model_config_list.SetInParent()
    for model in models:
        config = message.model_config_list.config.add(name=model.name, base_path=f"{base_path.rstrip('/')}/{model.name}")
        config.model_platform = "tensorflow"
        if model.versions:
            config.model_version_policy.specific.versions.extend(model.versions)
        else:
            config.model_version_policy.latest.num_versions = model.latest
        for label, version in model.labels.items():
            config.version_labels[label] = version
    return _text(message, "Which models are served. A server that polls this file follows it without a restart.")


def batching_config(batching: Batching, cores: str | None) -> str:
    """BatchingParameters.

    ``cores``: what a server may use, as Kubernetes writes it. By itself TF Serving counts the machine's processors.
    """
    message: Any = pool.new(batching_schema.MESSAGE)
    message.max_batch_size.value = batching.max_batch_size
    message.batch_timeout_micros.value = batching.timeout_micros
    message.max_enqueued_batches.value = batching.queue
    threads = batching.threads or (whole_cores(cores) if cores else None)
    if threads:
        message.num_batch_threads.value = threads
    return _text(message, "How requests are run together. Read when a server starts.")


def monitoring_config() -> str:
    """A MonitoringConfig: Prometheus metrics on the REST port, at TF Serving's usual path."""
    message: Any = pool.new(monitoring.MESSAGE)
    message.prometheus_config.enable = True
    message.prometheus_config.path = monitoring.DEFAULT_PATH
    return _text(message, "Where metrics are. Read when a server starts.")


def ssl_config(tls: Tls) -> str:
    """An SSLConfig with the content of the files that are named. It holds a private key.

    Raises:
        UsageError: a file cannot be read or is not PEM, or clients are to be verified without authorities.
    """
    if tls.client_verify and not tls.ca_file:
        raise UsageError("deploy.tls.client_verify: whose certificates? name the authorities: deploy.tls.ca_file")
    message: Any = pool.new(ssl.MESSAGE)
    message.server_key = _pem("deploy.tls.key_file", tls.key_file, "PRIVATE KEY")
    message.server_cert = _pem("deploy.tls.cert_file", tls.cert_file, "CERTIFICATE")
    if tls.ca_file:
        message.custom_ca = _pem("deploy.tls.ca_file", tls.ca_file, "CERTIFICATE")
    message.client_verify = tls.client_verify
    return _text(message, "TLS of the gRPC port. It holds a private key: keep it where only the server reads it.")


def server_flags(folder: str, *, tls: bool = False) -> list[str]:
    """The flags that make TF Serving, or our server, read the files in a folder."""
    flags = [
        f"--model_config_file={folder}/{MODELS}",
        "--model_config_file_poll_wait_seconds=10",
        # Without it a label in the first list ends TF Serving: it reads labels before it loads versions.
        "--allow_version_labels_for_unavailable_models=true",
        "--enable_batching=true",
        f"--batching_parameters_file={folder}/{BATCHING}",
        f"--monitoring_config_file={folder}/{MONITORING}",
    ]
    return [*flags, f"--ssl_config_file={folder}/{SSL}"] if tls else flags


def whole_cores(cores: str) -> int:
    """``500m`` is 1, ``2`` is 2, ``2.5`` is 3: as Kubernetes rounds a limit that a container asks for."""
    return max(1, math.ceil(float(cores[:-1]) / 1000 if cores.endswith("m") else float(cores)))


def _pem(key: str, path: str, kind: str) -> str:
    try:
        text = expanded(path).read_text(encoding="ascii")
    except OSError as error:
        raise UsageError(f"{key}: {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        text = ""  # what it holds may be secret: no cause is chained
    if f"{kind}-----" not in text:
        raise UsageError(f"{key}: {path} holds no PEM {kind.lower()}")
    return text


def _text(message: Any, what: str) -> str:
    return f"# Written by sluiceway. {what}\n{text_format.MessageToString(message)}"
