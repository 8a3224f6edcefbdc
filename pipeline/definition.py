"""The one pipeline: every use case, every environment, every runner."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfx import components as stock
from tfx.components.trainer.executor import GenericExecutor
from tfx.dsl.components.base import executor_spec
from tfx.dsl.components.common.importer import Importer
from tfx.orchestration import metadata
from tfx.orchestration import pipeline as tfx_pipeline
from tfx.proto import trainer_pb2
from tfx.types import standard_artifacts

from components.champion.component import Champion
from components.evaluator.component import Evaluator
from components.example_gen.component import ExampleGen
from components.example_validator.component import ExampleValidator
from components.infra_validator.component import InfraValidator
from components.pusher.component import Pusher
from configs.schema import Settings
from pipeline.beam import beam_arguments
from pipeline.beam_options import check_with_beam
from pipeline.data import use_case_reading
from pipeline.fingerprint import files_digest
from pipeline.gates import eval_config
from pipeline.layout import Layout
from pipeline.nodes import NODES
from pipeline.staging import PATTERN
from pipeline.use_cases.base import UseCase
from pipeline.worker_watch import watch_workers
from serving.launchers import targets

_TRAINING = "pipeline.training.loop"


@dataclass(frozen=True)
class RunInputs:
    """What changes from run to run.

    data:        a folder with the rows' files below it (``staging.py``), named by their content.
    fingerprint: digest of all that decides the model (``fingerprint.py``).
    code:        digest of the code that transforms and trains; part of those nodes' cache keys.
    judging:     digest of the code that reads rows and judges; part of those nodes' cache keys.
    schema:      a folder that holds the curated schema alone, named by its content: TFX caches by place, not by content.
    """

    data: Path
    schema: Path
    run_id: str
    fingerprint: str
    code: str
    judging: str


def create_pipeline(use_case: UseCase, settings: Settings, layout: Layout, inputs: RunInputs) -> tfx_pipeline.Pipeline:
    """The nodes, from rows to a published version.

    Raises:
        ConfigError: the thresholds do not fit the use case, or Beam does not take its arguments.
    """
    engines = beam_arguments(settings.environment.beam)
    check_with_beam(engines)
    watch_workers()
    nodes = list(_data_nodes(use_case, settings, inputs))
    example_gen, _, schema, validator = nodes
    transform = stock.Transform(
        examples=example_gen.outputs["examples"],
        schema=schema.outputs["result"],
        preprocessing_fn=use_case.preprocessing_name,
        # Statistics of raw and transformed rows are the data gate's and the report's business; here they cost a third of the node.
        disable_statistics=True,
        # The cache of analyzers pays where many spans of data are analysed again and again; on one it only makes the graph larger.
        disable_analyzer_cache=True,
        custom_config={"code": inputs.code},
    )
    # Data that the gate refuses is not worth transforming.
    transform.add_upstream_node(validator)
    training = _training_nodes(use_case, settings, transform, inputs)
    nodes += [transform, *training, *_gate_nodes(use_case, settings, layout, inputs, example_gen, schema, training[-1])]
    for node in nodes:
        if engines.get(node.id):
            node.with_beam_pipeline_args(engines[node.id])
    built = tfx_pipeline.Pipeline(
        pipeline_name=use_case.name,
        pipeline_root=str(layout.artifacts),
        metadata_connection_config=metadata.sqlite_metadata_connection_config(str(layout.metadata)),
        components=nodes,
        enable_cache=settings.environment.cache,
    )
    unknown = {node.id for node in nodes} - set(NODES)
    if unknown:
        raise AssertionError(f"nodes without a place in pipeline/nodes.py: {sorted(unknown)}")
    return built


def _data_nodes(use_case: UseCase, settings: Settings, inputs: RunInputs) -> tuple[Any, Any, Any, Any]:
    data, reading = settings.use_case.data, use_case_reading(use_case, settings)
    example_gen = ExampleGen(
        str(inputs.data),
        PATTERN,
        reading,
        rows=settings.budget.rows,
        train_buckets=data.train_buckets,
        eval_buckets=data.eval_buckets,
        code=inputs.judging,
    )
    statistics_gen = stock.StatisticsGen(examples=example_gen.outputs["examples"])
    schema = Importer(source_uri=str(inputs.schema), artifact_type=standard_artifacts.Schema).with_id("Schema")
    judged = {"statistics": statistics_gen.outputs["statistics"], "schema": schema.outputs["result"]}
    if reading.reader == "images":
        validator = ExampleValidator(**judged, examples=example_gen.outputs["examples"])
    else:
        validator = stock.ExampleValidator(**judged)
    return example_gen, statistics_gen, schema, validator


def _training_nodes(use_case: UseCase, settings: Settings, transform: Any, inputs: RunInputs) -> list[Any]:
    budget, tuner = settings.budget, settings.use_case.tuner
    config = {
        "use_case": use_case.reference,
        "hparams": use_case.merged_hparams(settings.use_case.hparams),
        "epochs": budget.epochs,
        "batch_size": budget.batch_size,
        "code": inputs.code,
        "files": files_digest(use_case, settings.use_case.hparams),
    }
    # The search trains for as long as it is told itself: another length of the training is no reason to search again.
    search = {name: value for name, value in config.items() if name != "epochs"}
    nodes: list[Any] = []
    if tuner.enabled:
        nodes.append(
            stock.Tuner(
                examples=transform.outputs["transformed_examples"],
                transform_graph=transform.outputs["transform_graph"],
                tuner_fn=f"{_TRAINING}.tuner_fn",
                train_args=trainer_pb2.TrainArgs(splits=["train"]),
                eval_args=trainer_pb2.EvalArgs(splits=["eval"]),
                custom_config={**search, "trials": tuner.trials, "tuner_epochs": tuner.epochs},
            )
        )
    trainer = stock.Trainer(
        transformed_examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        hyperparameters=nodes[0].outputs["best_hyperparameters"] if nodes else None,
        run_fn=f"{_TRAINING}.run_fn",
        custom_executor_spec=executor_spec.ExecutorClassSpec(GenericExecutor),
        train_args=trainer_pb2.TrainArgs(splits=["train"]),
        eval_args=trainer_pb2.EvalArgs(splits=["eval"]),
        custom_config=config,
    )
    return [*nodes, trainer]


def _gate_nodes(
    use_case: UseCase, settings: Settings, layout: Layout, inputs: RunInputs, example_gen: Any, schema: Any, trainer: Any
) -> list[Any]:
    store = {"store_kind": settings.environment.store.kind, "store_path": str(layout.store)}
    candidate = trainer.outputs["model"]
    champion = Champion(candidate, model_name=use_case.name, **store)
    evaluator = Evaluator(
        code=inputs.judging,
        min_slice_examples=settings.use_case.slices.min_examples,
        examples=example_gen.outputs["examples"],
        model=candidate,
        baseline_model=champion.outputs["champion"],
        eval_config=eval_config(use_case, settings.use_case),
        schema=schema.outputs["result"],
    )
    infra = settings.use_case.infra
    infra_validator = InfraValidator(
        candidate,
        evaluator.outputs["blessing"],
        model_name=use_case.name,
        targets=targets(settings.environment),
        load_seconds=infra.load_seconds,
        tolerance=infra.tolerance,
    )
    pusher = Pusher(
        model=candidate,
        evaluation=evaluator.outputs["evaluation"],
        champion=champion.outputs["champion"],
        model_blessing=evaluator.outputs["blessing"],
        infra_blessing=infra_validator.outputs["blessing"],
        model_name=use_case.name,
        run_id=inputs.run_id,
        fingerprint=inputs.fingerprint,
        **store,
    )
    return [champion, evaluator, infra_validator, pusher]
