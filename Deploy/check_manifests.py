"""Checks between Kubernetes manifests that no schema has: python check_manifests.py MANIFESTS.yaml"""

import sys

import yaml


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        manifests = [manifest for manifest in yaml.safe_load_all(file) if manifest]
    by_kind = {kind: [m for m in manifests if m["kind"] == kind] for kind in {m["kind"] for m in manifests}}
    names = {kind: {m["metadata"]["name"] for m in found} for kind, found in by_kind.items()}
    [deployment] = by_kind["Deployment"]
    [pod] = [deployment["spec"]["template"]["spec"]]
    [container] = pod["containers"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}

    def check(holds: bool, what: str) -> None:
        if not holds:
            sys.exit(f"Deploy/kubernetes: {what}")

    def selects(selector: dict, what: str) -> None:
        check(bool(selector) and selector.items() <= labels.items(), f"{what} selects no pod of the deployment: {selector}")

    selects(deployment["spec"]["selector"]["matchLabels"], "the deployment")
    selects(by_kind["Service"][0]["spec"]["selector"], "the service")
    selects(by_kind["PodDisruptionBudget"][0]["spec"]["selector"]["matchLabels"], "the disruption budget")
    selects(by_kind["NetworkPolicy"][0]["spec"]["podSelector"]["matchLabels"], "the network policy")
    check(pod["serviceAccountName"] in names["ServiceAccount"], "the service account is missing")
    for source in container["envFrom"]:
        check(source["configMapRef"]["name"] in names["ConfigMap"], f"no such ConfigMap: {source}")
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    for volume in volumes.values():
        if claim := volume.get("persistentVolumeClaim"):
            check(claim["claimName"] in names["PersistentVolumeClaim"], f"no such claim: {volume}")
        if secret := volume.get("secret"):
            check(secret["secretName"] in names["Secret"], f"no such secret: {volume}")
    for mount in container["volumeMounts"]:
        check(mount["name"] in volumes, f"no such volume: {mount}")
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        check(container[probe]["httpGet"]["port"] in ports, f"{probe} asks no port of the container")
    service_ports = {port["name"] for port in by_kind["Service"][0]["spec"]["ports"]}
    check(all(port["targetPort"] in ports for port in by_kind["Service"][0]["spec"]["ports"]), "the service leads to no port of the container")
    for rule in by_kind["Ingress"][0]["spec"]["rules"]:
        for path in rule["http"]["paths"]:
            backend = path["backend"]["service"]
            check(backend["name"] in names["Service"] and backend["port"]["name"] in service_ports, f"the ingress leads nowhere: {backend}")
    target = by_kind["HorizontalPodAutoscaler"][0]["spec"]["scaleTargetRef"]
    check(target["name"] in names[target["kind"]], f"the autoscaler scales nothing: {target}")
    [settings] = [m["data"] for m in by_kind["ConfigMap"]]
    drain = float(settings["NTK_DRAIN_DELAY"]) + float(settings["NTK_DRAIN_TIMEOUT"])
    check(pod["terminationGracePeriodSeconds"] > drain, f"the pod is killed before it has drained for {drain} s")
    print(f"{len(manifests)} manifests fit together")


main()
