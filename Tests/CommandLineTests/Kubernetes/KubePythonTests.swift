import JSON
import Linux
import TestKit
import Testing

@testable import CommandLine

/// The Python client of Kubernetes against a node.
@Suite(.serialized, .enabled(if: isRoot), .timeLimit(.minutes(10))) struct KubePythonTests {
    @Test func `the Python client makes, watches, talks to and removes a pod`() async throws {
        try await KubeStage.run { kubectl in
            let said = try await kubectl.python(
                """
                from kubernetes import client, config, watch
                from kubernetes.stream import stream, portforward
                config.load_kube_config()
                api = client.CoreV1Api()
                # Running is not listening yet.
                probe = client.V1Probe(tcp_socket=client.V1TCPSocketAction(port=8080), period_seconds=1)
                container = client.V1Container(name="main", image="busybox:1", readiness_probe=probe,
                                               command=["httpd", "-f", "-p", "8080", "-h", "/etc"])
                pod = client.V1Pod(metadata=client.V1ObjectMeta(name="py", labels={"app": "py"}),
                                   spec=client.V1PodSpec(containers=[container]))
                made = api.create_namespaced_pod("default", pod)
                for event in watch.Watch().stream(api.list_namespaced_pod, "default", label_selector="app=py",
                                                  resource_version=made.metadata.resource_version, timeout_seconds=30):
                    status = event["object"].status
                    ready = any(c.type == "Ready" and c.status == "True" for c in status.conditions or [])
                    if status.phase == "Running" and ready:
                        print("running")
                        break
                print(stream(api.connect_get_namespaced_pod_exec, "py", "default", command=["echo", "executed"],
                             stdout=True, stderr=True, stdin=False, tty=False).strip())
                forward = portforward(api.connect_get_namespaced_pod_portforward, "py", "default", ports="8080")
                socket = forward.socket(8080)
                socket.setblocking(True)
                socket.sendall(b"GET /passwd HTTP/1.0\\r\\n\\r\\n")
                data = b""
                while (part := socket.recv(4096)):
                    data += part
                print("forwarded" if b"root:x:0:0" in data else data)
                patched = api.patch_namespaced_pod("py", "default", {"metadata": {"labels": {"tier": "one"}}})
                print(patched.metadata.labels["tier"])
                api.delete_namespaced_pod("py", "default", grace_period_seconds=1)
                try:
                    api.read_namespaced_pod("none", "default")
                except client.ApiException as error:
                    print(error.status, error.reason)
                """)
            #expect(said == "running\nexecuted\nforwarded\none\n404 Not Found\n")
        }
    }
}
