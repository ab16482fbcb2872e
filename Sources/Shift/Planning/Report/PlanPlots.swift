import Comparison
import Observation

/// The plots of the report, as inline SVG that takes its colours from the page.
///
/// Each has a title and a description for who does not see it; every number in it is in the tables as well.
struct PlanPlots {
    let plan: RecordingPlan

    private static let width = 920.0
    private static let left = 250.0
    private static let right = 110.0
    private static let rowHeight = 30.0
    /// More rows than that are no picture any more.
    private static let rowsLimit = 24

    // MARK: - Where the callers' time goes

    /// Bars: seconds that callers wait for each program in each second, in parts.
    func time() -> String {
        let rows = plan.programs.compactMap { program -> (String, [(String, Double)])? in
            guard let now = program.now.value else { return nil }
            let rate = program.program.callsPerSecond
            var parts = ["fork": 0.0, "copy": 0.0, "work": 0.0]
            for term in now.latency.terms {
                let part = term.what.hasPrefix("fork") ? "fork" : term.what.hasPrefix("copying") ? "copy" : "work"
                parts[part]! += term.amount * rate / 1e9
            }
            return (program.program.identity.text, ["fork", "copy", "work"].map { ($0, parts[$0]!) })
        }.sorted { $0.1.reduce(0) { $0 + $1.1 } > $1.1.reduce(0) { $0 + $1.1 } }.prefix(Self.rowsLimit)
        guard let most = rows.map({ $0.1.reduce(0) { $0 + $1.1 } }).max(), most > 0 else { return "" }
        let room = Self.width - Self.left - Self.right
        var body = ""
        for (index, row) in rows.enumerated() {
            let y = Double(index) * Self.rowHeight + 8
            body += label(row.0, y: y + 15)
            var x = Self.left
            for (part, seconds) in row.1 where seconds > 0 {
                let wide = max(0.5, seconds / most * room)
                body += rectangle(x: x, y: y, width: wide, height: 20, className: part)
                x += wide
            }
            let total = row.1.reduce(0) { $0 + $1.1 }
            body += text(
                FloatingText.duration(nanoseconds: total * 1e9) + "/s", x: x + 6, y: y + 15, className: "value")
        }
        return svg(
            id: "time", height: Double(rows.count) * Self.rowHeight + 16, title: "Where the time goes",
            description: "For each program, how long its callers wait for it in each second of the recording: "
                + "starting, copying page tables, and the program's own work.", body)
    }

    // MARK: - Now and then

    /// Two marks for each program on a logarithmic scale: a call today, and on the recommended rung.
    func latency() -> String {
        let rows = plan.programs.compactMap { program -> (String, Double, Double, Bool)? in
            guard let now = program.now.value?.latency.total, let then = program.predicted.value?.latency.total,
                now > 0, then > 0
            else { return nil }
            return (program.program.identity.text, now, then, program.isProvisional)
        }.prefix(Self.rowsLimit)
        guard let low = rows.map({ min($0.1, $0.2) }).min(), let high = rows.map({ max($0.1, $0.2) }).max() else {
            return ""
        }
        let scale = LogScale(low: low, high: high, from: Self.left, to: Self.width - Self.right)
        let height = Double(rows.count) * Self.rowHeight + 44
        var body = axis(scale, height: height - 28) { FloatingText.duration(nanoseconds: $0) }
        for (index, row) in rows.enumerated() {
            let y = Double(index) * Self.rowHeight + 18
            let (now, then) = (scale.place(row.1), scale.place(row.2))
            body += label(row.0, y: y + 5)
            body +=
                "<line class=\"link\" x1=\"\(HTMLText.number(now))\" y1=\"\(HTMLText.number(y))\" x2=\"\(HTMLText.number(then))\" y2=\"\(HTMLText.number(y))\"/>"
            body += circle(x: now, y: y, radius: 5, className: "now")
            body += circle(x: then, y: y, radius: 6, className: row.3 ? "then provisional" : "then")
            body += text(
                FloatingText.ratio(row.1 / row.2).dropFirst() + "×", x: max(now, then) + 12, y: y + 5,
                className: "value")
        }
        return svg(
            id: "latency", height: height, title: "A call today and on the recommended rung",
            description: "Median time of a call on a logarithmic scale: hollow today, filled as predicted. "
                + "The number says how many times faster it would be.", body)
    }

    // MARK: - Rate and life

    /// A point for each program: how often it is called, how long it lives.
    func rates() -> String {
        let points = plan.programs.filter { $0.program.callsPerSecond > 0 && $0.program.lifetime.p50 > 0 }
        guard let first = points.first else { return "" }
        let rates = points.map(\.program.callsPerSecond)
        let lives = points.map { Double($0.program.lifetime.p50) }
        let height = 360.0
        let x = LogScale(
            low: rates.min() ?? first.program.callsPerSecond, high: rates.max()!, from: 90, to: Self.width - 40)
        let y = LogScale(low: lives.min()!, high: lives.max()!, from: height - 44, to: 20)
        var body = axis(x, height: height - 44) { Planner.rate($0) }
        for tick in y.ticks {
            let at = HTMLText.number(y.place(tick))
            body +=
                "<line class=\"grid\" x1=\"90\" x2=\"\(HTMLText.number(Self.width - 40))\" y1=\"\(at)\" y2=\"\(at)\"/>"
            body += text(FloatingText.duration(nanoseconds: tick), x: 82, y: y.place(tick) + 4, className: "tick end")
        }
        var labels = PlacedLabels()
        for (index, point) in points.enumerated() {
            let (px, py) = (x.place(rates[index]), y.place(lives[index]))
            let path = point.program.identity.text
            let name = Self.shortName(path.split(separator: "/").last.map(String.init) ?? path)
            body += circle(
                x: px, y: py, radius: 6, className: "rung-\(point.recommended.rawValue)",
                title: "\(point.program.identity.text): \(point.recommended.title)")
            let isLeft = px > Self.width - 180
            if labels.place(name, at: isLeft ? px - 9 : px + 9, py, endsThere: isLeft) {
                body += text(name, x: isLeft ? px - 9 : px + 9, y: py + 4, className: isLeft ? "name end" : "name")
            }
        }
        return svg(
            id: "rates", height: height, title: "How often, and how long",
            description: "Calls in a second against the median life time, both logarithmic. "
                + "What is called often and lives short gains most from not being started anew.", body)
    }

