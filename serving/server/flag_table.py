"""Every flag of the server as one table: name, kind, default, what it does, and how that stands to TF Serving."""

# ruff: noqa: RUF009  the calls in the class body are dataclass fields
from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal, TypeVar, cast

Standing = Literal["same", "better", "not here"]
Value = bool | int | float | str | Path | None

# Kinds that have no type of their own in Python; annotations below name them.
Int64 = int
Seconds = float  # whole seconds upstream, fractions here

_KINDS = {
    "bool": "bool",
    "int": "int32",
    "Int64": "int64",
    "float": "float",
    "Seconds": "seconds",
    "str": "string",
    "Path | None": "path",
}
_T = TypeVar("_T")


@dataclass(frozen=True)
class FlagSpec:
    """One flag. ``shown`` is its default for people; ``note`` says in what way it is not simply the same as upstream's."""

    name: str
    kind: str
    default: Value
    shown: str
    help: str
    standing: Standing
    note: str
    ours: bool


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _flag(default: _T, text: str, standing: Standing = "same", note: str = "", shown: str | None = None) -> _T:
    """A field of `Flags` that is one of TF Serving's flags."""
    return field(default=default, metadata={"help": text, "standing": standing, "note": note, "shown": shown, "ours": False})


def _ours(default: _T, text: str) -> _T:
    """A field of `Flags` that TF Serving does not have."""
    return field(default=default, metadata={"help": text, "standing": "better", "note": "", "shown": None, "ours": True})


_PER_CPU = 4 * processors()


