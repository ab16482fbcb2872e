/// What Python programs of tests begin with that send what no client library would.
enum RawClient {
    /// Defines `call(method, path, body, type)`, which returns the status, the body (of JSON its value) and the warnings,
    /// `connect()`, and `reload()` for a kubeconfig that names another port.
    static let prelude = """
        import base64, http.client, json, os, random, socket, ssl, struct, sys, tempfile, threading, time, urllib.parse
        import yaml
        maps = "/api/v1/namespaces/default/configmaps"
        pods = "/api/v1/namespaces/default/pods"
        deployments = "/apis/apps/v1/namespaces/default/deployments"

        def reload():
            global server, context
            config = yaml.safe_load(open(os.environ["KUBECONFIG"]))
            cluster = config["clusters"][0]["cluster"]
            authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
            fresh = ssl.create_default_context(cadata=authority)
            fresh.check_hostname = False
            with tempfile.TemporaryDirectory() as place:
                for part in ("certificate", "key"):
                    with open(place + "/" + part, "wb") as file:
                        file.write(base64.b64decode(config["users"][0]["user"]["client-" + part + "-data"]))
                fresh.load_cert_chain(place + "/certificate", place + "/key")
            # Other threads connect meanwhile: never without the certificate.
            server, context = urllib.parse.urlparse(cluster["server"]), fresh

        reload()

        def connect(timeout=60):
            return http.client.HTTPSConnection(server.hostname, server.port, context=context, timeout=timeout)

        def call(method, path, body=None, type="application/json", connection=None, timeout=60):
            own = connection or connect(timeout)
            if body is not None and not isinstance(body, (str, bytes)):
                body = json.dumps(body)
            try:
                own.request(method, path, body=body, headers={"Content-Type": type} if type else {})
                answer = own.getresponse()
                text = answer.read()
            finally:
                if connection is None:
                    own.close()
            try:
                value = json.loads(text)
            except ValueError:
                value = text.decode(errors="replace")
            return answer.status, value, answer.headers.get_all("Warning") or []

        def config_map(name, **members):
            return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, **members}

        def fields(number, data):
            # A field of a protocol buffer that has a length.
            out = bytearray()
            for value in (number << 3 | 2, len(data)):
                while value > 127:
                    out.append(value & 127 | 128)
                    value >>= 7
                out.append(value)
            return bytes(out) + data


        """
}