    // MARK: - Parts

    private func axis(_ scale: LogScale, height: Double, _ write: (Double) -> String) -> String {
        scale.ticks.map { tick in
            let at = HTMLText.number(scale.place(tick))
            return "<line class=\"grid\" x1=\"\(at)\" x2=\"\(at)\" y1=\"4\" y2=\"\(HTMLText.number(height))\"/>"
                + text(write(tick), x: scale.place(tick), y: height + 18, className: "tick middle")
        }.joined()
    }

    private func label(_ path: String, y: Double) -> String {
        text(Self.shortName(path), x: Self.left - 10, y: y, className: "name end", title: path)
    }

    /// The end of a path, which tells programs apart.
    private static func shortName(_ path: String) -> String {
        path.count <= 32 ? path : "…" + path.suffix(31)
    }

    private func rectangle(x: Double, y: Double, width: Double, height: Double, className: String) -> String {
        "<rect class=\"\(className)\" x=\"\(HTMLText.number(x))\" y=\"\(HTMLText.number(y))\" width=\"\(HTMLText.number(width))\" height=\"\(HTMLText.number(height))\"/>"
    }

    private func circle(x: Double, y: Double, radius: Double, className: String, title: String? = nil) -> String {
        let head =
            "<circle class=\"\(className)\" cx=\"\(HTMLText.number(x))\" cy=\"\(HTMLText.number(y))\" r=\"\(HTMLText.number(radius))\""
        return title.map { head + "><title>\(HTMLText.escaped($0))</title></circle>" } ?? head + "/>"
    }

    private func text(_ words: some StringProtocol, x: Double, y: Double, className: String, title: String? = nil)
        -> String
    {
        let hover = title.map { "<title>\(HTMLText.escaped($0))</title>" } ?? ""
        return
            "<text class=\"\(className)\" x=\"\(HTMLText.number(x))\" y=\"\(HTMLText.number(y))\">\(hover)\(HTMLText.escaped(String(words)))</text>"
    }

    private func svg(id: String, height: Double, title: String, description: String, _ body: String) -> String {
        "<svg role=\"img\" aria-labelledby=\"\(id)-title \(id)-about\" viewBox=\"0 0 \(HTMLText.number(Self.width)) \(HTMLText.number(height))\">"
            + "<title id=\"\(id)-title\">\(title)</title><desc id=\"\(id)-about\">\(description)</desc>\(body)</svg>"
    }
}

/// Names beside points, as long as none covers another: whoever gets none has it in the tables, and under the pointer.
private struct PlacedLabels {
    private var boxes: [(left: Double, right: Double, y: Double)] = []
    /// Of the page's font at 13 pixels; rather too wide.
    private static let characterWidth = 7.5
    private static let lineHeight = 14.0

    mutating func place(_ text: String, at x: Double, _ y: Double, endsThere: Bool) -> Bool {
        let wide = Double(text.count) * Self.characterWidth
        let (left, right) = endsThere ? (x - wide, x) : (x, x + wide)
        let isFree = boxes.allSatisfy { $0.right < left || $0.left > right || abs($0.y - y) >= Self.lineHeight }
        if isFree { boxes.append((left, right, y)) }
        return isFree
    }
}

/// Powers of ten side by side.
private struct LogScale {
    private let low: Double
    private let high: Double
    private let from: Double
    private let to: Double

    /// Widened to whole powers, so that there is always a scale.
    init(low: Double, high: Double, from: Double, to: Double) {
        var (under, over) = (1.0, 1.0)
        while under > low { under /= 10 }
        while under * 10 <= low { under *= 10 }
        while over < high { over *= 10 }
        while over / 10 >= high { over /= 10 }
        self.low = under
        self.high = max(over, under * 10)
        (self.from, self.to) = (from, to)
    }

    func place(_ value: Double) -> Double {
        from + (to - from) * Self.logarithm(value / low) / Self.logarithm(high / low)
    }

    var ticks: [Double] {
        var ticks: [Double] = []
        var tick = low
        while tick <= high * 1.0001 {
            ticks.append(tick)
            tick *= 10
        }
        // On a wide scale every other power is enough.
        return ticks.count > 9 ? ticks.enumerated().filter { $0.offset % 2 == 0 }.map(\.element) : ticks
    }

    private static func logarithm(_ value: Double) -> Double { Double.log2(max(value, .leastNormalMagnitude)) }
}

extension Double {
    /// The exponent of 2, by halving the mantissa's square bit by bit: a plot needs ten bits after the point, and no libm.
    fileprivate static func log2(_ value: Double) -> Double {
        var result = Double(value.exponent)
        var mantissa = value.significand
        var bit = 0.5
        for _ in 0..<16 {
            mantissa *= mantissa
            if mantissa >= 2 {
                mantissa /= 2
                result += bit
            }
            bit /= 2
        }
        return result
    }
}
