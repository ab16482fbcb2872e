import Comparison
import JSON
import Linux
import TestKit
import Testing

/// A report's page in a real browser, without a window.
@Suite(.serialized, .timeLimit(.minutes(3))) struct ReportBrowserTests {
    /// What a browser makes of a page in a frame of some width.
    private struct Look: Hashable {
        var scrollWidth = 0
        var clientWidth = 0
        /// Of the element that reaches furthest to the right, those in frames that scroll excepted.
        var furthest = 0
        var isDark = false
        var ground = ""
        var visiblePlots = 0
        /// The least contrast between a text and what it stands on.
        var contrast = 0.0
        var console: [String] = []
    }

    /// Renders a page in a frame, whose script looks at it from outside: the page itself allows none.
    private func look(_ page: String, width: Int, isDark: Bool) async throws -> Look {
        let directory = try TemporaryDirectory("browser")
        _ = try directory.write(page, to: "report.html")
        let harness = try directory.write(Self.harness(width: width), to: "harness.html")
        // 0: dark, 1: light (Chromium's PreferredColorScheme).
        let run = try await CommandRunner.run(
            [
                "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions",
                "--user-data-dir=\(directory.path("profile"))",
                "--blink-settings=preferredColorScheme=\(isDark ? 0 : 1)",
                "--allow-file-access-from-files", "--enable-logging=stderr", "--dump-dom", "file://\(harness)",
            ], within: .seconds(90))
        try #require(run.status.isSuccess, "\(run.errorText.suffix(2000))")
        let result = try #require(
            run.text.split(separator: "id=\"result\">").last?.split(separator: "</pre>").first,
            "\(run.text.prefix(2000))")
        let value = try JSONParser.parse(Array(result.utf8))
        return Look(
            scrollWidth: Int(try #require(value["scrollWidth"]?.integer)),
            clientWidth: Int(try #require(value["clientWidth"]?.integer)),
            furthest: Int(try #require(value["furthest"]?.integer)), isDark: value["dark"] == true,
            ground: value["ground"]?.string ?? "",
            visiblePlots: Int(try #require(value["plots"]?.integer)),
            contrast: Double(try #require(value["contrast"]?.integer)) / 100,
            console: run.errorText.split(separator: "\n").filter { $0.contains("CONSOLE") }.map(String.init))
    }

    private static func harness(width: Int) -> String {
        """
        <!DOCTYPE html><meta charset="utf-8"><body><pre id="result"></pre><script>
        // Before the frame: one that is there already may have its page before somebody asks to be told.
        function look() {
          var page = frame.contentDocument, root = page.documentElement, all = [].slice.call(page.querySelectorAll("body *"));
          var style = function (e) { return frame.contentWindow.getComputedStyle(e); };
          var shown = function (e) { return e.getClientRects().length > 0; };
          var parts = function (colour) { return colour.match(/[0-9.]+/g).map(Number); };
          var light = function (c) { var l = c.slice(0, 3).map(function (v) { v /= 255;
            return v <= 0.04045 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4); }); return 0.2126 * l[0] + 0.7152 * l[1] + 0.0722 * l[2]; };
          var ground = function (e) { for (; e; e = e.parentElement) { var c = parts(style(e).backgroundColor);
            if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
          var contrast = 21;
          all.forEach(function (e) {
            var own = [].some.call(e.childNodes, function (n) { return n.nodeType === 3 && n.data.trim(); });
            if (!own || !shown(e) || ["title", "desc", "style"].indexOf(e.localName) >= 0) return;
            var inDrawing = e.namespaceURI.indexOf("svg") >= 0;
            var a = light(parts(inDrawing ? style(e).fill : style(e).color)), b = light(ground(inDrawing ? e.closest("figure") : e));
            contrast = Math.min(contrast, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
          });
          result.textContent = JSON.stringify({
            scrollWidth: root.scrollWidth, clientWidth: root.clientWidth, dark: frame.contentWindow.matchMedia("(prefers-color-scheme: dark)").matches,
            ground: style(page.body).backgroundColor, plots: all.filter(function (e) { return e.localName === "svg" && shown(e); }).length,
            contrast: Math.floor(contrast * 100),
            furthest: Math.ceil(Math.max.apply(null, all.map(function (e) { var s = e.closest(".scroll");
              return s && s !== e ? 0 : e.getBoundingClientRect().right; })))
          });
        }
        </script>
        <iframe id="frame" src="report.html" onload="look()" style="width:\(width)px;height:900px;border:0"></iframe>
        """
    }

    @Test(arguments: [(1200, false), (1200, true), (360, false), (360, true), (320, false)])
    func `a browser shows the page without a fault, in dark, in light and on a telephone`(_ width: Int, _ isDark: Bool)
        async throws
    {
        let look = try await look(ReportPage(ReportExamples.report).text, width: width, isDark: isDark)
        #expect(look.console == [])
        #expect(look.scrollWidth == look.clientWidth)
        #expect(look.furthest <= width)
        #expect(look.isDark == isDark)
        #expect(look.ground == (isDark ? "rgb(22, 25, 29)" : "rgb(255, 255, 255)"))
        // Of each plot one of its two sizes.
        #expect(look.visiblePlots == 5)
        #expect(look.contrast >= 4.5)
    }

    @Test(arguments: [0, 5]) func `hostile texts neither break the page nor widen it`(_ index: Int) async throws {
        let page = ReportPage(ReportOutputTests.hostileReport(ReportOutputTests.hostile[index])).text
        let look = try await look(page, width: 360, isDark: false)
        #expect(look.console == [])
        #expect(look.scrollWidth == look.clientWidth)
        #expect(look.furthest <= 360)
        #expect(look.visiblePlots == 5)
    }
}
