"""Measures a Kubernetes API from outside, as its clients see it. Prints one JSON object with lists of nanoseconds.

kube.py WHAT KUBECONFIG COUNT SECONDS

A client of its own over one TLS connection, since the usual libraries take longer than what is measured. After SECONDS it
gives up and says on its standard error what it was waiting for.
"""

import base64
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

import yaml


class Steps:
    """What is being done, for the message when it does not come to its end."""

    current = "starting"

    @classmethod
    def limit(cls, seconds):
        def expired(*_):
            raise SystemExit(f"not done within {seconds} s: {cls.current}")

        signal.signal(signal.SIGALRM, expired)
        signal.alarm(seconds)


def step(text):
    Steps.current = text


class Cluster:
    def __init__(self, path):
        config = yaml.safe_load(open(path))
        cluster = config["clusters"][0]["cluster"]
        user = config["users"][0]["user"]
        self.context = ssl.create_default_context(
            cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        with tempfile.NamedTemporaryFile("wb") as file:
            file.write(base64.b64decode(user["client-certificate-data"]) + b"\n"
                       + base64.b64decode(user["client-key-data"]))
            file.flush()
            self.context.load_cert_chain(file.name)
        host, port = cluster["server"].removeprefix("https://").rsplit(":", 1)
        self.host, self.port = host, int(port)
        self.connection = self.connect()

    def connect(self):
        plain = socket.create_connection((self.host, self.port))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.context.wrap_socket(plain, server_hostname=self.host).makefile("rwb")

    def send(self, stream, method, path, body=None, accept="application/json", content="application/json"):
        data = b"" if body is None else json.dumps(body).encode()
        head = (f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\nAccept: {accept}\r\nContent-Type: {content}\r\n"
                f"Content-Length: {len(data)}\r\n\r\n")
        stream.write(head.encode() + data)
        stream.flush()

    def head(self, stream):
        status = int(stream.readline().split()[1])
        headers = {}
        while (line := stream.readline().strip()):
            name, value = line.decode().split(":", 1)
            headers[name.lower()] = value.strip()
        return status, headers

    def raw(self, method, path, body=None, **words):
        self.send(self.connection, method, path, body, **words)
        status, headers = self.head(self.connection)
        if "content-length" in headers:
            return status, self.connection.read(int(headers["content-length"]))
        data = b""
        while (size := int(self.connection.readline(), 16)):
            data += self.connection.read(size)
            self.connection.readline()
        self.connection.readline()
        return status, data

    def call(self, method, path, body=None, **words):
        Steps.current = f"{Steps.current.split(' (')[0]} ({method} {path.split('?')[0]})"
        status, data = self.raw(method, path, body, **words)
        if status >= 300:
            raise SystemExit(f"{method} {path}: {status} {data.decode()[:500]}")
        return json.loads(data)

    def events(self, path):
        """The events of a watch, as they come."""
        stream = self.connect()
        self.send(stream, "GET", path)
        status, _ = self.head(stream)
        if status != 200:
            raise SystemExit(f"watch {path}: {status}")
        rest = b""
        while (size := int(stream.readline(), 16)):
            rest += stream.read(size)
            stream.readline()
            while b"\n" in rest:
                line, rest = rest.split(b"\n", 1)
                yield json.loads(line)


PODS = "/api/v1/namespaces/default/pods"
MAPS = "/api/v1/namespaces/default/configmaps"


def pod(name, command, **more):
    container = {"name": "main", "image": "web:1", "imagePullPolicy": "Never", "command": command}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 0, "automountServiceAccountToken": False}
    spec.update(more)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def watch_latency(cluster, count):
    """From the sending of a write to the event at another connection."""
    seen = {}
    ready = threading.Event()

    def follow():
        for event in cluster.events(MAPS + "?watch=true&resourceVersion=" + version):
            name = event["object"]["metadata"]["name"]
            seen[name] = time.monotonic_ns()
            ready.set()

    version = cluster.call("GET", MAPS + "?limit=1")["metadata"]["resourceVersion"]
    threading.Thread(target=follow, daemon=True).start()
    time.sleep(0.3)
    times = []
    for number in range(count):
        name = f"watched-{os.getpid()}-{number}"
        step(f"the event of config map {number + 1} of {count}")
        ready.clear()
        begin = time.monotonic_ns()
        cluster.call("POST", MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})
        while name not in seen:
            ready.wait(1)
        times.append(seen[name] - begin)
        time.sleep(0.005)
    return {"watch": times}


