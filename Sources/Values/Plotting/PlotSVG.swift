/// Draws plots as SVG: text that stands in a page as it is.
///
/// It holds no colour, no script and no style of its own; classes say what each part is, and `PlotStyleSheet` gives
/// them colours for light, dark and paper. So it may be shown under any Content-Security-Policy.
///
/// Invariants:
/// 1. Names are text and never markup. Test: `a hostile name stays text`.
/// 2. A point without a place on the scales is not drawn, and the description says how many are not.
///    Test: `points that cannot be shown are counted`.
package struct PlotSVG: Sendable {
    private let plot: Plot
    private let frame: PlotFrame
    private let id: String

    /// - Parameter id: what its parts are called in the page: letters, digits and hyphens, once in a page.
    package init(_ plot: Plot, id: String, width: Int = 720, height: Int = 380) {
        precondition(
            !id.isEmpty
                && id.utf8.allSatisfy {
                    $0 == UInt8(ascii: "-") || ($0 | 0x20) >= 97 && ($0 | 0x20) <= 122 || $0 >= 48 && $0 <= 57
                },
            "an id is made of letters, digits and hyphens")
        self.plot = plot
        self.id = id
        frame = PlotFrame(plot, width: Double(width), height: Double(height))
    }

    package var text: String {
        var hidden = 0
        let drawn = plot.series.enumerated().map { series($0, $1, &hidden) }
        var body = grid() + axes() + drawn.joined() + legend()
        if !drawn.contains(where: { $0.contains("<path") }) {
            body += textElement(
                "plot-empty", (frame.left + frame.right) / 2, (frame.top + frame.bottom) / 2, "middle",
                "nothing was measured")
        }
        let (width, height) = (DecimalText.coordinate(frame.width), DecimalText.coordinate(frame.height))
        return "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" viewBox=\"0 0 \(width) \(height)\" "
            + "width=\"\(width)\" height=\"\(height)\" role=\"img\" aria-labelledby=\"\(id)-title \(id)-desc\">\n"
            + "<title id=\"\(id)-title\">\(XMLText.escaped(plot.title))</title>\n"
            + "<desc id=\"\(id)-desc\">\(XMLText.escaped(description(hidden)))</desc>\n" + body + "</svg>\n"
    }

    private func description(_ hidden: Int) -> String {
        var text = plot.summary
        if hidden > 0 { text += (text.isEmpty ? "" : " ") + "Points that have no place on the scales: \(hidden)." }
        if frame.unnamed > 0 {
            text += (text.isEmpty ? "" : " ") + "Series without room for their names: \(frame.unnamed)."
        }
        return text
    }

    private func grid() -> String {
        var minor = ""
        var major = ""
        for tick in frame.yTicks {
            guard let y = frame.y(plot.y, tick) else { continue }
            let line = "M\(text(frame.left)) \(text(y))H\(text(frame.right))"
            if tick.label == nil { minor += line } else { major += line }
        }
        for tick in frame.xTicks {
            guard let x = frame.x(plot.x, tick) else { continue }
            let line = "M\(text(x)) \(text(frame.top))V\(text(frame.bottom))"
            if tick.label == nil { minor += line } else { major += line }
        }
        return path("plot-grid-minor", minor) + path("plot-grid", major)
    }

    private func axes() -> String {
        var result = path("plot-axis", "M\(text(frame.left)) \(text(frame.bottom))H\(text(frame.right))")
        for tick in frame.yTicks {
            guard let label = tick.label, let y = frame.y(plot.y, tick) else { continue }
            result += textElement("plot-tick", frame.left - 6, y + 4, "end", label)
        }
        for tick in frame.xTicks {
            guard let label = tick.label, let x = frame.x(plot.x, tick) else { continue }
            result += textElement("plot-tick", x, frame.bottom + 17, "middle", label)
        }
        let yTitle = PlotFrame.fitting(plot.y.title, frame.width, limit: 120)
        let xTitle = PlotFrame.fitting(plot.x.title, frame.right, limit: 120)
        return result + textElement("plot-title", 0, frame.top - 12, "start", yTitle)
            + textElement("plot-title", frame.right, frame.height - 6, "end", xTitle)
    }

    private func series(_ index: Int, _ series: PlotSeries, _ hidden: inout Int) -> String {
        var pieces: [[PlotPath.Place]] = [[]]
        var marks = ""
        for point in series.points {
            guard let y = point.y else {
                pieces.append([])
                continue
            }
            guard let (x, down) = frame.position(point.x, y, in: plot) else {
                hidden += 1
                pieces.append([])
                continue
            }
            let place = PlotPath.Place(x: x, y: down)
            pieces[pieces.count - 1].append(place)
            if series.form == .marks { marks += mark(index, series.name, point, y, place) }
            if point.hasRing { marks += path("plot-ring", PlotPath.ring(at: place)) }
        }
        let line = PlotPath.data(pieces.map(PlotPath.thinned), steps: series.form == .steps)
        guard !line.isEmpty else { return "" }
        return "<g class=\"\(Self.classes(of: index))\">\n" + path("plot-line", line) + marks + "</g>\n"
    }

    private func mark(_ index: Int, _ name: String, _ point: PlotPoint, _ y: Double, _ place: PlotPath.Place) -> String
    {
        let values = "\(value(point.x, plot.x)), \(value(y, plot.y))"
        let title = XMLText.escaped("\(XMLText.shortened(name, to: 80)): \(values)")
        return "<path class=\"plot-mark\" d=\"\(PlotPath.mark(index, at: place))\"><title>\(title)</title></path>\n"
    }

    /// Three digits are what a mark tells.
    private func value(_ value: Double, _ axis: PlotAxis) -> String {
        let unit = axis.quantity.unit(for: value)
        let decimals =
            axis.quantity == .count
            ? 0 : value.magnitude / unit.size >= 100 ? 0 : value.magnitude / unit.size >= 10 ? 1 : 2
        return DecimalText.fixed(value / unit.size, decimals: decimals) + unit.name
    }

    private func legend() -> String {
        frame.legend.map { entry in
            let text = textElement("plot-name", entry.x + 26, entry.y + 4, "start", entry.text)
            guard let index = entry.series else {
                let ring = PlotPath.Place(x: entry.x + 10, y: entry.y)
                return path("plot-ring plot-ring-sample", PlotPath.ring(at: ring)) + text
            }
            var sample = path("plot-line", "M\(self.text(entry.x)) \(self.text(entry.y))h20")
            if plot.series[index].form == .marks {
                sample += path("plot-mark", PlotPath.mark(index, at: PlotPath.Place(x: entry.x + 10, y: entry.y)))
            }
            return "<g class=\"\(Self.classes(of: index))\">\n\(sample)</g>\n\(text)"
        }.joined()
    }

    /// Eight colours, then the same with dashes.
    static func classes(of series: Int) -> String {
        "plot-series plot-s\(series % 8)" + (series / 8 % 2 == 1 ? " plot-dashed" : "")
    }

    private func path(_ name: String, _ data: String) -> String {
        data.isEmpty ? "" : "<path class=\"\(name)\" d=\"\(data)\"/>\n"
    }

    private func textElement(_ name: String, _ x: Double, _ y: Double, _ anchor: String, _ content: String) -> String {
        "<text class=\"\(name)\" x=\"\(text(x))\" y=\"\(text(y))\" text-anchor=\"\(anchor)\">\(XMLText.escaped(content))</text>\n"
    }

    private func text(_ coordinate: Double) -> String { DecimalText.coordinate(coordinate) }
}

extension PlotFrame {
    /// Where a tick of the x axis stands.
    fileprivate func x(_ axis: PlotAxis, _ tick: PlotTick) -> Double? {
        axis.scale.place(of: tick.value).map { left + $0 * (right - left) }
    }

    /// Where a tick of the y axis stands.
    fileprivate func y(_ axis: PlotAxis, _ tick: PlotTick) -> Double? {
        axis.scale.place(of: tick.value).map { bottom - $0 * (bottom - top) }
    }
}
