"""Configuration from files and overrides: what ships loads, what is wrong is one line."""

from __future__ import annotations

import itertools
import shutil

import pytest
from msgspec.structs import fields

from configs import load
from configs.environment import EnvironmentConfig
from configs.errors import ConfigError
from configs.load import CONFIG_ROOT, load_gateway, load_settings, names, shown
from configs.schema import UseCaseConfig

CORES = "a number of cores as Kubernetes writes it, like 500m or 2"
MEMORY = "a Kubernetes quantity like 512Mi or 4Gi"
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
        ("thresholds=null", "--set thresholds: is empty, not a section with keys of its own"),
        ("thresholds.auc.low=1", "--set thresholds.auc.low=1: thresholds.auc is a value, it has no key 'low'"),
        ("infra.tolerance=.nan", "--set infra.tolerance: nan is not between 0 and 1"),
        ("budget=huge", "--set budget: 'huge' is not one of: full, smoke"),
        ("state=", "--set state: is empty, not a text"),
        ("state=''", "--set state: is empty, not a text"),
        ("budget=", "--set budget: is empty, not one of: full, smoke"),
        ("kubeflow.image=", "--set kubeflow.image: is empty, not an image's name like registry.example/team/pipeline:1.0"),
        ("kubeflow.steps.Trainer.cp=8", "--set kubeflow.steps.Trainer.cp: unknown key; allowed: accelerator, accelerators, "),
        ("kubeflow.steps.Trainer.cpu=abc", f"--set kubeflow.steps.Trainer.cpu: 'abc' is not {CORES}"),
        ("kubeflow.step.cpu=-1", f"--set kubeflow.step.cpu: '-1' is not {CORES}"),
        ("kubeflow.step.cpu=true", f"--set kubeflow.step.cpu: True is not {CORES}"),
        ("kubeflow.step.memory=lots", f"--set kubeflow.step.memory: 'lots' is not {MEMORY}"),
        ("kubeflow.step.memory=8", f"--set kubeflow.step.memory: 8 is not {MEMORY}"),
        ("kubeflow.step.accelerators=3", "--set kubeflow.step.accelerators: 3 is not one of: 1, 2, 4, 8, 16"),
        ("schedule.timezone=Nope", "--set schedule.timezone: 'Nope' is not a time zone like Europe/Berlin, America/New_York or UTC"),
        ("kubeflow.timezone=../UTC", "--set kubeflow.timezone: '../UTC' is not a time zone like Europe/Berlin, America/New_York or UTC"),
        ("nonsense", "--set nonsense: expected key=value, for example --set thresholds.auc=0.7"),
    ],
)
def test_a_wrong_override_is_told_as_one(override, line):
    told = error_of("taxi", "kubeflow", [override])
    assert told == line or (line.endswith(", ") and told.startswith(line))


@pytest.mark.parametrize(("value", "text"), [("8", "8"), ("0.5", "0.5"), ("'2'", "2"), ("500m", "500m"), ("2.0", "2.0")])
def test_cores_are_numbers_with_or_without_quotes(value, text):
    changes = [f"kubeflow.steps.Trainer.cpu={value}", f"kubeflow.step.cpu={value}"]
    kubeflow = load_settings("taxi", "kubeflow", changes).environment.kubeflow
    assert (kubeflow.step.cpu, kubeflow.steps["Trainer"].cpu) == (text, text)


@pytest.mark.parametrize("size", ["512Mi", "4Gi", "1000000000", "2T"])
def test_a_quantity_of_memory_is_taken_as_kubernetes_writes_it(size):
    assert load_settings("taxi", "kubeflow", [f"kubeflow.step.memory='{size}'"]).environment.kubeflow.step.memory == size


