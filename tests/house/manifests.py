"""What must hold together in a set of Kubernetes objects: names, ports, labels, probes, accounts; and what a pod may not do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]


def of_kind(documents: list[Document], *kinds: str) -> list[Document]:
    return [document for document in documents if document["kind"] in kinds]


def named(documents: list[Document], kind: str, name: str) -> Document:
    return next(document for document in of_kind(documents, kind) if document["metadata"]["name"] == name)


def called(document: Document) -> str:
    return f"{document['kind']} {document['metadata']['name']}"


def pod_of(workload: Document) -> Document:
    return workload["spec"]["template"]["spec"]


def container_of(workload: Document) -> Document:
    return pod_of(workload)["containers"][0]


def chosen(documents: list[Document], labels: Document) -> list[Document]:
    """The deployments whose pods a selector chooses; an empty selector chooses none here."""
    found = []
    for workload in of_kind(documents, "Deployment"):
        pod_labels = workload["spec"]["template"]["metadata"]["labels"]
        if labels and all(pod_labels.get(key) == value for key, value in labels.items()):
            found.append(workload)
    return found


def ports_of(workload: Document) -> dict[str, int]:
    return {port["name"]: port["containerPort"] for port in container_of(workload).get("ports", [])}


def loose_ends(documents: list[Document]) -> list[str]:
    """Everything that points to something that is not there."""
    return [*_services(documents), *_selectors(documents), *_entrances(documents), *_workloads(documents)]


def _services(documents: list[Document]) -> Iterator[str]:
    for service in of_kind(documents, "Service"):
        workloads = chosen(documents, service["spec"]["selector"])
        if not workloads:
            yield f"{called(service)}: chooses no pod"
        for workload in workloads:
            for port in service["spec"]["ports"]:
                if port["targetPort"] not in ports_of(workload):
                    yield f"{called(service)}: no port {port['targetPort']} in {called(workload)}"
    for monitor in of_kind(documents, "ServiceMonitor"):
        labels = monitor["spec"]["selector"]["matchLabels"]
        services = [item for item in of_kind(documents, "Service") if labels.items() <= item["metadata"]["labels"].items()]
        names = {port["name"] for service in services for port in service["spec"]["ports"]}
        for endpoint in monitor["spec"]["endpoints"]:
            if endpoint["port"] not in names:
                yield f"{called(monitor)}: no service port {endpoint['port']}"


def _selectors(documents: list[Document]) -> Iterator[str]:
    for document in of_kind(documents, "PodDisruptionBudget", "NetworkPolicy"):
        selector = document["spec"].get("selector") or document["spec"]["podSelector"]
        workloads = chosen(documents, selector["matchLabels"])
        if not workloads:
            yield f"{called(document)}: chooses no pod"
        for rule in document["spec"].get("ingress", []):
            for port in rule["ports"]:
                if any(port["port"] not in ports_of(workload) for workload in workloads):
                    yield f"{called(document)}: no port {port['port']}"
    for scaler in of_kind(documents, "HorizontalPodAutoscaler"):
        target = scaler["spec"]["scaleTargetRef"]
        workloads = [item for item in of_kind(documents, target["kind"]) if item["metadata"]["name"] == target["name"]]
        if not workloads:
            yield f"{called(scaler)}: scales nothing"
        for workload in workloads:
            if "replicas" in workload["spec"]:
                yield f"{called(workload)}: states a number of pods that {called(scaler)} changes"


def _entrances(documents: list[Document]) -> Iterator[str]:
    ports = {(item["metadata"]["name"], port["name"]) for item in of_kind(documents, "Service") for port in item["spec"]["ports"]}
    middlewares = {item["metadata"]["name"] for item in of_kind(documents, "Middleware")}
    for ingress in of_kind(documents, "Ingress"):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                if (backend["name"], backend["port"]["name"]) not in ports:
                    yield f"{called(ingress)}: no service {backend['name']}:{backend['port']['name']}"
    for route in of_kind(documents, "IngressRoute"):
        for rule in route["spec"]["routes"]:
            for service in rule["services"]:
                if (service["name"], service["port"]) not in ports:
                    yield f"{called(route)}: no service {service['name']}:{service['port']}"
            for middleware in rule.get("middlewares", []):
                if middleware["name"] not in middlewares:
                    yield f"{called(route)}: no middleware {middleware['name']}"


def _workloads(documents: list[Document]) -> Iterator[str]:
    there = {(item["kind"], item["metadata"]["name"]) for item in documents}
    for workload in of_kind(documents, "Deployment"):
        pod, container = pod_of(workload), container_of(workload)
        if ("ServiceAccount", pod["serviceAccountName"]) not in there:
            yield f"{called(workload)}: no account {pod['serviceAccountName']}"
        for name in config_maps(pod):
            if ("ConfigMap", name) not in there:
                yield f"{called(workload)}: no map {name}"
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        if mounted != {volume["name"] for volume in pod["volumes"]}:
            yield f"{called(workload)}: volumes and mounts differ: {sorted(mounted)}"
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            action = container[probe].get("httpGet") or container[probe].get("tcpSocket")
            if action and action["port"] not in ports_of(workload):
                yield f"{called(workload)}: {probe} asks port {action['port']}"
            script = container[probe].get("exec", {}).get("command", ["", ""])[1]
            if script and script not in files_in(documents, workload):
                yield f"{called(workload)}: {probe} runs {script}"


def config_maps(pod: Document) -> list[str]:
    """The maps that a pod mounts."""
    found = []
    for volume in pod["volumes"]:
        found += [volume["configMap"]["name"]] if "configMap" in volume else []
        found += [source["configMap"]["name"] for source in volume.get("projected", {}).get("sources", [])]
    return found


def files_in(documents: list[Document], workload: Document) -> dict[str, str]:
    """Path inside the container to content, of everything that comes from maps."""
    maps = {item["metadata"]["name"]: item["data"] for item in of_kind(documents, "ConfigMap")}
    places = {mount["name"]: mount["mountPath"] for mount in container_of(workload)["volumeMounts"]}
    found = {}
    for volume in pod_of(workload)["volumes"]:
        for name in config_maps({"volumes": [volume]}):
            found |= {f"{places[volume['name']]}/{key}": text for key, text in maps.get(name, {}).items()}
    return found


def too_free(documents: list[Document]) -> list[str]:
    """What a pod of ours may do and should not."""
    found = []
    for workload in of_kind(documents, "Deployment"):
        pod, container = pod_of(workload), container_of(workload)
        inside, around = container.get("securityContext", {}), pod.get("securityContext", {})
        rules = {
            "may be root": around.get("runAsNonRoot") is True and around.get("runAsUser", 0) > 0,
            "may call what it likes": around.get("seccompProfile") == {"type": "RuntimeDefault"},
            "gets a token": pod.get("automountServiceAccountToken") is False,
            "may become more": inside.get("allowPrivilegeEscalation") is False,
            "may write to its image": inside.get("readOnlyRootFilesystem") is True,
            "has capabilities": inside.get("capabilities") == {"drop": ["ALL"]},
            "may use any memory": "memory" in container.get("resources", {}).get("limits", {}),
            "sets nothing aside": {"cpu", "memory"} <= set(container.get("resources", {}).get("requests", {})),
            "may write to the store": all(mount.get("readOnly") for mount in container["volumeMounts"] if mount["name"] != "tmp"),
        }
        found += [f"{called(workload)}: {what}" for what, kept in rules.items() if not kept]
    return found
