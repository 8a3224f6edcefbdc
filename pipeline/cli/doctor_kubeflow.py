"""What ``sluiceway doctor --on kubeflow`` looks at: the packages, the server, and what the steps will need in the cluster."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from configs.environment import Kubeflow
from configs.errors import SluicewayError
from configs.schema import Settings
from pipeline.cli.doctor import Finding, packages

_SECONDS = 10
# Where a single-user installation runs its steps.
_DEFAULT_NAMESPACE = "kubeflow"
_NO_KUBECONFIG = "not looked at: no kubeconfig here"


def findings(settings: Settings) -> list[Finding]:
    """All of them, in the order in which a person mends them."""
    kubeflow = settings.environment.kubeflow
    found = [packages("kubeflow", ("kfp", "kfp-server-api", "kfp-kubernetes"), "pip install 'sluiceway[kubeflow]'")]
    found += _server(kubeflow) if found[0].ok else []
    return [*found, _image(kubeflow), _store(settings), *_cluster(kubeflow)]


def _server(kubeflow: Kubeflow) -> list[Finding]:
    """Reachable, of the right version, and ours to use; what cannot be asked any more is left out."""
    from pipeline.kubeflow.client import KubeflowClient, host_of, token_of

    try:
        client = KubeflowClient(host_of(kubeflow), kubeflow.namespace, token_of(kubeflow), timeout=_SECONDS)
    except SluicewayError as error:
        return [_missing("server", error)]
    with client:
        try:
            many = client.health().multi_user
        except SluicewayError as error:
            return [_missing("server", error)]
        server = Finding("server", True, f"{client.host}, API v2beta1, {'several users' if many else 'a single user'}")
        if many and not kubeflow.namespace:
            return [
                server,
                Finding("namespace", False, "none, and the server has several users", "set kubeflow.namespace to your profile's"),
            ]
        found = [server, Finding("namespace", True, kubeflow.namespace or "the server's own")]
        try:
            there = client.find_experiment(kubeflow.experiment)
            client.recurring_runs()
        except SluicewayError as error:
            return [*found, _missing("access", error)]
        state = "is there" if there else "is not there yet; the first submit makes it"
        return [*found, Finding("access", True, _accepted(kubeflow)), Finding("experiment", True, f"{kubeflow.experiment} {state}")]


def _accepted(kubeflow: Kubeflow) -> str:
    """How the server lets us in. That it took a token says nothing of the token where it asks for none."""
    from pipeline.kubeflow.client import KubeflowClient, host_of

    if kubeflow.token_env is None:
        return "accepted without a token (kubeflow.token_env is null)"
    with KubeflowClient(host_of(kubeflow), kubeflow.namespace, None, timeout=_SECONDS) as nobody:
        try:
            nobody.find_experiment(kubeflow.experiment)
        except SluicewayError:
            return f"accepted with the token in ${kubeflow.token_env}"
    return f"accepted, also without a token: whether the one in ${kubeflow.token_env} is right is not known"


def _missing(name: str, error: SluicewayError) -> Finding:
    """An error's line, split where it begins to say what to do."""
    said, _, advice = " ".join(str(error).split()).partition("; ")
    return Finding(name, False, said, advice or "see to the address (kubeflow.host), the network and the server's pods")


def _image(kubeflow: Kubeflow) -> Finding:
    image = kubeflow.image
    if "@" in image:
        return Finding("image", True, f"{image} (a digest)")
    tag = image.rpartition("/")[2].partition(":")[2]
    fixed = tag not in {"", "latest"}
    advice = "give kubeflow.image a tag that never changes, or a digest: KFP's cache takes an equal name for equal content"
    return Finding("image", fixed, image if fixed else f"{image}, which is another one tomorrow", advice)


def _store(settings: Settings) -> Finding:
    from pipeline.kubeflow.sections import check_environment

    try:
        return Finding("store", True, f"{check_environment(settings)}, on a volume")
    except SluicewayError as error:
        if "store.path" in str(error):
            return Finding("store", False, str(error), "set store.path to a folder of one of kubeflow.volumes")
        return Finding("settings", False, str(error), "mend it in configs/environments, or with --set")


def _cluster(kubeflow: Kubeflow) -> Iterator[Finding]:
    """The claims, the secrets and the service account that the steps name."""
    namespace = kubeflow.namespace or _DEFAULT_NAMESPACE
    if not kubeflow.volumes:
        yield Finding("volumes", False, "none named", "name the claim that holds the store in kubeflow.volumes")
    wanted = [("volume", volume.claim, "read_namespaced_persistent_volume_claim", "claim") for volume in kubeflow.volumes]
    wanted += [("secret", secret.name, "read_namespaced_secret", "secret") for secret in kubeflow.secrets]
    if kubeflow.service_account:
        wanted.append(("account", kubeflow.service_account, "read_namespaced_service_account", "service account"))
    if not wanted:
        return
    core, why = _core()
    for name, thing, verb, kind in wanted:
        if core is None:
            yield Finding(name, None, f"{thing} ({why})")
            continue
        yield _look(name, thing, namespace, kind, getattr(core, verb))


def _look(name: str, thing: str, namespace: str, kind: str, read: Callable[..., Any]) -> Finding:
    from kubernetes.client import ApiException
    from urllib3.exceptions import HTTPError

    place = f"{thing} in namespace {namespace}"
    try:
        found = read(thing, namespace, _request_timeout=_SECONDS)
    except ApiException as error:
        if error.status == 404:
            return Finding(name, False, f"{place} is not there", f"make the {kind}, or name another one in configs/environments")
        return Finding(name, None, f"{place} (not looked at: the cluster answers {error.status} {error.reason})")
    except HTTPError as error:
        return Finding(name, None, f"{place} (not looked at: the cluster of the kubeconfig cannot be reached: {type(error).__name__})")
    keys = getattr(found, "data", None)
    return Finding(name, True, f"{place}{f', {len(keys)} keys' if isinstance(keys, dict) else ''}")


def _core() -> tuple[Any, str]:
    """Kubernetes' API as the kubeconfig says, or why there is none."""
    paths = os.environ.get("KUBECONFIG", str(Path.home() / ".kube" / "config")).split(os.pathsep)
    if not any(path and Path(path).is_file() for path in paths):
        return None, _NO_KUBECONFIG
    with contextlib.suppress(ModuleNotFoundError):
        from kubernetes import client, config

        settings = client.Configuration()
        settings.retries = False
        try:
            config.load_kube_config(config_file=os.pathsep.join(paths), client_configuration=settings)
        except (config.ConfigException, OSError, ValueError) as error:
            return None, f"not looked at: the kubeconfig cannot be used: {' '.join(str(error).split())[:120]}"
        return client.CoreV1Api(client.ApiClient(settings)), ""
    return None, "not looked at: the package kubernetes is not installed"
