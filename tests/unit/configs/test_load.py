"""Configuration from files and overrides: what ships loads, what is wrong is one line."""

from __future__ import annotations

import itertools
import shutil

import pytest
from msgspec.structs import fields

from configs import load
from configs.environment import EnvironmentConfig
from configs.errors import ConfigError
from configs.load import CONFIG_ROOT, load_settings, names, shown
from configs.schema import UseCaseConfig

SHIPPED = list(itertools.product(names("use_cases"), names("environments")))


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A copy of the shipped files, to write into."""
    for kind in ("use_cases", "environments"):
        shutil.copytree(CONFIG_ROOT / kind, tmp_path / "configs" / kind)
    monkeypatch.setattr(load, "CONFIG_ROOT", tmp_path / "configs")
    return tmp_path / "configs"


def error_of(*arguments, **keywords):
    """The one line of the ConfigError."""
    with pytest.raises(ConfigError) as caught:
        load_settings(*arguments, **keywords)
    line = str(caught.value)
    assert "\n" not in line
    return line


@pytest.mark.parametrize(("use_case", "environment"), SHIPPED)
def test_every_shipped_use_case_loads_in_every_environment(use_case, environment):
    settings = load_settings(use_case, environment)
    assert (settings.name, settings.environment_name) == (use_case, environment)
    assert settings.use_case.thresholds.given()


def test_what_ships_is_found():
    assert ("taxi", "local") in SHIPPED
    assert ("taxi", "smoke") in SHIPPED


def test_the_environment_chooses_the_budget():
    smoke, full = load_settings("taxi", "smoke"), load_settings("taxi", "local")
    assert smoke.budget == smoke.use_case.budgets.smoke
    assert full.budget == full.use_case.budgets.full
    assert smoke.budget != full.budget


def test_without_a_small_budget_the_full_one_counts():
    settings = load_settings("taxi", "smoke", ["budgets.smoke=null"])
    assert settings.budget == settings.use_case.budgets.full


def test_the_environments_do_not_share_their_state():
    states = [load_settings("taxi", environment).environment.state for environment in names("environments")]
    assert len(set(states)) == len(states)


def test_overrides_change_what_and_where_and_nothing_else():
    plain = load_settings("taxi", "local")
    changed = load_settings("taxi", "local", ["thresholds.auc=0.5", "server.rest_port=9000", "hparams.dropout=0"])
    assert changed.use_case.thresholds.auc == 0.5
    assert changed.use_case.thresholds.accuracy == plain.use_case.thresholds.accuracy
    assert changed.environment.server.rest_port == 9000
    assert changed.environment.server.grpc_port == plain.environment.server.grpc_port
    assert changed.use_case.hparams == {**plain.use_case.hparams, "dropout": 0}
    assert load_settings("taxi", "local") == plain


def test_the_last_override_of_a_key_wins():
    assert load_settings("taxi", overrides=["cache=false", "cache=true"]).environment.cache is True


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("thresholds.auc=1.4", "--set thresholds.auc: 1.4 is not between 0 and 1"),
        ("thresholds.acu=0.5", "--set thresholds.acu: unknown key; allowed: accuracy, auc, loss, mae, precision, recall, rmse"),
        ("thresholds=null", "--set thresholds: None is not a section with keys of its own"),
        ("thresholds.auc.low=1", "--set thresholds.auc.low=1: thresholds.auc is a value, it has no key 'low'"),
        ("infra.tolerance=.nan", "--set infra.tolerance: nan is not between 0 and 1"),
        ("budget=huge", "--set budget: 'huge' is not one of: full, smoke"),
        ("nonsense", "--set nonsense: expected key=value, for example --set thresholds.auc=0.7"),
    ],
)
def test_a_wrong_override_is_told_as_one(override, line):
    assert error_of("taxi", "local", [override]) == line


@pytest.mark.parametrize("override", ["threshold.auc=1", "name=x", "use_case.thresholds.auc=1"])
def test_an_unknown_key_tells_all_that_are_known(override):
    known = ", ".join(sorted(field.name for shape in (UseCaseConfig, EnvironmentConfig) for field in fields(shape)))
    first = override.partition("=")[0].partition(".")[0]
    assert error_of("taxi", "local", [override]) == f"--set {override}: unknown key {first!r}; allowed: {known}"


def test_an_unknown_use_case_tells_which_there_are():
    assert error_of("taxy") == f"no use case 'taxy'; there are: {', '.join(names('use_cases'))}"


@pytest.mark.parametrize("name", ["../use_cases/taxi", "", "taxi.yaml", "."])
def test_a_name_is_never_a_path(name):
    assert error_of(name).startswith("no use case ")


def test_an_unknown_environment_tells_which_there_are():
    assert error_of("taxi", "moon") == f"no environment 'moon'; there are: {', '.join(names('environments'))}"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"thresholds: {auc: 0.8}\nthresholds: {auc: 0.1}\n", "not valid YAML: key 'thresholds' is given twice"),
        (b"thresholds: {auc: 0.8, auc: 0.1}\n", "not valid YAML: key 'auc' is given twice"),
        (b"thresholds: {auc: 0.8\n", "not valid YAML: "),
        (b"\tthresholds: 1\n", "not valid YAML: "),
        (b"\xff\n", "not valid YAML: "),
        (b"- 1\n", "expected keys and values, found list"),
        (b"", "expected keys and values, found NoneType"),
        (b"data: {}\n", "thresholds: missing; it has no default"),
        (b"thresholds: {auc: 0.8}\nbudget: full\n", "budget: unknown key; allowed: budgets, change, data, "),
        (b"thresholds: {auc: .nan}\n", "thresholds.auc: nan is not between 0 and 1"),
        (b"thresholds: {auc: .inf}\n", "thresholds.auc: inf is not between 0 and 1"),
        (b"thresholds: {auc: 0.8}\ndata: {source: 2024}\n", "data.source: 2024 is not a text"),
    ],
)
def test_a_broken_file_is_one_line_that_names_it(root, content, problem):
    (root / "use_cases" / "taxi.yaml").write_bytes(content)
    assert error_of("taxi").startswith(f"configs/use_cases/taxi.yaml: {problem}")


def test_an_override_can_mend_a_file_but_not_its_grammar(root):
    (root / "use_cases" / "taxi.yaml").write_text("thresholds: {auc: 7}\n", encoding="utf-8")
    assert load_settings("taxi", overrides=["thresholds.auc=0.7"]).use_case.thresholds.auc == 0.7
    assert error_of("taxi", "local", ["data.train_buckets=3"]) == "configs/use_cases/taxi.yaml: thresholds.auc: 7 is not between 0 and 1"


def test_a_file_that_cannot_be_opened_is_named(root):
    (root / "environments" / "moon.yaml").mkdir()
    assert error_of("taxi", "moon") == "configs/environments/moon.yaml: cannot be read: Is a directory"


def test_a_file_outside_is_shown_by_its_whole_path(tmp_path):
    assert shown(tmp_path / "x.yaml") == str(tmp_path / "x.yaml")
    assert shown(CONFIG_ROOT / "use_cases" / "taxi.yaml") == "configs/use_cases/taxi.yaml"


@pytest.mark.parametrize("limit", ["infra.tolerance=.inf", "thresholds.loss=.inf", "change.loss=.inf"])
def test_a_limit_of_infinity_would_let_everything_through_and_is_refused(limit):
    with pytest.raises(ConfigError, match="inf is not between 0 and"):
        load_settings("taxi", "local", [limit])
