import Plotting

/// How the page of a report looks: in light, in dark, on a telephone and on paper.
enum ReportPageStyle {
    static let css =
        PlotStyleSheet.css + """
            :root { color-scheme: light dark; --ground: #ffffff; --panel: #f6f7f9; --text: #1d2126; --quiet: #5c636d;
              --line: #d9dde2; --link: #0059a8; --bad: #a8201a; --bad-ground: #fdf1f0; --good: #1c6b3c; }
            @media screen and (prefers-color-scheme: dark) {
              :root { --ground: #16191d; --panel: #1e2227; --text: #e4e7eb; --quiet: #a3abb6;
                --line: #3a4049; --link: #7fbcf5; --bad: #ff9b94; --bad-ground: #2d1b1b; --good: #74cf98; }
            }
            * { box-sizing: border-box; }
            html { -webkit-text-size-adjust: 100%; }
            body { margin: 0; background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, sans-serif;
              overflow-wrap: anywhere; }
            header, main, footer { max-width: 78rem; margin: 0 auto; padding: 0 1.25rem; }
            header { padding-top: 1.75rem; }
            footer { padding-bottom: 2rem; color: var(--quiet); }
            h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .3rem; }
            h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); }
            h3 { font-size: 1rem; margin: 0 0 .4rem; }
            p { margin: .3rem 0 .6rem; max-width: 68ch; }
            a { color: var(--link); }
            a:focus-visible, summary:focus-visible, .scroll:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
            .skip { position: absolute; left: -999rem; }
            .skip:focus { left: .5rem; top: .5rem; padding: .3rem .6rem; background: var(--ground); }
            .quiet, figcaption, .interval, .ratio { color: var(--quiet); }
            nav ul { list-style: none; padding: 0; margin: .8rem 0 0; display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; }
            code { font: .87em/1.45 ui-monospace, monospace; }
            pre { margin: .3rem 0; padding: .6rem .8rem; background: var(--panel); overflow-x: auto; white-space: pre-wrap; }
            .faults { margin-top: 1.2rem; padding: .8rem 1.1rem; border-left: 4px solid var(--bad); background: var(--bad-ground); }
            .faults h2 { margin: 0 0 .4rem; padding: 0; border: 0; color: var(--bad); }
            .faults ul { margin: 0; padding-left: 1.1rem; }
            .faults dl { margin: .3rem 0 .5rem; }
            .scroll { overflow-x: auto; position: relative; }
            table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
            caption { text-align: left; color: var(--quiet); padding-bottom: .3rem; }
            th, td { padding: .22rem .7rem; text-align: right; vertical-align: baseline; }
            th { overflow-wrap: break-word; }
            thead th:first-child { text-align: left; padding-left: 0; }
            thead th { vertical-align: bottom; border-bottom: 1px solid var(--quiet); min-width: 6rem; }
            th[scope=row] { text-align: left; font-weight: normal; position: sticky; left: 0; background: var(--ground);
              min-width: 9rem; padding-left: 0; }
            tbody th[scope=rowgroup] { text-align: left; padding: .9rem .7rem .2rem 0; position: sticky; left: 0; }
            tbody tr { border-bottom: 1px solid var(--line); }
            td { white-space: nowrap; overflow-wrap: normal; }
            td.words { white-space: normal; text-align: left; min-width: 11rem; }
            td.best { font-weight: 650; }
            td.bad, .possible { color: var(--bad); }
            .stopped { color: var(--good); }
            .unknown { color: var(--quiet); }
            .interval, .ratio { font-weight: normal; font-size: .82em; }
            .interval { display: block; }
            sup { line-height: 0; font-size: .72em; margin-left: .15em; }
            .figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 1.6rem 2.2rem; }
            figure { margin: 0; min-width: 0; }
            figure .narrow { display: none; }
            figcaption { font-size: .9em; max-width: 68ch; }
            details { margin: .4rem 0; }
            summary { cursor: pointer; color: var(--link); }
            dl { margin: .4rem 0; display: grid; grid-template-columns: minmax(8rem, 14rem) 1fr; gap: .25rem 1.2rem; }
            dt { color: var(--quiet); }
            dd { margin: 0; }
            .steps { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 1rem 2rem; }
            .steps ol { margin: .2rem 0 .6rem; padding-left: 1.4rem; }
            ol.notes { padding-left: 1.6rem; color: var(--quiet); font-size: .92em; }
            @media (max-width: 40rem) {
              header, main, footer { padding-left: .9rem; padding-right: .9rem; }
              figure .wide { display: none; }
              figure .narrow { display: block; }
              dl { grid-template-columns: 1fr; gap: 0; }
              dd { margin-bottom: .5rem; }
              th[scope=row] { min-width: 6.5rem; max-width: 8rem; font-size: .92em; }
              th, td { padding-left: .45rem; padding-right: .45rem; }
            }
            @page { size: A4 landscape; margin: 12mm; }
            @media print {
              body { font-size: 10pt; }
              nav, .skip, .seen { display: none; }
              .figures { grid-template-columns: 1fr 1fr; gap: 12pt; }
              .scroll { overflow: visible; }
              table { font-size: 8pt; }
              th, td { padding: 1pt 4pt; min-width: 0; }
              thead th { min-width: 0; }
              figure, tr, .faults { break-inside: avoid; }
              h2 { break-after: avoid; }
              details::details-content { content-visibility: visible; height: auto; }
              a { color: inherit; text-decoration: none; }
            }

            """
}
