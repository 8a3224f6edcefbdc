"""What this server can do, held against TF Serving piece by piece: the data of a table in the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from serving.server.flag_table import OURS, UPSTREAM, FlagSpec, Standing
from serving.server.schemas import definitions


@dataclass(frozen=True)
class Capability:
    """One thing that TF Serving has, and how it stands here; a ``note`` says what is different."""

    name: str
    standing: Standing = "same"
    note: str = ""


@dataclass(frozen=True)
class Difference:
    """Where TF Serving's behaviour is better not repeated: what it does, and what is done here unless ``--compat=strict`` is given."""

    upstream: str
    here: str


GRPC = (
    Capability("tensorflow.serving.PredictionService/Predict"),
    Capability("tensorflow.serving.PredictionService/Classify"),
    Capability("tensorflow.serving.PredictionService/Regress"),
    Capability("tensorflow.serving.PredictionService/MultiInference"),
    Capability("tensorflow.serving.PredictionService/GetModelMetadata"),
    Capability("tensorflow.serving.ModelService/GetModelStatus"),
    Capability(
        "tensorflow.serving.ModelService/HandleReloadConfigRequest", "better", "from this machine or with a token only; never hangs"
    ),
    *(
        Capability(f"tensorflow.ProfilerService/{method}")
        for method in ("Profile", "Terminate", "Monitor", "StartContinuousProfiling", "StopContinuousProfiling", "GetSnapshot")
    ),
    Capability("grpc.health.v1.Health/Check", "better", "per model, full service names, follows the models"),
    Capability("grpc.health.v1.Health/Watch", "better", "per model, full service names, follows the models"),
    Capability("tensorflow.serving.SessionService/SessionRun", "same", "in neither: UNIMPLEMENTED"),
)

REST = (
    Capability("POST /v1/models/MODEL[/versions/N or /labels/L]:predict"),
    Capability("POST /v1/models/MODEL[/versions/N or /labels/L]:classify"),
    Capability("POST /v1/models/MODEL[/versions/N or /labels/L]:regress"),
    Capability("GET /v1/models/MODEL[/versions/N or /labels/L]"),
    Capability("GET /v1/models/MODEL[/versions/N or /labels/L]/metadata"),
    Capability("OPTIONS (CORS)"),
    Capability("Content-Encoding: gzip of a request"),
    Capability("GET /monitoring/prometheus/metrics", "better", "with a label: version"),
    Capability("TLS", "better", "upstream has none: --rest_ssl_cert_file, --rest_ssl_key_file, --rest_ssl_client_ca_file"),
    Capability("GET /healthz", "better", "upstream has none: 200 while the process lives"),
    Capability("GET /readyz[/MODEL]", "better", "upstream has none: 200 when a version is available and the server is not stopping"),
)

FILES = (
    Capability("MODEL/N/saved_model.pb, made by TensorFlow 1 or 2"),
    Capability("MODEL/N/model.tflite"),
    Capability("MODEL/N/batching_params.pbtxt"),
    Capability("MODEL/N/assets.extra/tf_serving_warmup_requests"),
    Capability("base paths at s3://, gs://, hdfs://", "not here", "file systems of the machine only"),
)

_REFUSED_UPSTREAM = Capability("", "better", "upstream refuses every config with a log")
_NO_CRASH = Capability("", "better", "a bad PEM text is one line that names the field, not a crash")
_NO_EFFECT = Capability("", "not here", "no effect")

