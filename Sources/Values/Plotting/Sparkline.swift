/// A line as high as a word that shows how a number went; from 0 to the largest value.
package struct Sparkline: Hashable, Sendable {
    /// At equal distances, the newest last; nil where nothing was measured.
    package var values: [Double?]
    /// What it shows, with the number that matters, for those who cannot see it: "calls per second, now 12".
    package var label: String

    package init(_ values: [Double?], label: String) {
        self.values = values
        self.label = label
    }

    /// The SVG of it; its classes are `PlotStyleSheet`'s.
    package func svg(width: Int = 120, height: Int = 24) -> String {
        precondition(width > 8 && height > 8, "a sparkline takes more than 8 pixels")
        let known = values.map { $0.flatMap { $0.isFinite && $0 >= 0 ? $0 : nil } }
        let most = known.compactMap(\.self).max() ?? 0
        let step = (Double(width) - 4) / Double(max(values.count - 1, 1))
        var pieces: [[PlotPath.Place]] = [[]]
        for (index, value) in known.enumerated() {
            guard let value else {
                pieces.append([])
                continue
            }
            let up = most > 0 ? value / most : 0
            pieces[pieces.count - 1].append(
                .init(x: 2 + Double(index) * step, y: Double(height) - 2 - up * (Double(height) - 4)))
        }
        let line = PlotPath.data(pieces.map(PlotPath.thinned), steps: false)
        let base = "M2 \(height - 2)H\(width - 2)"
        return
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot-spark\" viewBox=\"0 0 \(width) \(height)\" width=\"\(width)\" "
            + "height=\"\(height)\" role=\"img\" aria-label=\"\(XMLText.escaped(label))\">"
            + "<path class=\"plot-grid\" d=\"\(base)\"/>"
            + (line.isEmpty ? "" : "<path class=\"plot-line plot-s0\" d=\"\(line)\"/>")
            + "</svg>"
    }
}
