"""The typed shape of a configuration: each knob, its type, its bounds and what it means."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta
from msgspec.structs import asdict

from configs.environment import EnvironmentConfig
from configs.section import NonNegative, PositiveInt, Section, Share, Text

# As a data file writes a class; YAML's unquoted 0 means the text "0".
Written = Annotated[str, Meta(extra={"number": True})]


class Data(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the rows come from and how they are split."""

    source: str | None = None
    """Rows: CSV or Parquet files, as a file, a folder or a glob, here or at s3:// gs://. Images: a folder with one folder per class, or a
    CSV of image and label. A {SPAN} and a {VERSION} in it stand for numbers. Null means the data that ships with the use case."""
    columns: dict[str, Text] = {}
    """A column of the schema to its name in the files, where that is another one. For images: image_id and label of the label CSV."""
    extra_columns: Literal["refuse", "ignore"] = "refuse"
    """What to do with files that have more columns than the schema."""
    images: Text | None = None
    """Where the images of a label CSV are, seen from its folder; null means beside it."""
    classes: dict[Written, Text] = {}
    """A class as the data writes it to its name in the use case, where that is another one: {0: cbb}."""
    corrupt_share: Share = 0.01
    """Images that cannot be decoded are left out; with a larger share of them the data gate refuses."""
    key: Text | None = None
    """What decides between train and eval: a column whose equal values stay together, or for images ``name``. Null: the whole content."""
    spans: PositiveInt | None = 1
    """How many of the newest spans are the data, each in its newest version; null means all."""
    train_buckets: PositiveInt = 2
    """Hash buckets that go to training. A row's bucket is a hash of its key, so it never moves between splits."""
    eval_buckets: PositiveInt = 1
    """Hash buckets that go to evaluation."""


class Budget(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much work one run may cost."""

    rows: PositiveInt | None = None
    """Use at most this many rows of each file, or images of each class; null means all."""
    epochs: PositiveInt = 5
    """Passes over the training split."""
    batch_size: PositiveInt = 128
    """Examples a training step sees."""


class Budgets(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The budgets of a use case; the environment chooses one."""

    full: Budget = Budget()
    """What a real run costs."""
    smoke: Budget | None = None
    """A small one for tests and first looks; where there is none, the full one."""


class Metrics(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
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
        return {name: float(value) for name, value in asdict(self).items() if value is not None}


class Slices(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Limits that every slice of the evaluation data must keep."""

    thresholds: Metrics = Metrics()
    """Limits for each slice by itself."""
    min_examples: PositiveInt = 100
    """A slice with fewer evaluation examples is reported but not judged."""


class Tuner(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Hyperparameter search before training."""

    enabled: bool = False
    trials: PositiveInt = 4
    """Models to try."""
    epochs: PositiveInt = 1
    """Passes over the training split for each trial."""


class InfraGate(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the candidate must keep when a model server serves it."""

    load_seconds: Annotated[float, Meta(gt=0, le=3600)] = 60.0
    """From 'the server may load it' to AVAILABLE, at most."""
    tolerance: Share = 1e-5
    """Largest absolute or relative difference between the server's answer and the trainer's."""


class UseCaseConfig(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """WHAT is built: ``configs/use_cases/<name>.yaml``."""

    data: Data = Data()
    budgets: Budgets = Budgets()
    hparams: dict[str, Any] = {}
    """Handed to the use case's build_model; the use case says which there are and of which type."""
    thresholds: Metrics
    """Absolute limits; also the first model must pass them."""
    change: Metrics = Metrics()
    """How much worse than the champion a candidate may be, by metric."""
    slices: Slices = Slices()
    tuner: Tuner = Tuner()
    infra: InfraGate = InfraGate()


class Settings(Section, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The effective configuration of one command: files, then overrides."""

    name: str
    """The use case."""
    folder: str | None = None
    """Where the use case lies if it is the user's own; null: with ours."""
    environment_name: str
    use_case: UseCaseConfig
    environment: EnvironmentConfig

    @property
    def reference(self) -> str:
        """What to look the use case up by: its name, or its folder's path."""
        return self.folder or self.name

    @property
    def budget(self) -> Budget:
        """The budget that the environment chose; the full one where the use case has no such budget."""
        budgets = self.use_case.budgets
        return (budgets.smoke if self.environment.budget == "smoke" else None) or budgets.full
