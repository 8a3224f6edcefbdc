"""Classify, Regress and MultiInference by the stock client."""

from __future__ import annotations

import numpy as np
import pytest

CLASSIFY, REGRESS, PREDICT = "tensorflow/serving/classify", "tensorflow/serving/regress", "tensorflow/serving/predict"


def fill(request_input, count: int = 1, context: float | None = None) -> None:
    """`count` examples, the n-th with x = n; the context gives x to an example that has none."""
    listed = request_input.example_list if context is None else request_input.example_list_with_context
    for number in range(count):
        example = listed.examples.add()
        if number or context is None:
            example.features.feature["x"].float_list.value.append(number)
    if context is not None:
        listed.context.features.feature["x"].float_list.value.append(context)


def classification(client, signature: str = "", model: str = "examples", count: int = 1):
    request = client.stock.ClassificationRequest()
    request.model_spec.name, request.model_spec.signature_name = model, signature
    fill(request.input, count)
    return request


def regression(client, signature: str = "", model: str = "examples", count: int = 1, context: float | None = None):
    request = client.stock.RegressionRequest()
    request.model_spec.name, request.model_spec.signature_name = model, signature
    fill(request.input, count, context)
    return request


def multi(client, *tasks: tuple[str, str, str], count: int = 1):
    """Each task: model, signature, method."""
    request = client.stock.MultiInferenceRequest()
    for model, signature, method in tasks:
        task = request.tasks.add(method_name=method)
        task.model_spec.name, task.model_spec.signature_name = model, signature
    if count:
        fill(request.input, count)
    return request


def spec(message) -> tuple[str, int, str]:
    return message.name, message.version.value, message.signature_name


def rows(result) -> list[list[tuple[str, float]]]:
    return [[(item.label, item.score) for item in row.classes] for row in result.classifications]


def values(result) -> list[float]:
    return [item.value for item in result.regressions]


def test_classes_are_labels_with_scores(client):
    answer = client.call("Classify", classification(client, count=2))
    assert rows(answer.result) == [[("no", 1.0), ("yes", 1.0)]] * 2
    assert spec(answer.model_spec) == ("examples", 1, "serving_default")


def test_classes_may_lack_scores_and_scores_labels(client):
    assert rows(client.call("Classify", classification(client, "only_classes")).result) == [[("no", 0.0), ("yes", 0.0)]]
    answer = client.call("Classify", classification(client, "classify_x_to_y", "half", 2))
    assert rows(answer.result) == [[("", 3.0)], [("", 3.5)]]
    assert spec(answer.model_spec) == ("half", 2, "classify_x_to_y")


def test_values_come_in_order(client):
    answer = client.call("Regress", regression(client, "regress_x_to_y", "half", 3))
    assert values(answer.result) == [3.0, 3.5, 4.0]
    assert spec(answer.model_spec) == ("half", 2, "regress_x_to_y")


def test_a_context_stands_behind_every_example(client):
    assert values(client.call("Regress", regression(client, "x", count=2, context=7.0)).result) == [7.0, 1.0]


@pytest.mark.parametrize(
    ("signature", "text"),
    [
        ("nope", "No signature was found with the name: nope"),
        ("three_outputs", "Expected one or two output Tensors, found 3"),
        ("value", 'Expected classification signature outputs to contain at least one of "classes" or "scores". Signature was: '),
        ("classes_of_float", "Expected classes Tensor of DT_STRING. Got: DT_FLOAT"),
        ("scores_of_double", "Expected scores Tensor of DT_FLOAT. Got: DT_DOUBLE"),
        ("flat_scores", "Expected Tensor shape: [batch_size num_classes] but got [2]"),
        ("too_few_scores", "Expected scores output batch size of 2. Got: 1"),
        ("mismatch", "Tensors class and score should match in dim_size(1). Got 2 vs. 1"),
    ],
)
def test_a_signature_that_does_not_classify_is_named(client, signature, text):
    code, details = client.refused("Classify", classification(client, signature, count=2))
    assert (code, details[: len(text)]) == ("INVALID_ARGUMENT", text)


@pytest.mark.parametrize(
    ("signature", "text"),
    [
        ("nope", "No signature was found with the name: nope"),
        ("serving_default", "Expected one output Tensor."),
        ("only_classes", "No regression outputs found in SignatureDef: "),
        ("value_of_int", "Expected output Tensor of DT_FLOAT.  Got: DT_INT64"),
        ("wide_value", "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got [2,2]"),
        ("too_few_values", "Input batch size did not match output batch size: 2 vs. 1"),
    ],
)
def test_a_signature_that_does_not_regress_is_named(client, signature, text):
    code, details = client.refused("Regress", regression(client, signature, count=2))
    assert (code, details[: len(text)]) == ("INVALID_ARGUMENT", text)


