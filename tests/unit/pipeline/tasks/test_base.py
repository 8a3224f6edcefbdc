"""Each task says what it is measured by, and which class names fit it."""

from __future__ import annotations

import pytest

from configs.errors import ConfigError
from pipeline.tasks import TASKS
from pipeline.tasks.base import load_task


def test_an_unknown_task_tells_which_there_are():
    with pytest.raises(ConfigError, match="no task 'ranking'; there are: binary_classification, classification, regression"):
        load_task("ranking")


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_measured_by_something_and_answers_in_tf_servings_form(name):
    task = load_task(name)
    assert task.measures
    assert task.method == f"tensorflow/serving/{task.signature}"


@pytest.mark.parametrize(
    ("task", "classes", "line"),
    [
        ("binary_classification", ("a",), "binary_classification has two classes, (negative, positive); got 1"),
        ("binary_classification", ("a", "a"), "classes a, a: a name stands twice"),
        ("classification", ("a",), "classification has two classes or more; got 1"),
        ("classification", ("a", "b", "a"), "classes a, b, a: a name stands twice"),
        ("regression", ("a",), "regression has no classes; got a"),
    ],
)
def test_classes_that_do_not_fit_are_one_line(task, classes, line):
    with pytest.raises(ConfigError) as caught:
        load_task(task).check_classes(classes)
    assert str(caught.value) == line


@pytest.mark.parametrize(
    ("task", "classes"), [("binary_classification", ("no", "yes")), ("classification", ("a", "b", "c")), ("regression", ())]
)
def test_classes_that_fit_pass(task, classes):
    load_task(task).check_classes(classes)
