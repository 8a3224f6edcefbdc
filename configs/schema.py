"""The typed shape of every configuration file: each knob, its type, its bounds and what it means."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0.0, le=1.0)]
NonNegative = Annotated[float, Field(ge=0.0)]
PositiveInt = Annotated[int, Field(gt=0)]
Port = Annotated[int, Field(ge=0, le=65535)]
DottedName = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")]


class Section(BaseModel):
    """A frozen part of a configuration; a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Data(Section):
    """Where the rows come from and how they are split."""

    source: str | None = None
    """A CSV file, a folder or a glob; null means the rows that ship with the use case."""
    train_buckets: PositiveInt = 2
    """Hash buckets that go to training. A row's bucket is a hash of its content, so it never moves between splits."""
    eval_buckets: PositiveInt = 1
    """Hash buckets that go to evaluation."""


class Budget(Section):
    """How much work one run may cost."""

    rows: PositiveInt | None = None
    """Use at most this many rows of each file; null means all."""
    epochs: PositiveInt = 5
    """Passes over the training split."""
    batch_size: PositiveInt = 128
    """Examples a training step sees."""


class Metrics(Section):
    """One number for each metric that has a limit. auc .. recall: higher is better; loss .. rmse: lower is better."""

    auc: Share | None = None
    accuracy: Share | None = None
    precision: Share | None = None
    recall: Share | None = None
    loss: NonNegative | None = None
    mae: NonNegative | None = None
    rmse: NonNegative | None = None

    def given(self) -> dict[str, float]:
        """The metrics that have a limit, by name."""
        return {name: float(value) for name, value in self if value is not None}


class Slices(Section):
    """Limits that every slice of the evaluation data must keep."""

    thresholds: Metrics = Metrics()
    """Limits for each slice by itself."""
    min_examples: PositiveInt = 100
    """A slice with fewer evaluation examples is reported but not judged."""


class Tuner(Section):
    """Hyperparameter search before training."""

    enabled: bool = False
    trials: PositiveInt = 4
    """Models to try."""
    epochs: PositiveInt = 1
    """Passes over the training split for each trial."""


class InfraGate(Section):
    """What the candidate must keep when a model server serves it."""

    load_seconds: Annotated[float, Field(gt=0, le=3600)] = 60.0
    """From 'the server may load it' to AVAILABLE, at most."""
    tolerance: NonNegative = 1e-5
    """Largest absolute or relative difference between the server's answer and the trainer's."""


class UseCaseConfig(Section):
    """WHAT is built: ``configs/use_cases/<name>.yaml``."""

    data: Data = Data()
    budgets: dict[Literal["full", "smoke"], Budget] = Field(default_factory=lambda: {"full": Budget()})
    """By name; the environment chooses one."""
    hparams: dict[str, bool | int | float | str | list[int]] = Field(default_factory=dict)
    """Handed to the use case's build_model; it checks the names."""
    thresholds: Metrics
    """Absolute limits; also the first model must pass them."""
    change: Metrics = Metrics()
    """How much worse than the champion a candidate may be, by metric."""
    slices: Slices = Slices()
    tuner: Tuner = Tuner()
    infra: InfraGate = InfraGate()


class Store(Section):
    """The version store: what TF Serving polls."""

    kind: Literal["local"] = "local"
    path: str | None = None
    """A folder; null means ``store`` below the state folder."""


class Server(Section):
    """Where ``serve`` listens and where ``predict`` asks."""

    host: str = "127.0.0.1"
    rest_port: Port = 8501
    grpc_port: Port = 8500
    poll_seconds: Annotated[float, Field(gt=0)] = 1.0
    """How often the server looks for a new version."""


class EnvironmentConfig(Section):
    """WHERE it runs: ``configs/environments/<name>.yaml``."""

    runner: Literal["local"] = "local"
    state: str = "state"
    """Folder for metadata, artifacts, logs and the store; relative to the working directory."""
    budget: Literal["full", "smoke"] = "full"
    cache: bool = True
    """Reuse the outputs of nodes whose inputs did not change."""
    launcher: Literal["embedded"] = "embedded"
    """What boots the model server for the infra gate."""
    beam_args: list[str] = Field(default_factory=list)
    """Apache Beam arguments for the data nodes."""
    store: Store = Store()
    server: Server = Server()


class Settings(Section):
    """The effective configuration of one command: files, then overrides."""

    name: str
    """The use case."""
    environment_name: str
    use_case: UseCaseConfig
    environment: EnvironmentConfig

    @property
    def budget(self) -> Budget:
        """The budget that the environment chose; the full one where the use case has no such budget."""
        budgets = self.use_case.budgets
        return budgets.get(self.environment.budget) or budgets.get("full") or Budget()