def table(cluster, count):
    for number in range(count):
        step(f"making pod {number + 1} of {count} for the table")
        status, data = cluster.raw("POST", PODS, pod(f"listed-{number}", ["/web"], schedulerName="nobody"))
        if status != 201:
            raise SystemExit(data.decode()[:500])
    accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
    times = []
    step(f"a table of {count} pods")
    for _ in range(15):
        begin = time.monotonic_ns()
        status, data = cluster.raw("GET", PODS, accept=accept)
        times.append(time.monotonic_ns() - begin)
        rows = len(json.loads(data)["rows"])
        if rows < count:
            raise SystemExit(f"the table has {rows} rows of {count}")
    step("deleting the pods of the table")
    cluster.call("DELETE", PODS, {"gracePeriodSeconds": 0})
    return {"table": times, "bytes": len(data)}


def follow_pod(cluster, name, version):
    return cluster.events(f"{PODS}?watch=true&fieldSelector=metadata.name%3D{name}&resourceVersion={version}")


def running(cluster, count):
    """From the sending of a pod to the event that says Running, then killed and back, then removed."""
    started, back = [], []
    for number in range(count):
        name = f"started-{os.getpid()}-{number}"
        version = cluster.call("GET", PODS + "?limit=1")["metadata"]["resourceVersion"]
        events = follow_pod(cluster, name, version)
        step(f"pod {number + 1} of {count} to be running")
        begin = time.monotonic_ns()
        cluster.call("POST", PODS, pod(name, ["/web", name]))
        for event in events:
            if event["object"].get("status", {}).get("phase") == "Running":
                started.append(time.monotonic_ns() - begin)
                break
        pid = process(name)
        step(f"pod {number + 1} of {count} to be running again after its container was killed")
        begin = time.monotonic_ns()
        os.kill(pid, signal.SIGKILL)
        for event in events:
            status = event["object"]["status"]["containerStatuses"][0]
            if status["restartCount"] > 0 and "running" in status["state"]:
                back.append(time.monotonic_ns() - begin)
                break
        cluster.call("DELETE", f"{PODS}/{name}", {"gracePeriodSeconds": 0})
    return {"running": started, "back": back}


def process(argument):
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            words = open(f"/proc/{entry}/cmdline", "rb").read().split(b"\0")
        except OSError:
            continue
        if words[:2] == [b"/web", argument.encode()]:
            return int(entry)
    raise SystemExit(f"no process has the argument {argument}")


def job(cluster, count):
    jobs = "/apis/batch/v1/namespaces/default/jobs"
    times = []
    for number in range(count):
        name = f"true-{os.getpid()}-{number}"
        version = cluster.call("GET", jobs + "?limit=1")["metadata"]["resourceVersion"]
        events = cluster.events(f"{jobs}?watch=true&fieldSelector=metadata.name%3D{name}&resourceVersion={version}")
        spec = pod(name, ["/noop"], restartPolicy="Never")["spec"]
        step(f"job {number + 1} of {count} to be complete")
        begin = time.monotonic_ns()
        cluster.call("POST", jobs, {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
                                    "spec": {"template": {"spec": spec}}})
        for event in events:
            conditions = event["object"].get("status", {}).get("conditions", [])
            if any(c["type"] == "Complete" and c["status"] == "True" for c in conditions):
                times.append(time.monotonic_ns() - begin)
                break
        cluster.call("DELETE", f"{jobs}/{name}", {"propagationPolicy": "Background"})
    return {"job": times}


