namespace Siamorph.Reports;

/// <summary>The style sheet of <see cref="HtmlReport"/>: light and dark, wide and narrow, screen and paper.</summary>
internal static class HtmlStyle
{
    /// <summary>Colours s0…s7 are data (s0 the baseline), o0…o3 outlines on pictures.</summary>
    public const string Sheet = """

        :root {
          --page: #faf9f6; --card: #fff; --ink: #1c2226; --soft: #5a646b; --rule: #e2dfd8; --track: #efece6; --link: #0b6a61;
          --s0: #6d7a89; --s1: #0d8377; --s2: #c2591b; --s3: #7750ad; --s4: #957400; --s5: #b5325f; --s6: #2b6cb0; --s7: #5b7a1f;
          --good: #0d7a58; --bad: #a8471b; --shade: 0 1px 2px rgb(40 35 20 / .06), 0 4px 16px rgb(40 35 20 / .05);
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --page: #14171a; --card: #1b1f23; --ink: #e7eaec; --soft: #9ba6ae; --rule: #30363b; --track: #262b30; --link: #5fcfc1;
            --s0: #94a2b1; --s1: #38bfae; --s2: #f0935c; --s3: #b090e6; --s4: #d3b23c; --s5: #ee7ba3; --s6: #6fb0ee; --s7: #a5c860;
            --good: #52c99b; --bad: #ee9366; --shade: 0 0 0 1px #262b30;
          }
        }
        * { box-sizing: border-box; }
        html { -webkit-text-size-adjust: 100%; }
        body { margin: 0 auto; max-width: 68rem; padding: 2.5rem 1.5rem 3rem; background: var(--page); color: var(--ink);
          font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", sans-serif; }
        a { color: var(--link); }
        .overline { margin: 0; color: var(--soft); font-size: .875rem; overflow-wrap: anywhere; }
        h1 { margin: .15em 0 .6em; font-size: 1.25rem; font-weight: 600; line-height: 1.3; color: var(--soft); }
        .answer { margin: 0 0 .7rem; max-width: 46rem; font-size: clamp(1.35rem, 1rem + 1.5vw, 1.9rem); line-height: 1.3; font-weight: 600; letter-spacing: -.01em; text-wrap: pretty; }
        .lead { margin: .4rem 0; max-width: 46rem; font-size: 1.06rem; text-wrap: pretty; }
        h2 { margin: 3.2rem 0 .8rem; padding-top: 1.1rem; border-top: 1px solid var(--rule); font-size: 1.3rem; line-height: 1.25; letter-spacing: -.005em; }
        p { max-width: 44rem; margin: .6rem 0; }
        .small, .list, figcaption { font-size: .9rem; color: var(--soft); }
        .small { margin: .4rem 0; }
        .list { padding-left: 1.2rem; max-width: 44rem; margin: .6rem 0; }
        .list li { margin: .25rem 0; overflow-wrap: anywhere; }
        .notice { padding: .7rem 1rem; border-left: 3px solid var(--soft); background: var(--card); border-radius: 0 .4rem .4rem 0; }
        .notice.good { border-color: var(--good); } .notice.bad { border-color: var(--bad); }
        nav { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; margin: 1.6rem 0 0; font-size: .9rem; }
        nav a { text-decoration: none; } nav a:hover, nav a:focus-visible { text-decoration: underline; }
        .keys { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 13.5rem), 1fr)); gap: 1rem; margin: 1.6rem 0 0; }
        .key { padding: 1rem 1.1rem; background: var(--card); border-radius: .6rem; box-shadow: var(--shade); }
        .key dt { font-size: .875rem; color: var(--soft); line-height: 1.35; }
        .key dd { margin: 0; font-size: .85rem; color: var(--soft); line-height: 1.4; }
        .key .number { margin: .15rem 0 .2rem; font-size: 1.9rem; line-height: 1.15; font-weight: 650; letter-spacing: -.02em; color: var(--ink); font-variant-numeric: tabular-nums; }
        .key.good .number { color: var(--good); } .key.bad .number { color: var(--bad); }
        .figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 25rem), 1fr)); gap: 1.2rem; margin: 1.1rem 0; }
        figure { margin: 0; padding: 1.1rem 1.2rem .8rem; background: var(--card); border-radius: .6rem; box-shadow: var(--shade); min-width: 0; }
        figure.wide { grid-column: 1 / -1; }
        figure.sheet { margin: 1.1rem 0; }
        figcaption { margin: 0 0 .7rem; line-height: 1.45; max-width: 44rem; text-wrap: pretty; }
        figcaption b { display: block; color: var(--ink); font-size: 1rem; }
        .legend { display: flex; flex-wrap: wrap; gap: .15rem 1rem; list-style: none; margin: 0 0 .5rem; padding: 0; font-size: .85rem; }
        .swatch { display: inline-block; width: .95em; height: .28em; border-radius: 2px; margin: 0 .45em .22em 0; background: currentColor; }
        .chart { display: block; width: 100%; height: auto; overflow: visible; }
        figure:not(.wide) .chart { max-width: 34rem; }
        .chart text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", sans-serif; fill: var(--ink); font-variant-numeric: tabular-nums; }
        .chart .tick, .chart .axis, .chart .hint { fill: var(--soft); font-size: 11.5px; }
        .chart .group { font-weight: 650; font-size: 13px; }
        .chart .value { font-weight: 600; }
        .grid { stroke: var(--rule); stroke-width: 1; }
        .base { stroke: var(--soft); stroke-width: 1; }
        .diagonal { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 4 4; }
        .s0 { color: var(--s0); } .s1 { color: var(--s1); } .s2 { color: var(--s2); } .s3 { color: var(--s3); } .s4 { color: var(--s4); } .s5 { color: var(--s5); } .s6 { color: var(--s6); } .s7 { color: var(--s7); }
        .line { fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
        .line.faint { stroke-width: 1; opacity: .28; }
        .dot { fill: currentColor; fill-opacity: .75; stroke: var(--card); stroke-width: 1; }
        .point { fill: currentColor; fill-opacity: .6; }
        .range { stroke: currentColor; stroke-width: 2; opacity: .4; stroke-linecap: round; }
        .mean { stroke: currentColor; stroke-width: 2.5; stroke-linecap: round; }
        .interval { stroke: currentColor; stroke-width: 3; stroke-linecap: round; }
        .bar { fill: currentColor; }
        .track { fill: var(--track); }
        .on-narrow { display: none; }
        .scroll { --behind: var(--page); overflow-x: auto; margin: .8rem 0;
          background: linear-gradient(to right, var(--behind) 40%, transparent) left / 2rem 100% no-repeat local, linear-gradient(to left, var(--behind) 40%, transparent) right / 2rem 100% no-repeat local,
            linear-gradient(to right, rgb(0 0 0 / .14), transparent) left / .6rem 100% no-repeat scroll, linear-gradient(to left, rgb(0 0 0 / .14), transparent) right / .6rem 100% no-repeat scroll; }
        figure .scroll { --behind: var(--card); }
        table { border-collapse: collapse; font-size: .9rem; line-height: 1.4; font-variant-numeric: tabular-nums; }
        th, td { padding: .38rem 1.1rem .38rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--rule); }
        thead th { font-weight: 600; color: var(--soft); vertical-align: bottom; }
        tbody th { font-weight: 500; }
        td { overflow-wrap: anywhere; min-width: 3.5rem; } tbody tr > :first-child { min-width: 8.5rem; }
        .n { text-align: right; white-space: nowrap; } thead .n { white-space: normal; }
        details { margin: .6rem 0; }
        summary { cursor: pointer; width: fit-content; color: var(--link); font-size: .95rem; }
        .numbers { margin: .5rem 0 0; } .numbers summary { font-size: .8rem; color: var(--soft); } .numbers table { font-size: .8rem; }
        .switch { display: inline-flex; gap: .4rem; align-items: center; font-size: .85rem; margin: 0 0 .6rem; cursor: pointer; }
        .switch input { accent-color: var(--s1); margin: 0; }
        .tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(7rem, 1fr)); gap: .7rem; }
        .picture { position: relative; background: var(--track); }
        .picture img { display: block; width: 100%; height: auto; border-radius: .25rem; }
        .picture svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: hidden; }
        .outline { fill: none; stroke-width: 1.6px; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
        .o0 { stroke: #54f2cd; } .o1 { stroke: #ffd447; } .o2 { stroke: #ff8ad0; } .o3 { stroke: #fff; }
        .switch:has(input:not(:checked)) + .tiles .outline { display: none; }
        .tile span { display: block; font-size: .74rem; line-height: 1.3; color: var(--soft); margin-top: .2rem; overflow-wrap: anywhere; }
        footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--rule); font-size: .85rem; color: var(--soft); }
        @media (max-width: 40rem) {
          body { padding: 1.5rem 1rem 2rem; }
          .on-wide { display: none; } .on-narrow { display: block; }
          figure { padding: .9rem .9rem .7rem; }
          h2 { margin-top: 2.4rem; }
          .tiles { grid-template-columns: repeat(auto-fill, minmax(5.4rem, 1fr)); gap: .5rem; }
          .stack table, .stack tbody { display: block; } .stack thead { position: absolute; clip-path: inset(50%); }
          .stack tr { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: .35rem 1rem; padding: .6rem 0; border-bottom: 1px solid var(--rule); }
          .stack tr > * { padding: 0; border: 0; } .stack tr > th { grid-column: 1 / -1; font-weight: 600; } .stack th[data-label]::after { content: "\00A0" attr(data-label); }
          .stack td, .stack .n { text-align: left; white-space: normal; } .stack td::before { content: attr(data-label); display: block; font-size: .78rem; color: var(--soft); }
        }
        @media print {
          :root { --page: #fff; --card: #fff; --ink: #000; --soft: #444; --rule: #ccc; --track: #eee; --shade: none;
            --s0: #6d7a89; --s1: #0d8377; --s2: #c2591b; --s3: #7750ad; --s4: #957400; --s5: #b5325f; --s6: #2b6cb0; --s7: #5b7a1f; --good: #0d7a58; --bad: #a8471b; }
          body { max-width: none; padding: 0; font-size: 10pt; }
          nav, .switch, .numbers { display: none; }
          figure, .key { border: 1px solid #ccc; break-inside: avoid; }
          h2 { break-after: avoid; margin-top: 1.5rem; }
          .figures { grid-template-columns: 1fr 1fr; gap: .7rem; } figure { padding: .7rem .8rem .5rem; }
          .tiles { grid-template-columns: repeat(auto-fill, minmax(5.2rem, 1fr)); gap: .4rem; } .tile, tr { break-inside: avoid; }
          .scroll { overflow: visible; background: none; } table { font-size: .78rem; } th, td { padding-right: .7rem; } tbody tr > :first-child { min-width: 7rem; }
          details:not([open]) > summary::after { content: " (folded; unfold it before printing)"; color: var(--soft); }
          .bar, .dot, .point, .swatch { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
        }

        """;
}
