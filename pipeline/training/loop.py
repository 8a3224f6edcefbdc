"""The training loop of every use case: TFX's ``run_fn`` and ``tuner_fn``, by dotted name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner.component import TunerFnResult

from pipeline.training import trials
from pipeline.training.export import ServedModel, save
from pipeline.training.golden import write_extras
from pipeline.training.inputs import dataset, serving_spec
from pipeline.use_cases.base import UseCase, get_use_case

SEED = 17
_SCORE = "score"


def run_fn(fn_args: FnArgs) -> None:
    """TFX Trainer's entry point: train, export with signatures, keep golden requests.

    ``fn_args.custom_config`` holds ``use_case``, ``hparams``, ``epochs`` and ``batch_size`` (``definition.py``).
    """
    config = fn_args.custom_config
    use_case = get_use_case(config["use_case"])
    keras.utils.set_random_seed(SEED)
    transform = tft.TFTransformOutput(fn_args.transform_output)
    train = dataset(fn_args.train_files, transform, use_case.label, config["batch_size"], shuffle=True)
    model = use_case.load(use_case.build_model_name)(_hparams(fn_args, use_case))
    model.fit(train, epochs=config["epochs"], verbose=0)

    served = ServedModel(model, transform, use_case)
    answers = save(served, fn_args.serving_model_dir)
    write_extras(Path(fn_args.serving_model_dir), use_case.golden_rows(), serving_spec(transform, use_case.raw_label), answers, served)


def tuner_fn(fn_args: FnArgs) -> Any:
    """TFX Tuner's entry point: a random search over the use case's space, by the evaluation split."""
    config = fn_args.custom_config
    use_case = get_use_case(config["use_case"])
    transform = tft.TFTransformOutput(fn_args.transform_graph_path)
    space, build = use_case.load(use_case.search_space_name), use_case.load(use_case.build_model_name)

    def hypermodel(parameters: Any) -> keras.Model:
        # Each trial begins as the Trainer will.
        keras.utils.set_random_seed(SEED)
        return scored(build(space(parameters, config["hparams"])))

    tuner = _ToldSearch(
        hypermodel,
        objective=keras_tuner.Objective(f"val_{_SCORE}", "min"),
        max_trials=config["trials"],
        seed=SEED,
        directory=fn_args.working_dir,
        project_name=use_case.name,
    )
    data = {
        "x": dataset(fn_args.train_files, transform, use_case.label, config["batch_size"], shuffle=True),
        "validation_data": dataset(fn_args.eval_files, transform, use_case.label, config["batch_size"], shuffle=False),
        "epochs": config["tuner_epochs"],
        "verbose": 0,
    }
    return TunerFnResult(tuner=tuner, fit_kwargs=data)


def scored(model: keras.Model) -> keras.Model:
    """A compiled model with one more metric: its loss without what regularizers add, which would choose the weakest regularizer."""
    loss = keras.losses.get(model.loss)
    # Called, and neither copied nor made from its configuration: that leaves out what some losses were made with.
    each = loss.call if isinstance(loss, keras.losses.Loss) else loss
    model.compile(
        optimizer=model.optimizer,
        loss=model.loss,
        metrics=[keras.metrics.MeanMetricWrapper(each, name=_SCORE)],
        jit_compile=model.jit_compile,
    )
    return model


class _ToldSearch(keras_tuner.RandomSearch):  # type: ignore[misc] # keras_tuner has no types
    """A random search that tells of each trial."""

    def on_trial_end(self, trial: Any) -> None:
        """KerasTuner's hook."""
        super().on_trial_end(trial)
        best = best_of([one.score for one in self.oracle.trials.values()])
        trials.ended(len(self.oracle.end_order), self.oracle.max_trials, trial.score, best)


def best_of(scores: Sequence[float | None]) -> float | None:
    """The lowest of those that are numbers; None where none is."""
    return min((score for score in scores if score is not None and math.isfinite(score)), default=None)


def _hparams(fn_args: FnArgs, use_case: UseCase) -> dict[str, Any]:
    """The configured hyperparameters, or what a search found around them."""
    configured: dict[str, Any] = fn_args.custom_config["hparams"]
    if not fn_args.hyperparameters:
        return configured
    found = keras_tuner.HyperParameters.from_config(fn_args.hyperparameters)
    tuned: dict[str, Any] = use_case.load(use_case.search_space_name)(found, configured)
    return tuned