def deployment(replicas, version):
    container = {"name": "web", "image": "web:1", "imagePullPolicy": "Never", "command": ["/web"],
                 "env": [{"name": "VERSION", "value": version}], "ports": [{"containerPort": 8080}],
                 "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}},
                     "template": {"metadata": {"labels": {"app": "web"}},
                                  "spec": {"containers": [container], "automountServiceAccountToken": False}}}}


DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
SERVICES = "/api/v1/namespaces/default/services"
INGRESSES = "/apis/networking.k8s.io/v1/namespaces/default/ingresses"
WEB_PODS = PODS + "?labelSelector=app%3Dweb"


def rolled(cluster, replicas):
    while True:
        status = cluster.call("GET", DEPLOYMENTS + "/web")
        generation = status["metadata"]["generation"]
        status = status.get("status", {})
        # A number that is 0 is left out.
        counts = [status.get(name, 0) for name in ("updatedReplicas", "availableReplicas", "replicas")]
        step(f"{replicas} replicas (updated, available and all: {counts})")
        if status.get("observedGeneration") == generation and counts == [replicas] * 3:
            return
        time.sleep(0.02)


def service(cluster, count):
    """Deploys the web server behind a service and an ingress, with a pod beside it to ask from; prints where they are."""
    cluster.call("POST", DEPLOYMENTS, deployment(count, "1"))
    made = cluster.call("POST", SERVICES, {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}})
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    cluster.call("POST", INGRESSES, {
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web"},
        "spec": {"rules": [{"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]}})
    cluster.call("POST", PODS, pod("client", ["/web", "9090"]))
    rolled(cluster, count)
    step("the pod that asks to be running")
    while cluster.call("GET", PODS + "/client").get("status", {}).get("phase") != "Running":
        time.sleep(0.02)
    pods = cluster.call("GET", WEB_PODS)["items"]
    return {"service": made["spec"]["clusterIP"], "pod": pods[0]["status"]["podIP"], "client": process("9090")}


def rollout(cluster, count):
    version = str(time.monotonic_ns())
    begin = time.monotonic_ns()
    cluster.call("PATCH", DEPLOYMENTS + "/web", {"spec": deployment(count, version)["spec"]},
                 content="application/strategic-merge-patch+json")
    rolled(cluster, count)
    return {"rollout": [time.monotonic_ns() - begin]}


def scale(cluster, count):
    """Waits until so many pods are ready, or, with 0, until the last one is gone."""
    begin = time.monotonic_ns()
    cluster.call("PATCH", DEPLOYMENTS + "/web/scale", {"spec": {"replicas": count}},
                 content="application/merge-patch+json")
    rolled(cluster, count)
    while count == 0 and (left := len(cluster.call("GET", WEB_PODS)["items"])):
        step(f"the last {left} pods to be gone")
        time.sleep(0.05)
    return {"scale": [time.monotonic_ns() - begin]}


def leave(cluster, _):
    """Removes the pod that asks, and waits until it is gone."""
    cluster.call("DELETE", PODS + "/client", {"gracePeriodSeconds": 0})
    step("the pod that asks to be gone")
    while any(item["metadata"]["name"] == "client" for item in cluster.call("GET", PODS)["items"]):
        time.sleep(0.02)
    return {}


def token(cluster, _):
    """A token that may do everything, for clients without certificates."""
    cluster.call("POST", "/api/v1/namespaces/default/serviceaccounts", {
        "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "bench"}})
    cluster.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "bench"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "bench", "namespace": "default"}]})
    made = cluster.call("POST", "/api/v1/namespaces/default/serviceaccounts/bench/token", {
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}})
    return {"token": made["status"]["token"]}


PARTS = {"watch": watch_latency, "table": table, "running": running, "job": job, "service": service,
         "rollout": rollout, "scale": scale, "leave": leave, "token": token}
what, path, count, seconds = sys.argv[1:]
Steps.limit(int(seconds))
print(json.dumps(PARTS[what](Cluster(path), int(count))))
