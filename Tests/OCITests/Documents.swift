import JSON
import OCI

/// Digests, descriptors and documents for the tests here.
enum Documents {
    static func digest(_ character: Character) -> Digest { Digest("sha256:" + String(repeating: character, count: 64))! }

    static let config = Descriptor(mediaType: MediaType.config, digest: digest("a"), size: 100)
    static let layer = Descriptor(mediaType: MediaType.layerGzip, digest: digest("b"), size: 200)

    static let manifest: JSONValue = [
        "schemaVersion": 2, "mediaType": .string(MediaType.manifest), "config": config.json, "layers": [layer.json],
    ]

    static func bytes(_ json: JSONValue, _ change: (inout JSONValue) -> Void = { _ in }) -> [UInt8] {
        var json = json
        change(&json)
        return JSONWriter.bytes(json)
    }

    static let imageConfig = """
        {"architecture":"arm64","variant":"v8","os":"linux","created":"2026-01-02T03:04:05Z","author":"A",
        "moby.buildkit":{"x":[1,2]},"config":{"User":"1000:1000","Env":["PATH=/bin","LANG=C","PATH=/usr/bin"],
        "Entrypoint":["/app"],"Cmd":["-v"],"WorkingDir":"/srv","ExposedPorts":{"80/tcp":{},"53/udp":{}},
        "Volumes":{"/data":{}},"Labels":{"b":"2","a":"1"},"StopSignal":"SIGQUIT","Shell":["/bin/bash","-c"],
        "Healthcheck":{"Test":["CMD-SHELL","ok"],"Interval":5000000000,"Retries":2},"OnBuild":["RUN x"],"Other":7},
        "rootfs":{"type":"layers","diff_ids":["sha256:\(String(repeating: "c", count: 64))"]},
        "history":[{"created_by":"one"},{"created_by":"two","empty_layer":true}]}
        """
}