@pytest.mark.parametrize(
    "image",
    [
        "pipeline",
        "sluiceway/pipeline:0.1.0",
        "localhost:5000/a/b__c-d.e:V_1",
        "europe-docker.pkg.dev/my-project/sluiceway/pipeline:0.1.0",
        "registry.example/sluiceway@sha256:0a1b",
        "a:1@sha256:0a1b",
        "[::1]:5000/a",
    ],
)
def test_an_image_is_named_as_engines_name_it(image):
    assert load_settings("taxi", "kubeflow", [f"kubeflow.image='{image}'"]).environment.kubeflow.image == image


@pytest.mark.parametrize(
    "image", ["not valid image", "UPPER/pipeline", "a:", "a:1:2", "http://a/b", "a//b", "a@sha256", "a:1 ", "-a", "a/", ""]
)
def test_what_is_no_image_is_found_before_anything_compiles(image):
    assert error_of("taxi", "kubeflow", [f"kubeflow.image='{image}'"]).endswith("an image's name like registry.example/team/pipeline:1.0")


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC"])
def test_a_time_zone_is_one_of_the_table(zone):
    assert load_settings("taxi", "local", [f"schedule.timezone={zone}"]).environment.schedule.timezone == zone


@pytest.mark.parametrize("override", ["threshold.auc=1", "name=x", "use_case.thresholds.auc=1"])
def test_an_unknown_key_tells_all_that_are_known(override):
    known = ", ".join(sorted(field.name for shape in (UseCaseConfig, EnvironmentConfig) for field in fields(shape)))
    first = override.partition("=")[0].partition(".")[0]
    assert error_of("taxi", "local", [override]) == f"--set {override}: unknown key {first!r}; allowed: {known}"


def test_an_unknown_use_case_tells_which_there_are():
    assert error_of("taxy") == f"no use case 'taxy'; there are: {', '.join(names('use_cases'))}"


@pytest.mark.parametrize("name", ["", "taxi.yaml", "use_cases"])
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
        (b"", "is empty; expected keys and values"),
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


def test_where_the_machine_has_no_table_of_zones_none_is_refused(monkeypatch):
    def gone(name):
        raise load.ZoneInfoNotFoundError(name)

    monkeypatch.setattr(load, "ZoneInfo", gone)
    assert "not a time zone" in error_of("taxi")
    monkeypatch.setattr(load, "available_timezones", set)
    assert load_settings("taxi", "local", ["schedule.timezone=Europe/Berlin"]).environment.schedule.timezone == "Europe/Berlin"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("rows.csv", "{folder}/rows.csv"),
        ("../rows-{{SPAN}}", "{folder}/../rows-{{SPAN}}"),
        ("/srv/rows.csv",) * 2,
        ("s3://bucket/rows.csv",) * 2,
    ],
)
def test_a_place_in_the_file_of_a_use_case_of_ones_own_starts_at_its_folder(tmp_path, monkeypatch, written, read):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "mine.yaml").write_text(f"data: {{source: '{written.format()}'}}\nthresholds: {{auc: 0.5}}\n", encoding="utf-8")
    monkeypatch.chdir("/")
    assert load_settings(str(folder)).use_case.data.source == read.format(folder=folder)
    assert load_settings(str(folder), overrides=["data.source=other.csv"]).use_case.data.source == "other.csv"


def test_files_beside_a_gateways_file_are_found_from_anywhere(tmp_path, monkeypatch):
    file = tmp_path / "gateway.yaml"
    file.write_text(
        "keys: {file: keys.yaml}\nstore: store\njwt: {issuer: a, audience: b, key_file: /etc/jwks.json}\n"
        "upstreams: {default: {grpc: 'm:1', tls: {ca_file: ca.pem}}}\n",
        encoding="utf-8",
    )
    monkeypatch.chdir("/")
    found = load_gateway(file)
    assert (found.keys.file, found.store, found.jwt.key_file) == (str(tmp_path / "keys.yaml"), str(tmp_path / "store"), "/etc/jwks.json")
    assert (found.upstreams["default"].tls.ca_file, found.upstreams["default"].tls.key_file) == (str(tmp_path / "ca.pem"), None)