@dataclass(frozen=True)
class Flags:
    """Every flag with its value; the names on the command line are the same."""

    port: int = _flag(
        8500,
        "gRPC port; 0: none (a UNIX socket is then needed), or with --ports_file any free one",
        "better",
        "on 127.0.0.1 until --bind says otherwise",
    )
    grpc_socket_path: str = _flag(
        "", "UNIX socket on which gRPC listens too", "better", "one on which a server listens is not taken from it; for one worker only"
    )
    rest_api_port: int = _flag(
        0, "REST port; 0: none, or with --ports_file any free one", "better", "on --bind too; the number of --port is refused"
    )
    rest_api_num_threads: int = _flag(_PER_CPU, "threads that answer REST requests", shown="4 x processors")
    rest_api_timeout_in_ms: int = _flag(30_000, "longest run of the model for one REST request, milliseconds")
    rest_api_enable_cors_support: bool = _flag(False, "add CORS headers to REST answers")
    enable_batching: bool = _flag(False, "put requests together into batches")
    allow_version_labels_for_unavailable_models: bool = _flag(
        False,
        "let a new label point to a version that is not loaded yet",
        "better",
        "a label waits for its version, with or without the flag",
    )
    batching_parameters_file: str = _flag("", "BatchingParameters, text")
    enable_per_model_batching_parameters: bool = _flag(
        False, "read batching_params.pbtxt of each version; a version without is not batched"
    )
    model_config_file: str = _flag(
        "", "ModelServerConfig, text: many models, policies, labels; --model_name and --model_base_path are then ignored"
    )
    model_config_file_poll_wait_seconds: int = _flag(0, "seconds between looks at the model config file; 0: read once")
    model_name: str = _flag("default", "name under which the model is served")
    model_base_path: str = _flag("", "directory that holds the numbered versions")
    num_load_threads: int = _flag(0, "threads that load versions", "better", "0 is no bottleneck: models never wait for each other")
    num_unload_threads: int = _flag(0, "threads that unload versions", "better", "0 is no bottleneck: models never wait for each other")
    max_num_load_retries: int = _flag(5, "how often a load is tried again", "better", "what cannot pass is not tried again")
    load_retry_interval_micros: Int64 = _flag(
        60_000_000, "wait between two tries, microseconds", "better", "the longest wait: shorter ones come first"
    )
    file_system_poll_wait_seconds: Seconds = _flag(
        1.0, "seconds between looks for new versions; 0: look once; negative: never", "better", "fractions; every reload looks at once"
    )
    flush_filesystem_caches: bool = _flag(True, "let caches of file systems go after a load")
    tensorflow_session_parallelism: Int64 = _flag(0, "threads inside and between operations; 0: automatic")
    tensorflow_session_config_file: str = _flag("", "TensorFlow's ConfigProto, text")
    tensorflow_intra_op_parallelism: Int64 = _flag(0, "threads inside one operation; 0: automatic")
    tensorflow_inter_op_parallelism: Int64 = _flag(0, "operations that run at the same time; 0: automatic")
    use_alts_credentials: bool = _flag(False, "Google's ALTS for gRPC", note="on Google Cloud only")
    ssl_config_file: str = _flag("", "SSLConfig, text: TLS for gRPC", "better", "a bad file is one line, not a crash")
    platform_config_file: str = _flag("", "PlatformConfigMap, text: replaces the flags of batching, session, tags and warm-up")
    per_process_gpu_memory_fraction: float = _flag(0.0, "part of a GPU's memory, 0 to 1; 0: automatic")
    saved_model_tags: str = _flag("serve", "tags of the graph to load, separated by commas")
    grpc_channel_arguments: str = _flag("", "gRPC server arguments, k=v,k=v", "better", "an entry without = is refused")
    grpc_max_threads: int = _flag(_PER_CPU, "threads that answer gRPC requests", shown="4 x processors")
    enable_model_warmup: bool = _flag(True, "run assets.extra/tf_serving_warmup_requests before a version is available")
    num_request_iterations_for_warmup: int = _flag(0, "how often each warm-up record is run; 0 means once")
    version: bool = _flag(False, "print versions and exit")
    monitoring_config_file: str = _flag(
        "", "MonitoringConfig, text: Prometheus metrics on the REST port", "better", "a version label is added"
    )
    remove_unused_fields_from_bundle_metagraph: bool = _flag(
        True, "keep only the signatures of a loaded model's description", note="the graph is never kept twice, with or without the flag"
    )
    prefer_tflite_model: bool = _flag(False, "serve model.tflite of a version where there is one")
    num_tflite_pools: int = _flag(processors(), "pools of TFLite interpreters of a model", shown="processors")
    num_tflite_interpreters_per_pool: int = _flag(1, "TFLite interpreters in a pool")
    enable_signature_method_name_check: bool = _flag(False, "refuse Classify, Regress and Predict on signatures made for something else")
    xla_cpu_compilation_enabled: bool = _flag(
        False, "run functions marked for XLA on CPUs", "better", "such functions run with or without the flag"
    )
    xla_gpu_compilation_enabled: bool = _flag(
        False, "run functions marked for XLA on CPUs and GPUs", "better", "such functions run with or without the flag"
    )
    enable_profiler: bool = _flag(True, "offer TensorFlow's ProfilerService on the gRPC port")
    thread_pool_factory_config_file: str = _flag(
        "", "thread pools of one's own", "not here", "there is no such factory here, and none in upstream's released binary"
    )
    mixed_precision: str = _flag("", "bfloat16: let TensorFlow compute in it where that is safe")
    skip_initialize_tpu: bool = _flag(False, "do not set up TPUs at the start", "not here", "no TPUs: nothing is ever set up")
    enable_grpc_healthcheck_service: bool = _flag(
        False, "offer grpc.health.v1.Health", "better", "it knows the models, and the services by their full names"
    )
    enable_serialization_as_tensor_content: bool = _flag(False, "answer Predict with tensor_content instead of typed values")

    help: bool = _ours(False, "print this and exit")
    compat: str = _ours("default", "default: hardened; strict: TF Serving's behaviour, its faults too")
    bind: str = _ours("127.0.0.1", "address to listen on; 0.0.0.0 or ::, as TF Serving does, for all")
    workers: int = _ours(1, "processes that answer requests")
    parent_pid: int = _ours(0, "end when this process is gone")
    ports_file: Path | None = _ours(
        None, "write {grpc, rest, pid} here as JSON once the ports are open; they then open before a model is available"
    )
    remove_on_exit: Path | None = _ours(None, "delete this launch directory (marked as one, under the temporary directory) at the end")
    verbose: bool = _ours(False, "let TensorFlow log, and show tracebacks")
    drain_seconds: float = _ours(10.0, "at the end, how long requests under way may take")
    rest_ssl_cert_file: str = _ours("", "certificate chain, PEM: TLS for REST")
    rest_ssl_key_file: str = _ours("", "key of that certificate, PEM")
    rest_ssl_client_ca_file: str = _ours("", "authorities, PEM: REST clients must then show a certificate of one of them")
    admin_token_env: str = _ours("", "name of the environment variable that holds the token for admin calls")
    admin_token_file: Path | None = _ours(None, "file that holds the token for admin calls")
    prediction_log_prefix: str = _ours("", "path prefix of a sampled log of requests and answers")
    prediction_log_sampling_rate: float = _ours(0.0, "part of the requests that is logged, 0 to 1")
    max_request_bytes: Int64 = _ours(0, "longest request that is read; 0: upstream's, no limit")

    @property
    def strict(self) -> bool:
        """Whether the server behaves as TF Serving does, fault for fault."""
        return self.compat == "strict"


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _specs() -> tuple[FlagSpec, ...]:
    return tuple(
        FlagSpec(
            name=item.name,
            kind=_KINDS[str(item.type)],
            default=cast(Value, item.default),
            shown=_shown(cast(Value, item.default)) if item.metadata["shown"] is None else item.metadata["shown"],
            help=item.metadata["help"],
            standing=item.metadata["standing"],
            note=item.metadata["note"],
            ours=item.metadata["ours"],
        )
        for item in fields(Flags)
    )


SPECS = _specs()
UPSTREAM = tuple(spec for spec in SPECS if not spec.ours)
OURS = tuple(spec for spec in SPECS if spec.ours)
