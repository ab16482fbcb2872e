extension Assets {
    /// Colours are pairs, light and dark, each text at least 4.5 : 1 on its ground.
    /// (test: `every text has a contrast of 4.5 at least, in light and in dark`)
    static let styleText = """
        :root {
          color-scheme: light dark;
          --ground: #f6f7f6; --panel: #ffffff; --line: #d9dedb; --text: #17211d; --quiet: #55615b;
          --accent: #0f5f56; --on-accent: #ffffff; --good: #17663a; --busy: #175c93; --idle: #55615b;
          --warning: #855400; --bad: #ab1f2d; --hover: #edf1ef;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --ground: #101513; --panel: #171e1b; --line: #2d3733; --text: #e2e9e5; --quiet: #9caaa3;
            --accent: #6ccfc0; --on-accent: #08211d; --good: #6fcf97; --busy: #7db8f0; --idle: #9caaa3;
            --warning: #e5b454; --bad: #ff8f98; --hover: #1f2824;
          }
        }
        *, *::before, *::after { box-sizing: border-box; }
        html { -webkit-text-size-adjust: 100%; }
        body {
          margin: 0; background: var(--ground); color: var(--text);
          font: 14px/1.45 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
          display: grid; grid-template-columns: 12rem minmax(0, 1fr); grid-template-rows: 1fr auto; min-height: 100vh;
        }
        a { color: var(--accent); text-underline-offset: 2px; }
        th a, .tile { text-decoration: none; }
        th a:hover, .tile:hover { text-decoration: underline; }
        :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
        main:focus { outline: none; }
        .skip { position: absolute; left: -100vw; top: .5rem; background: var(--accent); color: var(--on-accent); padding: .5rem 1rem; z-index: 2; }
        .skip:focus { left: .5rem; }
        .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
        header { grid-row: 1 / 3; border-right: 1px solid var(--line); background: var(--panel); padding: 1rem .75rem; display: flex; flex-direction: column; gap: 1rem; position: sticky; top: 0; height: 100vh; overflow-y: auto; }
        .brand { font-weight: 700; font-size: 1.15rem; letter-spacing: -.01em; color: var(--text); text-decoration: none; padding: .1rem .5rem; }
        nav ul { list-style: none; margin: 0; padding: 0; display: flex; flex-direction: column; gap: .1rem; }
        nav li a { display: block; padding: .42rem .5rem; border-radius: 5px; color: var(--text); text-decoration: none; }
        nav li a:hover { background: var(--hover); }
        nav li a[aria-current] { background: var(--accent); color: var(--on-accent); font-weight: 600; }
        .logout { margin-top: auto; }
        main { padding: 1.1rem 1.25rem 2rem; min-width: 0; grid-column: 2; }
        body > main:nth-child(2) { grid-column: 1 / 3; justify-self: center; width: min(34rem, 100%); padding-top: 12vh; }
        footer { grid-column: 2; padding: .5rem 1.25rem 1rem; color: var(--quiet); font-size: .9em; display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; }
        h1 { font-size: 1.45rem; line-height: 1.25; margin: 0 0 1rem; letter-spacing: -.015em; overflow-wrap: anywhere; }
        h2 { font-size: 1rem; margin: 1.6rem 0 .5rem; }
        p { margin: .4rem 0; max-width: 75ch; overflow-wrap: anywhere; }
        .quiet { color: var(--quiet); }
        code, pre { font: 12.5px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
        code { overflow-wrap: anywhere; }
        pre { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: .7rem .9rem; overflow: auto; max-height: 28rem; margin: 0; }
        .notice { border: 1px solid var(--line); border-left: 4px solid var(--good); background: var(--panel); border-radius: 5px; padding: .55rem .8rem; max-width: none; }
        .notice.bad { border-left-color: var(--bad); }
        .tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(6.4rem, 1fr)); gap: .5rem; }
        .tile { background: var(--panel); border: 1px solid var(--line); border-radius: 7px; padding: .5rem .6rem; display: grid; align-content: start; color: var(--text); min-width: 0; }
        .tile .label, .tile .quiet { font-size: .86em; }
        .tile .label { color: var(--quiet); }
        .tile strong { font-size: 1.25rem; font-weight: 650; font-variant-numeric: tabular-nums; letter-spacing: -.01em; white-space: nowrap; }
        .courses { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: .6rem; }
        figure { margin: 0; background: var(--panel); border: 1px solid var(--line); border-radius: 7px; padding: .6rem .75rem; min-width: 0; }
        figcaption { display: flex; justify-content: space-between; gap: .5rem; }
        figcaption strong { font-variant-numeric: tabular-nums; }
        figure p { font-size: .86em; margin: .2rem 0 0; }
        .plot-spark { display: block; width: 100%; height: auto; margin-top: .2rem; }
        .plot-spark path { fill: none; stroke-width: 1.5; stroke-linejoin: round; stroke-linecap: round; }
        .plot-spark .plot-grid { stroke: var(--line); } .plot-spark .plot-line { stroke: var(--accent); }
        .button { position: relative; }
        .scroll { position: relative; overflow-x: auto; background: var(--panel); border: 1px solid var(--line); border-radius: 7px; }
        table { border-collapse: collapse; width: 100%; }
        caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
        thead th { border-top: 0; }
        th, td { padding: .34rem .55rem; text-align: left; vertical-align: baseline; border-top: 1px solid var(--line); white-space: nowrap; }
        thead th { font-size: .86em; font-weight: 600; color: var(--quiet); }
        thead th a { color: inherit; }
        tbody th { font-weight: 600; }
        tbody tr:hover { background: var(--hover); }
        .number { text-align: right; font-variant-numeric: tabular-nums; }
        th.text, td.text { max-width: 13rem; overflow: hidden; text-overflow: ellipsis; }
        .state::before { content: "●"; font-size: .75em; margin-right: .4em; }
        .state.warning::before { content: "▲"; } .state.bad::before { content: "■"; } .state.idle::before { content: "○"; }
        .good { color: var(--good); } .busy { color: var(--busy); } .idle { color: var(--idle); }
        .warning { color: var(--warning); } .bad { color: var(--bad); }
        .notice.good, .notice.bad { color: var(--text); }
        .tag { border: 1px solid var(--line); border-radius: 4px; padding: 0 .4em; font-size: .86em; color: var(--quiet); }
        .summary { display: flex; flex-wrap: wrap; gap: .3rem .6rem; align-items: center; max-width: none; }
        .actions, .pager, .confirm { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin: .7rem 0; }
        .button, button {
          display: inline-block; font: inherit; line-height: 1.3; padding: .3rem .7rem; border-radius: 5px; border: 1px solid var(--quiet);
          background: var(--panel); color: var(--text); text-decoration: none; cursor: pointer; white-space: nowrap;
        }
        td .button { padding: .02rem .5rem; margin-right: .3rem; font-size: .92em; }
        .button:hover, button:hover { background: var(--hover); }
        button.primary, .search button, .login button { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
        .danger { color: var(--bad); border-color: var(--bad); }
        .plain { border-color: transparent; color: var(--quiet); }
        .search, .login { display: flex; flex-wrap: wrap; gap: .6rem; align-items: end; margin-bottom: .9rem; }
        label { display: grid; gap: .15rem; min-width: 0; }
        label span { font-size: .86em; color: var(--quiet); }
        input, select { font: inherit; padding: .3rem .5rem; border: 1px solid var(--quiet); border-radius: 5px; background: var(--panel); color: var(--text); min-width: 0; max-width: 100%; height: 2.15rem; }
        .search input { width: 11rem; } .search input[name=q] { width: 18rem; }
        ::placeholder { color: var(--quiet); opacity: 1; }
        .login label { flex: 1 1 16rem; }
        .facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: .1rem 1.4rem; margin: 0; background: var(--panel); border: 1px solid var(--line); border-radius: 7px; padding: .5rem .75rem; }
        .facts div { padding: .25rem 0; min-width: 0; }
        dt { color: var(--quiet); font-size: .86em; } dd { margin: 0; overflow-wrap: anywhere; max-height: 14rem; overflow-y: auto; }
        meter { width: 3.2rem; margin-right: .3rem; height: .8em; vertical-align: middle; }
        @media (max-width: 56rem) {
          body { display: block; }
          header { position: static; height: auto; flex-flow: row wrap; align-items: center; padding: .5rem .75rem; border-right: 0; border-bottom: 1px solid var(--line); gap: .3rem .6rem; }
          header nav { order: 3; width: 100%; }
          nav ul { flex-flow: row wrap; }
          nav li a { padding: .5rem .6rem; }
          .logout { margin: 0 0 0 auto; }
          main { padding: .9rem .75rem 1.5rem; }
          footer { padding: .5rem .75rem 1rem; }
        }
        @media (max-width: 40rem) {
          .roomy { display: none; }
          th, td { padding: .5rem .6rem; }
          th.text, td.text { max-width: 11rem; }
          .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); }
          .search label { flex: 1 1 100%; } .search input, .search input[name=q] { width: 100%; }
          .button, button { padding: .55rem .9rem; } td .button { padding: .3rem .7rem; }
        }
        @media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important; scroll-behavior: auto !important; } }
        @media (forced-colors: active) { .state::before { forced-color-adjust: none; } }
        @media print { header, .search, .actions, .pager, .button, #updates { display: none; } body { display: block; } }
        """
}
