/// The style sheet of plots, for the page that shows them: inside of a `<style>`, or a file of its own.
package enum PlotStyleSheet {
    /// Colours for light, dark and paper. Each has a contrast of at least 3 to its ground, which WCAG 2.2 asks of graphics;
    /// neighbours differ for the colour-blind, too (after Okabe and Ito).
    package static let css = """
        :root {
          --plot-text: #33383f; --plot-quiet: #5c636d; --plot-grid: #d9dde2; --plot-grid-minor: #eef0f2; --plot-ground: #ffffff;
          --plot-0: #0067a3; --plot-1: #c24e00; --plot-2: #00795a; --plot-3: #a8336f;
          --plot-4: #6a4bc4; --plot-5: #806600; --plot-6: #4a4f57; --plot-7: #00798c;
        }
        @media screen and (prefers-color-scheme: dark) {
          :root {
            --plot-text: #d6dae0; --plot-quiet: #a3abb6; --plot-grid: #3a4049; --plot-grid-minor: #282d34; --plot-ground: #16191d;
            --plot-0: #56b4e9; --plot-1: #ff9147; --plot-2: #2ecc9a; --plot-3: #f08fc0;
            --plot-4: #b49bff; --plot-5: #e0bf2f; --plot-6: #c3c8cf; --plot-7: #4ad0e2;
          }
        }
        .plot { display: block; max-width: 100%; height: auto; }
        .plot text { font: 12px system-ui, sans-serif; font-variant-numeric: tabular-nums; fill: var(--plot-text); }
        .plot .plot-tick, .plot .plot-title, .plot .plot-empty { fill: var(--plot-quiet); }
        .plot path, .plot-spark path { fill: none; stroke-linejoin: round; stroke-linecap: round; }
        .plot .plot-grid, .plot-spark .plot-grid { stroke: var(--plot-grid); }
        .plot .plot-grid-minor { stroke: var(--plot-grid-minor); }
        .plot .plot-axis { stroke: var(--plot-quiet); }
        .plot .plot-line { stroke-width: 2; }
        .plot-spark .plot-line { stroke-width: 1.5; }
        .plot .plot-dashed .plot-line { stroke-dasharray: 6 4; }
        .plot .plot-mark { stroke: var(--plot-ground); stroke-width: 1; }
        .plot .plot-ring { stroke-width: 1.5; }
        .plot .plot-ring-sample { stroke: var(--plot-quiet); }

        """
        + (0..<8).map { series in
            """
            .plot-s\(series) .plot-line, .plot-s\(series) .plot-ring, .plot-spark .plot-s\(series) { stroke: var(--plot-\(series)); }
            .plot-s\(series) .plot-mark { fill: var(--plot-\(series)); }

            """
        }.joined()
}
