import Linux
import TestKit
import Testing

@testable import Plotting

@Suite struct PlotTests {
    private static let latency = Plot(
        title: "Latency under load", summary: "Two rungs.",
        x: PlotAxis("calls", .rate, PlotScale(.linear, from: 0, to: 1000)),
        y: PlotAxis("p99, logarithmic", .duration, PlotScale(.logarithmic, from: 1e5, to: 1e9)),
        series: [
            PlotSeries(
                "fork + exec", .marks, [PlotPoint(100, 2e6), PlotPoint(200, 3e6, hasRing: true), PlotPoint(400, 9e8)]),
            PlotSeries("function", .marks, [PlotPoint(100, 2e5), PlotPoint(500, nil), PlotPoint(900, 3e5)]),
        ], ringMeaning: "the knee")

    @Test func `a small plot is drawn as it was`() throws {
        let text = PlotSVG(Self.latency, id: "p", width: 400, height: 240).text
        #expect(try Snapshot.difference(of: text, from: "latency.svg") == nil)
    }

    private static let hostile = "</text><script>alert('1')</script>\"&\u{1B}[2J\u{202E}\u{0}\u{FFFF}日本"

    @Test func `a hostile name stays text`() async throws {
        var plot = Self.latency
        plot.title = Self.hostile
        plot.summary = Self.hostile
        plot.ringMeaning = Self.hostile
        plot.x.title = Self.hostile
        plot.series[0].name = Self.hostile
        plot.series[1].name = String(repeating: "<", count: 4000)
        let text = PlotSVG(plot, id: "p").text + ""
        #expect(!text.contains("<script"))
        #expect(!text.contains("\u{1B}"))
        let line = Sparkline([1, nil, 2], label: Self.hostile).svg()
        try await expectWellFormed("<all>\(text)\(line)</all>")
    }

    private func expectWellFormed(_ xml: String) async throws {
        let directory = try TemporaryDirectory("plot")
        let path = try directory.write(xml, to: "plot.xml")
        let run = try await CommandRunner.run(["xmllint", "--noout", path])
        #expect(run.status.isSuccess, "\(run.errorText)")
    }

    @Test func `no text leaves its element`() {
        #expect(XMLText.escaped("a<b>\"c\"&'d'") == "a&lt;b&gt;&quot;c&quot;&amp;&#39;d&#39;")
    }

    @Test func `characters that XML forbids or that turn the text around become visible`() {
        #expect(
            XMLText.escaped("\u{0}\u{8}\u{7F}\u{85}\u{FFFE}\u{202E}\u{2066}") == String(repeating: "\u{FFFD}", count: 7)
        )
        #expect(XMLText.escaped("tab\tline\né 日 👍") == "tab\tline\né 日 👍")
    }

    @Test func `a name too long is cut and says so`() {
        #expect(XMLText.shortened("abcdef", to: 4) == "abc…")
        #expect(XMLText.shortened("abcd", to: 4) == "abcd")
        #expect(XMLText.shortened("", to: 4) == "")
    }

    @Test func `points that cannot be shown are counted`() {
        var plot = Self.latency
        plot.series[0].points += [PlotPoint(500, 0), PlotPoint(500, -1), PlotPoint(5000, 1e6), PlotPoint(.nan, 1e6)]
        let text = PlotSVG(plot, id: "p").text
        #expect(text.contains("Two rungs. Points that have no place on the scales: 4."))
        #expect(!PlotSVG(Self.latency, id: "p").text.contains("no place"))
    }

    @Test func `a plot of nothing says so`() {
        var plot = Self.latency
        plot.series = [PlotSeries("a", .line, []), PlotSeries("b", .line, [PlotPoint(1, nil)])]
        #expect(PlotSVG(plot, id: "p").text.contains("nothing was measured"))
    }

    @Test func `everything stays on the canvas`() {
        for (width, height) in [(200, 160), (340, 300), (720, 380)] {
            for count in [0, 1, 8, 60] {
                var plot = Self.latency
                plot.series = (0..<count).map { index in
                    PlotSeries(String(repeating: "名", count: index * 7 + 1), .marks, [PlotPoint(Double(index), 2e6)])
                }
                let frame = PlotFrame(plot, width: Double(width), height: Double(height))
                #expect(frame.left + 60 < frame.right && frame.top + 40 < frame.bottom, "\(width) by \(height), \(count)")
                for entry in frame.legend {
                    #expect(entry.x + 26 + PlotFrame.width(entry.text) <= Double(width) + 0.5, "\(width) \(entry.text)")
                }
                #expect(frame.legend.count + frame.unnamed == count + 1)
            }
        }
    }

    @Test func `a line with a gap is two pieces, a point alone a dot`() {
        let place = PlotPath.Place(x: 1, y: 2)
        let other = PlotPath.Place(x: 3.25, y: 4)
        #expect(PlotPath.data([[place, other], [], [other]], steps: false) == "M1 2L3.3 4M3.3 4h0")
        #expect(PlotPath.data([[place, other]], steps: true) == "M1 2H3.3V4")
    }

    @Test func `a thinned line keeps its ends and its extremes`() {
        var chance = SeededChance(seed: .random(in: .min ... .max))
        let places = (0..<10_000).map { PlotPath.Place(x: Double($0) / 100, y: .random(in: 0...100, using: &chance)) }
        let thin = PlotPath.thinned(places)
        #expect(thin.count <= 400)
        #expect(thin.first == places.first && thin.last == places.last)
        #expect(thin.map(\.y).max() == places.map(\.y).max(), "\(chance)")
        #expect(thin.map(\.y).min() == places.map(\.y).min(), "\(chance)")
        #expect(thin.map(\.x) == thin.map(\.x).sorted())
        #expect(PlotPath.thinned(Array(places.prefix(4))) == Array(places.prefix(4)))
    }

    @Test func `after eight series the lines are dashed`() {
        #expect(PlotSVG.classes(of: 0) == "plot-series plot-s0")
        #expect(PlotSVG.classes(of: 9) == "plot-series plot-s1 plot-dashed")
    }

    @Test func `every class that is drawn has a style`() {
        let text = PlotSVG(Self.latency, id: "p").text + Sparkline([1], label: "").svg()
        let names = text.split(separator: "class=\"").dropFirst().flatMap {
            $0.split(separator: "\"")[0].split(separator: " ")
        }
        for name in Set(names) where name != "plot-series" && name != "plot-name" {
            #expect(PlotStyleSheet.css.contains(".\(name)"), "\(name)")
        }
    }

    @Test func `a sparkline goes from 0 to its largest value`() {
        let text = Sparkline([0, 2, nil, 4, -1, .nan], label: "now \"4\"").svg(width: 104, height: 24)
        #expect(text.contains("d=\"M2 22L22 12M62 2h0\""))
        #expect(text.contains("aria-label=\"now &quot;4&quot;\""))
        #expect(!Sparkline([nil, nil], label: "").svg().contains("plot-line"))
    }
}
