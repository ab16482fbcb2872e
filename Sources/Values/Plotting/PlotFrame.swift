/// Where the parts of a plot stand on its canvas, in pixels from the top left.
///
/// Invariants:
/// 1. Nothing is drawn outside of the canvas, however long the names and many the series are.
///    Test: `everything stays on the canvas`.
struct PlotFrame: Hashable, Sendable {
    struct Entry: Hashable, Sendable {
        /// Which series; nil: what a ring means.
        var series: Int?
        var text: String
        var x: Double
        var y: Double
    }

    let width: Double
    let height: Double
    /// The names of the series, above.
    let legend: [Entry]
    /// Names that found no room.
    let unnamed: Int
    let left: Double
    let right: Double
    let top: Double
    let bottom: Double
    let xTicks: [PlotTick]
    let yTicks: [PlotTick]

    static let textHeight = 12.0
    private static let line = 18.0

    init(_ plot: Plot, width: Double, height: Double) {
        precondition(width >= 200 && height >= 160, "a plot takes 200 by 160 pixels at least")
        self.width = width
        self.height = height
        (legend, unnamed) = Self.legend(of: plot, width: width, rows: max(2, Int(height / 3 / Self.line)))
        let rows = legend.isEmpty ? 0 : (legend.map(\.y).max() ?? 0) + Self.line / 2
        // Below the legend the title of the y axis, then half a label.
        top = rows + Self.line + 8
        bottom = height - 2 * Self.line - 4
        let wantedY = max(2, Int((bottom - top) / 32))
        let ticks = plot.y.scale.ticks(of: plot.y.quantity, wanted: wantedY)
        left = min(width / 3, 10 + (ticks.compactMap { $0.label.map(Self.width) }.max() ?? 0))
        let xTicks = plot.x.scale.ticks(of: plot.x.quantity, wanted: max(2, Int((width - left) / 64)))
        // The last label stands in the middle below the end of the axis.
        right = width - min(width / 6, max(14, (xTicks.last?.label.map(Self.width) ?? 0) / 2 + 1))
        let (left, right, top, bottom) = (left, right, top, bottom)
        yTicks = ticks.thinned(gap: 2) { tick in
            // Places grow upwards, pixels downwards; thinned from below.
            plot.y.scale.place(of: tick.value).map { (center: $0 * (bottom - top), width: Self.textHeight) }
        }
        self.xTicks = xTicks.thinned(gap: 6) { tick in
            guard let place = plot.x.scale.place(of: tick.value), let label = tick.label else { return nil }
            let extent = (center: left + place * (right - left), width: Self.width(label))
            return extent.center + extent.width / 2 <= width && extent.center >= extent.width / 2 ? extent : nil
        }
    }

    /// Where a point stands; nil when it has no place on the scales, or one outside of the frame.
    func position(_ x: Double, _ y: Double, in plot: Plot) -> (x: Double, y: Double)? {
        guard let across = plot.x.scale.place(of: x), let up = plot.y.scale.place(of: y),
            (-1e-9...1 + 1e-9).contains(across), (-1e-9...1 + 1e-9).contains(up)
        else { return nil }
        return (left + across * (right - left), bottom - up * (bottom - top))
    }

    /// About how wide a text is at 12 pixels in a sans-serif face: rather too wide than too narrow.
    static func width(_ text: String) -> Double {
        text.unicodeScalars.reduce(0) { $0 + ($1.value >= 0x1100 ? 13 : 6.7) }
    }

    /// At most so many characters, and no more than there is room for.
    static func fitting(_ name: String, _ room: Double, limit: Int = 48) -> String {
        var limit = limit
        while limit > 2, width(XMLText.shortened(name, to: limit)) > room { limit -= 1 }
        return XMLText.shortened(name, to: limit)
    }

    private static func legend(of plot: Plot, width: Double, rows: Int) -> (entries: [Entry], unnamed: Int) {
        var names = plot.series.enumerated().map { (series: Optional($0), text: fitting($1.name, width - 32)) }
        if let meaning = plot.ringMeaning { names.append((nil, fitting(meaning, width - 32))) }
        var entries: [Entry] = []
        var x = 2.0
        var row = 0
        for (series, text) in names {
            // Room for the sample of the line, the name, and what parts it from the next.
            let room = 26 + Self.width(text)
            if x > 2, x + room > width {
                x = 2
                row += 1
            }
            guard row < rows else { return (entries, names.count - entries.count) }
            entries.append(Entry(series: series, text: text, x: x, y: line / 2 + Double(row) * line))
            x += room + 12
        }
        return (entries, 0)
    }
}
