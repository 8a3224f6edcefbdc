"""Reads configuration: two YAML files and the command line's overrides, in; one checked ``Settings``, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import yaml
from msgspec import ValidationError, convert
from msgspec.structs import fields, replace

from configs.environment import EnvironmentConfig
from configs.errors import ConfigError
from configs.gateway import GatewayConfig
from configs.places import is_path, own_folder
from configs.resolve import apply_override, explain, parse_override, settled, told
from configs.schema import Settings, UseCaseConfig
from configs.section import Section
from configs.strict_yaml import parse

CONFIG_ROOT = Path(__file__).parent
_WHAT = {field.name for field in fields(UseCaseConfig)}
_WHERE = {field.name for field in fields(EnvironmentConfig)}


def load_settings(use_case: str, environment: str = "local", overrides: Sequence[str] = ()) -> Settings:
    """The effective configuration of a use case in an environment.

    ``use_case`` is a name, or the path of a folder that holds a use case of the user's own.
    ``overrides`` are ``key=value`` texts; a key names a field of the use case or of the environment, dotted.

    Raises:
        ConfigError: a file is missing or unreadable, or a key or value is wrong.
        UsageError: there is no such folder.
    """
    folder = own_folder(use_case) if is_path(use_case) else None
    what_file = _file("use_cases", use_case) if folder is None else folder / f"{folder.name}.yaml"
    where_file = _file("environments", environment)
    what, where = _read(what_file), _read(where_file)
    if folder is not None:
        _anchor(what, folder)
    changed: dict[str, list[str]] = {"what": [], "where": []}
    for text in overrides:
        path, value = parse_override(text)
        side = "what" if path[0] in _WHAT else "where"
        if path[0] not in _WHAT and path[0] not in _WHERE:
            allowed = ", ".join(sorted([*_WHAT, *_WHERE]))
            raise ConfigError(f"--set {text}: unknown key {path[0]!r}; allowed: {allowed}")
        apply_override(what if side == "what" else where, path, value, text)
        changed[side].append(".".join(path))
    settings = Settings(
        name=use_case if folder is None else folder.name,
        folder=None if folder is None else str(folder),
        environment_name=environment,
        use_case=_checked(UseCaseConfig, what, what_file, changed["what"]),
        environment=_checked(EnvironmentConfig, where, where_file, changed["where"]),
    )
    _check_zones(settings.environment, where_file, changed["where"])
    return settings


def load_gateway(path: Path) -> GatewayConfig:
    """A gateway's configuration from a file of its own.

    Raises:
        ConfigError: it cannot be read, or a key or value is wrong.
    """
    found: GatewayConfig = _checked(GatewayConfig, _read(path), path, [])
    return beside(found, path.parent)


def beside(config: GatewayConfig, folder: Path) -> GatewayConfig:
    """Files that are named by relative paths lie beside the file that names them."""

    def at(place: str | None) -> str | None:
        return place if place is None or place.startswith(("/", "~")) else str(folder / place)

    upstreams = {
        name: replace(
            upstream,
            tls=None
            if upstream.tls is None
            else replace(upstream.tls, **{key: at(getattr(upstream.tls, key)) for key in ("ca_file", "cert_file", "key_file")}),
        )
        for name, upstream in config.upstreams.items()
    }
    keys = None if config.keys is None else replace(config.keys, file=at(config.keys.file))
    jwt = None if config.jwt is None else replace(config.jwt, key_file=at(config.jwt.key_file))
    return replace(config, upstreams=upstreams, keys=keys, jwt=jwt, store=at(config.store))


def names(kind: str) -> list[str]:
    """The configured names of a kind (``use_cases`` or ``environments``), sorted."""
    return sorted(path.stem for path in (CONFIG_ROOT / kind).glob("*.yaml"))


def _file(kind: str, name: str) -> Path:
    path = CONFIG_ROOT / kind / f"{name}.yaml"
    if name not in names(kind):
        what = kind[:-1].replace("_", " ")
        here = f"; the folder is written ./{name}" if kind == "use_cases" and Path(name).is_dir() else ""
        raise ConfigError(f"no {what} {name!r}; there are: {', '.join(names(kind)) or 'none'}{here}")
    return path


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open(encoding="utf-8") as file:
            content = parse(file)
    except OSError as error:
        raise ConfigError(f"{shown(path)}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{shown(path)}: not valid YAML: {' '.join(str(error).split())}") from error
    if content is None:
        raise ConfigError(f"{shown(path)}: is empty; expected keys and values")
    if not isinstance(content, Mapping):
        raise ConfigError(f"{shown(path)}: expected keys and values, found {type(content).__name__}")
    return dict(content)


def shown(path: Path) -> str:
    """A configuration file as messages name it: from the package folder on."""
    return str(path.relative_to(CONFIG_ROOT.parent)) if path.is_relative_to(CONFIG_ROOT.parent) else str(path)


def _anchor(what: dict[str, Any], folder: Path) -> None:
    """A relative place in the file of a use case of one's own starts at its folder, wherever it is run from."""
    data = what.get("data")
    source = data.get("source") if isinstance(data, dict) else None
    if isinstance(data, dict) and isinstance(source, str) and source and "://" not in source and not source.startswith(("/", "~")):
        what["data"] = {**data, "source": str(folder / source)}


def _checked(shape: type[Section], content: dict[str, Any], path: Path, changed: list[str]) -> Any:
    content = settled(shape, content)
    try:
        return convert(content, shape)
    except ValidationError as error:
        raise ConfigError(explain(shape, content, str(error), shown(path), changed)) from error


def _check_zones(environment: EnvironmentConfig, path: Path, changed: list[str]) -> None:
    for key, name in (("schedule.timezone", environment.schedule.timezone), ("kubeflow.timezone", environment.kubeflow.timezone)):
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            if not available_timezones():  # a small image may have no table; who needs the zone there says so
                return
            problem = f"{name!r} is not a time zone like Europe/Berlin, America/New_York or UTC"
            raise ConfigError(told(key, problem, shown(path), changed)) from error
