package import JSON

extension Report {
    /// As `/forkless/v1/report` answers it. Money and GB seconds are strings, since readers of JSON round numbers.
    package var json: JSONValue {
        var object = JSONObject()
        object["from"] = from.map { .string("\($0)") }
        object["to"] = to.map { .string("\($0)") }
        object["by"] = .array(dimensions.map { .string($0.rawValue) })
        object["prices"] = prices.json
        object["rows"] = .array(
            rows.map { row in
                var members = JSONObject()
                for (dimension, label) in zip(dimensions, row.labels) { members[dimension.rawValue] = .string(label) }
                return .object(Self.figures(row, into: members))
            })
        object["total"] = .object(Self.figures(sum, into: JSONObject()))
        return .object(object)
    }

    private static func figures(_ row: Row, into members: JSONObject) -> JSONObject {
        var object = members
        for figure in Self.figures { object[figure.name] = figure.value(row) }
        return object
    }

    /// As comma-separated values, RFC 4180, without the sum: that is for whoever reads them to make.
    package var csv: String {
        CSV.line(dimensions.map(\.rawValue) + Self.figures.map(\.name) + ["currency"])
            + rows.map { row in
                CSV.line(
                    row.labels
                        + Self.figures.map { figure in
                            switch figure.value(row) {
                            case .string(let text)?: text
                            case let value?: JSONWriter.text(value)
                            case nil: ""
                            }
                        } + [prices.currency])
            }.joined()
    }

    private struct Figure {
        var name: String
        var value: (Row) -> JSONValue?

        init(_ name: String, _ value: @escaping (Row) -> JSONValue?) {
            self.name = name
            self.value = value
        }

        static func number(_ name: String, _ number: @escaping (CallTotals) -> Int?) -> Figure {
            Figure(name) { row in number(row.totals).map { .integer(Int64($0)) } }
        }

        /// GB seconds, from MB milliseconds.
        static func gigabytes(_ name: String, _ number: @escaping (CallTotals) -> Int) -> Figure {
            Figure(name) { row in
                let picos = Int128(number(row.totals)) * 1_000_000_000 / Money.megabyteMillisecondsPerGBSecond
                return .string(Money.text(picos, decimals: 9, atLeast: 0))
            }
        }
    }

    private static var figures: [Figure] {
        [
            .number("calls", \.calls), .number("runs", \.runs), .number("errors", \.errors), .number("timeouts", \.timeouts),
            .number("outOfMemory", \.outOfMemory), .number("throttles", \.refused), .number("replays", \.replays),
            .number("coldStarts", \.coldStarts), .number("billedMilliseconds", \.billedMilliseconds),
            .gigabytes("gbSeconds") { $0.demandMegabyteMilliseconds + $0.provisionedMegabyteMilliseconds },
            .gigabytes("provisionedGBSeconds", \.capacityMegabyteMilliseconds),
            .gigabytes("ephemeralGBSeconds", \.ephemeralMegabyteMilliseconds),
            Figure("cpuSeconds") { .string(Money.text(Int128($0.totals.cpuMicroseconds), decimals: 6, atLeast: 0)) },
            .number("peakMemoryBytes", \.peakMemoryBytes), .number("p50Microseconds") { $0.durations.percentile(50) },
            .number("p99Microseconds") { $0.durations.percentile(99) },
            .number("meanQueueMicroseconds") { $0.runs == 0 ? nil : $0.queueMicroseconds / $0.runs }, .number("lost", \.lost),
            Figure("cost") { .string($0.cost.text) },
        ]
    }
}
