"""How a page looks: on a phone, on a screen, in the dark and on paper. Fonts are the reader's own."""

from __future__ import annotations

CSS = """
:root { color-scheme: light dark; --ink: #1a1a1a; --soft: #4d4d4d; --paper: #ffffff; --line: #b8b8b8;
  --band: #f2f4f7; --mark: #8a4b00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e8; --soft: #b9b9b9; --paper: #16181b; --line: #5a5f66;
  --band: #22262b; --mark: #ffbf75; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 68rem; padding: 1rem; color: var(--ink); background: var(--paper);
  font: 100%/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; border-bottom: 1px solid var(--line); }
p, ul, ol { margin: .5rem 0; max-width: 46rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: 0; list-style: none; }
a { color: inherit; }
.note { border-left: .3rem solid var(--mark); background: var(--band); padding: .5rem .75rem; font-weight: 600; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); gap: 1rem; }
figure { margin: 0; break-inside: avoid; min-width: 0; }
figure svg { display: block; width: 100%; height: auto; background: #ffffff; }
figure svg * { stroke-linejoin: round; stroke-linecap: butt; }
figcaption, caption { text-align: left; color: var(--soft); font-size: .9rem; padding: .25rem 0; }
.wide { overflow-x: auto; margin: .75rem 0; }
.wide:focus-visible { outline: 2px solid var(--mark); }
table { border-collapse: collapse; font-size: .9rem; overflow-wrap: normal; }
th, td { padding: .2rem .6rem .2rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
thead th { border-bottom-width: 2px; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.words { max-width: 24rem; min-width: 4rem; overflow-wrap: anywhere; }
.short { white-space: nowrap; }
th.words { min-width: 8rem; font-weight: 600; }
th.number { white-space: normal; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--band); padding: .75rem; font-size: .8rem; }
footer { margin-top: 2rem; border-top: 1px solid var(--line); color: var(--soft); }
@media screen and (max-width: 40rem) {
  .cards thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .cards, .cards caption, .cards tbody, .cards tr, .cards th, .cards td:last-child { display: block; }
  .cards td { display: inline; margin-right: .75rem; }
  .cards tr { border-bottom: 1px solid var(--line); padding: .4rem 0; }
  .cards th, .cards td { border: 0; padding: 0; max-width: none; text-align: left; white-space: normal; }
  .cards td::before { content: attr(data-label) ": "; color: var(--soft); }
  .cards td:empty { display: none; }
}
@media print {
  :root { color-scheme: light; --ink: #000000; --soft: #333333; --paper: #ffffff; --line: #999999; --band: #ffffff;
    --mark: #000000; }
  @page { size: A4; margin: 15mm; }
  body { max-width: none; padding: 0; font-size: 9.5pt; }
  nav { display: none; }
  .figures { grid-template-columns: 1fr 1fr; }
  .wide { overflow: visible; }
  table { width: 100%; font-size: 8pt; }
  caption, figcaption { font-size: 8pt; }
  h1 { font-size: 15pt; }
  h2 { font-size: 12pt; }
  th.words, td.words { min-width: 0; }
  tr, pre { break-inside: avoid; }
  pre { break-inside: auto; font-size: 7pt; }
  h2, caption { break-after: avoid; }
  thead { display: table-header-group; }
}
"""
