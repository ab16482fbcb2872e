/// One row of a comparison: a quantity, and what it was on each rung.
package struct ComparisonQuantity: Hashable, Sendable {
    package struct Cell: Hashable, Sendable {
        package var value: String
        /// Times the reference's value; empty in the reference's own column and where nothing compares.
        package var ratio = ""
        /// Marks of the notes that belong to it.
        package var marks = ""

        package func text(withRatio: Bool) -> String {
            value + marks + (withRatio && !ratio.isEmpty ? " (\(ratio))" : "")
        }
    }

    package var label: String
    package var cells: [Cell]

    /// Every row, in the order of the table.
    package static func rows(of measurements: [Measurement], notes: inout ComparisonNotes) -> [ComparisonQuantity] {
        var rows: [ComparisonQuantity] = []
        for (name, path) in [("start", \Measurement.start), ("call", \Measurement.call)] {
            rows.append(duration("\(name) p50", measurements.map { $0[keyPath: path] }, \.p50, &notes))
            rows.append(duration("\(name) p99", measurements.map { $0[keyPath: path] }, \.p99, &notes))
        }
        rows.append(
            number("calls per second", measurements.map(\.callsPerSecond), &notes) { FloatingText.rate(perSecond: $0) })
        rows.append(
            number("CPU per call", measurements.map(\.cpuMicrosecondsPerCall), &notes) {
                FloatingText.duration(nanoseconds: $0 * 1000)
            })
        for (name, path) in [("idle", \Measurement.idleBytesPerInstance), ("busy", \.busyBytesPerInstance)] {
            rows.append(
                number("memory, \(name) instance", measurements.map { $0[keyPath: path].mapped(Double.init) }, &notes) {
                    FloatingText.bytes($0)
                })
        }
        rows.append(ComparisonQuantity(label: "results", cells: measurements.map { results($0, &notes) }))
        rows.append(ComparisonQuantity(label: "attempts stopped", cells: measurements.map { isolation($0, &notes) }))
        rows.append(ComparisonQuantity(label: "calls failed", cells: measurements.map { failures($0, &notes) }))
        return rows
    }

    private static func duration(
        _ label: String, _ readings: [Reading<Distribution>], _ path: KeyPath<Distribution, Percentile>,
        _ notes: inout ComparisonNotes
    ) -> ComparisonQuantity {
        var row = number(label, readings.map { $0.mapped { Double($0[keyPath: path].nanoseconds) } }, &notes) {
            FloatingText.duration(nanoseconds: $0)
        }
        for (index, reading) in readings.enumerated() {
            guard let caveat = reading.value?[keyPath: path].caveat else { continue }
            row.cells[index].marks += notes.mark(for: caveat)
        }
        return row
    }

    private static func number(
        _ label: String, _ readings: [Reading<Double>], _ notes: inout ComparisonNotes, _ text: (Double) -> String
    ) -> ComparisonQuantity {
        let reference = readings.first?.value
        var cells: [Cell] = []
        for (index, reading) in readings.enumerated() {
            switch reading {
            case .unavailable(let reason):
                cells.append(Cell(value: "–", marks: notes.mark(for: "\(label): \(reason)")))
            case .measured(let value):
                var cell = Cell(value: text(value))
                if index > 0, let reference, reference > 0 { cell.ratio = FloatingText.ratio(value / reference) }
                cells.append(cell)
            }
        }
        return ComparisonQuantity(label: label, cells: cells)
    }

    private static func results(_ measurement: Measurement, _ notes: inout ComparisonNotes) -> Cell {
        var cell = Cell(value: measurement.results.text)
        switch measurement.results {
        case .different(_, let first):
            cell.marks = notes.mark(for: "\(measurement.rung.name): the first result that differs: call \(first)")
        case .unavailable(let reason): cell.marks = notes.mark(for: "results: \(reason)")
        case .reference, .identical: break
        }
        return cell
    }

    private static func isolation(_ measurement: Measurement, _ notes: inout ComparisonNotes) -> Cell {
        switch measurement.isolation {
        case .unavailable(let reason): return Cell(value: "–", marks: notes.mark(for: "isolation: \(reason)"))
        case .measured(let findings):
            let summary = IsolationSummary(findings)
            var cell = Cell(value: "\(summary.stopped) of \(summary.attempted)")
            if summary.unknown > 0 {
                let attempts = summary.unknown == 1 ? "1 attempt" : "\(summary.unknown) attempts"
                cell.marks = notes.mark(for: "\(measurement.rung.name): \(attempts) could not be made")
            }
            return cell
        }
    }

    private static func failures(_ measurement: Measurement, _ notes: inout ComparisonNotes) -> Cell {
        let count = FloatingText.grouped(measurement.failures.count)
        var cell = Cell(value: "\(count) of \(FloatingText.grouped(measurement.callCount))")
        if let first = measurement.failures.first {
            cell.marks = notes.mark(for: "\(measurement.rung.name): call \(first.call) \(first.reason)")
        }
        return cell
    }
}

extension Reading {
    /// The same reading in another unit or type.
    package func mapped<Other>(_ transform: (Value) -> Other) -> Reading<Other> {
        switch self {
        case .measured(let value): .measured(transform(value))
        case .unavailable(let reason): .unavailable(reason)
        }
    }
}