# Fields of configuration messages that do not simply mean the same.
_FIELDS = {
    "ModelServerConfig.custom_model_config": Capability("", "not here", "refused in one line; upstream's process dies of it"),
    "ModelConfig.version_labels": Capability("", "better", "a label waits for its version"),
    "ModelConfig.logging_config": _REFUSED_UPSTREAM,
    "LoggingConfig.log_collector_config": _REFUSED_UPSTREAM,
    "LoggingConfig.sampling_config": _REFUSED_UPSTREAM,
    "LoggingConfig.custom_logging_config": _NO_EFFECT,
    "LogCollectorConfig.type": _REFUSED_UPSTREAM,
    "LogCollectorConfig.filename_prefix": _REFUSED_UPSTREAM,
    "SamplingConfig.sampling_rate": _REFUSED_UPSTREAM,
    "SamplingConfig.per_task_sampling_configs": _NO_EFFECT,
    "SamplingConfig.attributes": _NO_EFFECT,
    "PerTaskSamplingConfig.dc": _NO_EFFECT,
    "PerTaskSamplingConfig.task_index": _NO_EFFECT,
    "PerTaskSamplingConfig.sampling_rate": _NO_EFFECT,
    "SSLConfig.server_key": _NO_CRASH,
    "SSLConfig.server_cert": _NO_CRASH,
    "SSLConfig.custom_ca": _NO_CRASH,
    "PrometheusConfig.path": Capability("", "better", "one that does not begin with / is refused: upstream never serves it"),
    "BatchingParameters.num_batch_threads": Capability("", "better", "more than 1024 are refused"),
    "PlatformConfig.source_adapter_config": Capability("", "same", "SavedModelBundleSourceAdapterConfig only"),
    "ModelWarmupOptions.num_model_warmup_threads": _NO_EFFECT,
    "ModelWarmupOptions.model_name": _NO_EFFECT,
    "ModelWarmupOptions.model_version": _NO_EFFECT,
    "SessionBundleConfig.session_target": _NO_EFFECT,
    "SessionBundleConfig.session_run_load_threadpool_index": _NO_EFFECT,
    "SessionBundleConfig.experimental_transient_ram_bytes_during_load": _NO_EFFECT,
    "SessionBundleConfig.enable_session_metadata": _NO_EFFECT,
    "SessionBundleConfig.resource_estimation_uses_validation_result": _NO_EFFECT,
    "SessionBundleConfig.wrap_session_with_no_threading_params": _NO_EFFECT,
}

DIFFERENCES = (
    Difference("a request's URL and headers may be of any length", "at most 64 KiB together, else 400, also in strict mode"),
    Difference(
        "one value may stand for a tensor of any size, as far as memory goes",
        "what is filled in is at most 64 MiB, else INVALID_ARGUMENT, also in strict mode",
    ),
    Difference(
        "a plain file named 7 is a version, a half-copied directory is one too",
        "a version is a directory that holds a complete SavedModel; if it carries our manifest, the manifest must verify",
    ),
    Difference(
        "a model without its variables loads, and every request fails", "it is refused as incomplete; the error names the missing file"
    ),
    Difference(
        "errors that cannot pass are retried for five minutes, while other models wait",
        "they fail at once, others back off, and models load independently",
    ),
    Difference(
        "a start with a bad newest version fails, although an older good one lies beside it",
        "the newest version that loads is served, and the bad one is reported",
    ),
    Difference("one missing base path stops the look for new versions of every model", "each model is looked at on its own"),
    Difference(
        "an empty listing, as an outage of storage gives, unloads everything", "the last good version stays until it is retired on purpose"
    ),
    Difference("a label on a version that is not loaded yet fails the whole reload", "the label waits until the version is available"),
    Difference("without polling, a reload with a new model hangs for ever", "every reload looks at once"),
    Difference("SIGTERM kills requests under way", "not ready, no new requests, those under way finish, exit code 0"),
    Difference("gRPC health is set once, with short names", "health of each model, with full service names"),
    Difference("metrics do not tell versions apart", "a label says the version; upstream's names stay"),
    Difference("a log of requests is refused", "a sampled log of predictions, off by default"),
    Difference("whoever can predict can also reload the config", "calls that change the server come from this machine or with a token"),
)


def config_fields() -> tuple[Capability, ...]:
    """Every field of every configuration message, as ``Message.field``."""
    names = [
        f"{message}.{item.name}"
        for table in (definitions.CONFIG, definitions.PLATFORM)
        for message, items in table.items()
        for item in items
    ]
    found = [(name, _FIELDS.get(name, Capability(""))) for name in names]
    return tuple(Capability(name, same.standing, same.note) for name, same in found)


def markdown() -> str:
    """All of it as Markdown tables."""
    parts = [
        "Where we differ on purpose; `--compat=strict` takes the left column back.",
        _table(("TF Serving", "here"), ((row.upstream, row.here) for row in DIFFERENCES)),
        "### Flags of TF Serving",
        _table(("flag", "default", "standing", "note"), (_flag(spec) for spec in UPSTREAM)),
        "### Flags of ours",
        _table(("flag", "default", "what it does"), ((f"`--{spec.name}`", _code(spec.shown), spec.help) for spec in OURS)),
    ]
    for title, rows in (("gRPC", GRPC), ("REST", REST), ("Files", FILES), ("Configuration messages", config_fields())):
        parts += [f"### {title}", _table(("what", "standing", "note"), ((f"`{row.name}`", row.standing, row.note) for row in rows))]
    return "\n\n".join(parts) + "\n"


def _flag(spec: FlagSpec) -> tuple[str, ...]:
    return f"`--{spec.name}`", _code(spec.shown), spec.standing, spec.note


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
