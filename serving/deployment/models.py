"""Which models a server is told to serve, in which versions, under which labels; no files, no servers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from configs.deployment import ServedModel
from configs.errors import UsageError
from configs.gateway import GatewayConfig
from serving.store.names import checked_model

# What a REST path can hold without being read otherwise.
_LABEL = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Served:
    """One model: its ``latest`` newest versions, or exactly ``versions`` if there are any; label to version."""

    name: str
    latest: int = 1
    versions: tuple[int, ...] = ()
    labels: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Choice:
    """The models to serve, and what a person should know about them."""

    models: tuple[Served, ...]
    notes: tuple[str, ...] = ()


def choose(
    named: Sequence[str], configured: Mapping[str, ServedModel], published: Mapping[str, Sequence[int]], *, unseen: bool = False
) -> Choice:
    """The models that are named, or else those that are configured, or else all that are published.

    A model without a version must not be listed: TF Serving waits for one before it opens its ports. A label of a version that is not there
    fails the whole list, so it is left out.

    Args:
        published: model to its versions, oldest first, as far as this machine knows.
        unseen: take models that this machine's store does not have; another one has them.

    Raises:
        UsageError: there is no model, one has no version, or a version or label can never answer.
    """
    names = list(dict.fromkeys(named)) or list(configured) or [name for name, versions in published.items() if versions]
    if not names:
        raise UsageError("no model is published, so there is none to serve; publish one: sluiceway run taxi")
    models, notes = [], []
    for name in names:
        versions = list(published.get(checked_model(name), ()))
        if not versions and not unseen:
            there = ", ".join(sorted(other for other, numbers in published.items() if numbers)) or "none"
            raise UsageError(
                f"{name} has no published version here; those that have: {there}; "
                f"publish one with sluiceway run {name}, or say --unseen if the servers' store has it"
            )
        model, left_out = _served(name, configured.get(name, ServedModel()), versions)
        models.append(model)
        notes += left_out
    return Choice(tuple(models), tuple(notes))


def _served(name: str, rules: ServedModel, published: Sequence[int]) -> tuple[Served, list[str]]:
    key = f"deploy.models.{name}"
    for label in rules.labels:
        if not _LABEL.fullmatch(label):
            raise UsageError(f"{key}.labels: {label!r} is not a label: use letters, digits, _ and -")
    if not published:  # another store has them: what is configured is believed
        return Served(name, rules.latest, tuple(rules.versions), dict(rules.labels)), []
    there = ", ".join(map(str, published))
    for version in rules.versions:
        if version not in published:
            raise UsageError(f"{key}.versions: version {version} is not published; there are: {there}")
    loaded = rules.versions or published[-rules.latest :]
    labels, notes = {}, []
    for label, version in rules.labels.items():
        if version not in published:
            notes.append(f"{key}.labels.{label}: version {version} is not published, so the label is left out; there are: {there}")
        elif version not in loaded:
            raise UsageError(
                f"{key}.labels.{label}: version {version} would not be loaded: raise {key}.latest, or list it in {key}.versions"
            )
        else:
            labels[label] = version
    return Served(name, rules.latest, tuple(rules.versions), labels), notes


def unanswerable(models: Sequence[Served], gateway: GatewayConfig, published: Mapping[str, Sequence[int]]) -> list[str]:
    """What the gateway would ask the model servers for in vain, one line each."""
    served = {model.name: model for model in models}
    notes = []
    for name, rules in gateway.models.items():
        if rules.upstream != "default":
            continue
        if name not in served:
            notes.append(f"gateway.models.{name}: the model is not among those served: {', '.join(served)}")
            continue
        model, there = served[name], published.get(name, ())
        loaded = model.versions or tuple(there[-model.latest :])
        targets = [(arm.version, arm.label) for arm in rules.arms]
        targets += [(rules.shadow.version, rules.shadow.label)] if rules.shadow else []
        for version, label in targets:
            if label is not None and label not in model.labels:
                notes.append(f"gateway.models.{name}: label {label} stands for nothing: say deploy.models.{name}.labels.{label}")
            if version is not None and loaded and version not in loaded:
                notes.append(f"gateway.models.{name}: version {version} is not loaded: list it in deploy.models.{name}.versions")
    return notes
