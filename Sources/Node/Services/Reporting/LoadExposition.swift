package import Metrics

/// What came by ingresses, in numbers. Pure.
enum LoadExposition {
    /// In the text format of Prometheus, for those who ask the Kubernetes API alone.
    static func text(_ loads: [ServiceName: ServiceLoad]) -> String {
        loads.isEmpty ? "" : String(decoding: PrometheusText.bytes(families(loads)), as: UTF8.self)
    }

    static func families(_ loads: [ServiceName: ServiceLoad]) -> [MetricFamily] {
        let services = loads.sorted { $0.key < $1.key }
        func each(_ value: (ServiceLoad) -> MetricSample.Value) -> [MetricSample] {
            services.map { MetricSample(labels($0.key), value($0.value)) }
        }
        return [
            family(
                "requests_total", .counter,
                "Answers to requests, by service and class of their status; none when the client went away before.",
                services.flatMap { service, load in
                    load.answers.sorted(by: { $0.key < $1.key }).map { digit, count in
                        MetricSample(
                            labels(service) + [MetricLabel("code", digit == 0 ? "none" : "\(digit)xx")], .number(Double(count)))
                    }
                }),
            family(
                "requests_in_flight", .gauge, "Requests that are being answered or wait for a server.",
                each { .number(Double($0.concurrency)) }),
            family(
                "requests_waiting", .gauge, "Requests that wait for the first server of a service at zero.",
                each { .number(Double($0.waiting)) }),
            family("request_duration_seconds", .histogram, "How long answers took.", each { .histogram(durations($0)) }),
        ]
    }

    private static func family(
        _ name: String, _ kind: MetricFamily.Kind, _ help: String, _ samples: [MetricSample]
    ) -> MetricFamily {
        MetricFamily("forkless_ingress_" + name, kind, help: help, samples)
    }

    private static func labels(_ service: ServiceName) -> [MetricLabel] {
        [MetricLabel("namespace", service.namespace), MetricLabel("service", service.name)]
    }

    private static func durations(_ load: ServiceLoad) -> MetricHistogram {
        var seen: UInt64 = 0
        var buckets: [MetricHistogram.Bucket] = []
        for (bound, count) in zip(ServiceLoad.bounds, load.latencies) {
            seen += UInt64(count)
            buckets.append(.init(upTo: Double(bound) / 1000, seen))
        }
        return MetricHistogram(
            buckets: buckets, sum: load.answering / .seconds(1), count: UInt64(load.latencies.reduce(0, +)))
    }
}

extension ServiceRouter: MetricSource {
    package func metrics() async -> [MetricFamily] { LoadExposition.families(gateway?.loads.all ?? [:]) }
}
