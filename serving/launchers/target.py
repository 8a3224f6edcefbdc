"""What a launcher boots: a plain value that can be compared, hashed and written as JSON. It holds names, never secrets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

from configs.errors import UsageError

# These the launcher decides: with others it would ask another model, at another place, or wait for retries.
OURS = frozenset(
    {
        *("port", "rest_api_port", "grpc_socket_path", "model_name", "model_base_path", "model_config_file", "ssl_config_file"),
        *("max_num_load_retries", "load_retry_interval_micros", "file_system_poll_wait_seconds"),
    }
)


@dataclass(frozen=True)
class Target:
    """One server to boot a candidate on.

    what:  the program or the image; "" for the embedded server.
    flags: further flags, as the production server gets them.
    The rest is where it runs, for pods; see ``configs.environment.KubernetesLauncher``.
    """

    kind: str
    what: str = ""
    flags: tuple[str, ...] = ()
    namespace: str = ""
    context: str | None = None
    claim: str | None = None
    mount: str = ""
    service_account: str | None = None

    def __post_init__(self) -> None:
        for flag in self.flags:
            name = flag.lstrip("-").partition("=")[0]
            if not flag.startswith("--") or name in OURS:
                why = "the launcher sets it itself" if name in OURS else "flags look like --name=value"
                raise UsageError(f"launchers.{self.kind}.flags: {flag!r} cannot be given: {why}")

    @property
    def label(self) -> str:
        """How a person tells it from the others."""
        return self.what or self.kind

    @property
    def deciding(self) -> list[object]:
        """What of it can change a verdict; the place cannot."""
        return [self.kind, self.what, list(self.flags)]


def dump(targets: Sequence[Target]) -> str:
    """The inverse of `parse`; the same text for the same targets."""
    return json.dumps([{key: value for key, value in asdict(target).items() if value} for target in targets], sort_keys=True)


def parse(text: str) -> tuple[Target, ...]:
    """Targets from their JSON text. Raises UsageError when it is none."""
    known = {field.name for field in fields(Target)}
    try:
        items = json.loads(text)
        if not items or any(set(item) - known for item in items):
            raise ValueError(text)
        return tuple(Target(**{**item, "flags": tuple(item.get("flags", ()))}) for item in items)
    except (ValueError, TypeError, AttributeError) as error:
        raise UsageError(f"not a list of launcher targets: {text[:200]}") from error