@pytest.mark.parametrize("model", ["columns", "half"])
def test_columns_do_not_take_examples(client, model):
    text = "Expected one input Tensor." if model == "columns" else "No classification inputs found in SignatureDef: inputs {"
    code, details = client.refused("Classify", classification(client, model=model))
    assert (code, details[: len(text)]) == ("INVALID_ARGUMENT", text)


@pytest.mark.parametrize(("method", "make"), [("Classify", classification), ("Regress", regression)])
def test_what_is_asked_must_be_there(client, method, make):
    def refused(change) -> tuple[str, str]:
        request = make(client, "value" if method == "Regress" else "")
        change(request)
        return client.refused(method, request)

    assert refused(lambda request: request.ClearField("model_spec")) == ("INVALID_ARGUMENT", "Missing ModelSpec")
    assert refused(lambda request: request.model_spec.ClearField("name")) == ("INVALID_ARGUMENT", "ModelSpec has no name specified.")
    assert refused(lambda request: request.ClearField("input")) == ("INVALID_ARGUMENT", "Input is empty.")
    assert refused(lambda request: request.input.example_list.ClearField("examples")) == ("INVALID_ARGUMENT", "Input is empty.")


def test_many_questions_are_answered_at_once(client):
    asked = {"regress_x_to_y": REGRESS, "classify_x_to_y": CLASSIFY, "regress_x_to_y2": REGRESS}
    request = multi(client, *(("half", name, method) for name, method in asked.items()), count=2)
    results = client.call("MultiInference", request).results
    assert [spec(result.model_spec) for result in results] == [("half", 2, name) for name in asked]
    assert values(results[0].regression_result) == [3.0, 3.5]
    assert rows(results[1].classification_result) == [[("", 3.0)], [("", 3.5)]]
    assert values(results[2].regression_result) == [3.0, 3.5]


def test_the_first_question_chooses_the_version(client):
    request = multi(client, ("half", "regress_x_to_y", REGRESS), ("half", "classify_x_to_y", CLASSIFY))
    request.tasks[0].model_spec.version.value = 1
    request.tasks[1].model_spec.version.value = 2
    results = client.call("MultiInference", request).results
    assert [result.model_spec.version.value for result in results] == [1, 1]
    assert values(results[0].regression_result) == [2.0]
    assert rows(results[1].classification_result) == [[("", 2.0)]]
    request.tasks[0].model_spec.version_label = "canary"
    assert [result.model_spec.version.value for result in client.call("MultiInference", request).results] == [2, 2]


ASKED = ("half", "regress_x_to_y", REGRESS)


@pytest.mark.parametrize(
    ("tasks", "code", "text"),
    [
        ([], "INVALID_ARGUMENT", "ModelSpec has no name specified."),
        ([("", "", REGRESS)], "INVALID_ARGUMENT", "ModelSpec has no name specified."),
        ([("nope", "", REGRESS)], "NOT_FOUND", "Servable not found for request: Latest(nope)"),
        ([ASKED, ("", "x", REGRESS)], "INVALID_ARGUMENT", "Found ModelSpec with an empty model name."),
        (
            [ASKED, ("columns", "x", REGRESS)],
            "INVALID_ARGUMENT",
            "All ModelSpecs in a MultiInferenceRequest must access the same model name.",
        ),
        ([ASKED, ASKED], "INVALID_ARGUMENT", "Duplicate evaluation of signature: regress_x_to_y"),
        ([("half", "nope", REGRESS)], "INVALID_ARGUMENT", "Requested signature not found in model graph: nope"),
        ([("half", "", PREDICT)], "UNIMPLEMENTED", f"Unsupported signature method_name: {PREDICT}"),
        ([("half", "regress_x_to_y", "")], "UNIMPLEMENTED", "Unsupported signature method_name: "),
        ([("columns", "", CLASSIFY)], "INVALID_ARGUMENT", "Expected one input Tensor."),
    ],
)
def test_wrong_questions_get_upstreams_code_and_message(client, tasks, code, text):
    assert client.refused("MultiInference", multi(client, *tasks)) == (code, text)


def test_questions_without_examples_are_refused(client):
    assert client.refused("MultiInference", multi(client, ASKED, count=0)) == ("INVALID_ARGUMENT", "Input is empty.")


def test_a_float_input_takes_no_examples(client):
    code, _ = client.refused("Regress", regression(client, "regress_x2_to_y3", "half"))
    assert code == "INVALID_ARGUMENT"
    answer = client.call("Predict", client.predict_request(signature="regress_x2_to_y3", inputs=np.float32([[2]])))
    assert list(answer.outputs["outputs"].float_val) == [4.0]
