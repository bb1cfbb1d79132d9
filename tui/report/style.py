"""The look of the HTML report: calm, dark or light as the reader's system is, fit to print."""

STYLE = """
:root{color-scheme:light dark;--bg:#fbfbfa;--fg:#23272f;--dim:#6a7280;--line:#e4e6ea;--card:#fff;--accent:#00785a}
@media(prefers-color-scheme:dark){:root{--bg:#14171c;--fg:#dfe3ea;--dim:#8b94a3;--line:#2a2f38;--card:#1a1e25;--accent:#1fa87f}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:980px;margin:0 auto;padding:40px 24px 64px}
h1{font-size:28px;margin:0 0 4px;letter-spacing:-.01em}
h2{font-size:17px;margin:0 0 12px}
header p{margin:0;color:var(--dim)}
section{margin-top:40px}
.note,footer,small,.legend span{color:var(--dim)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(140px,1fr));gap:12px;margin:24px 0 0}
.tiles div{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:12px 14px}
.tiles dt{color:var(--dim);font-size:13px}
.tiles dd{margin:2px 0 0;font-size:22px;font-variant-numeric:tabular-nums}
i{background:var(--l);display:block}
@media(prefers-color-scheme:dark){i{background:var(--d)}}
.spectrum{display:flex;height:28px;border-radius:6px;overflow:hidden;gap:1px}
.spectrum i{min-width:2px;flex-basis:0}
.legend{list-style:none;padding:0;margin:14px 0 0;
  display:grid;grid-template-columns:repeat(auto-fill,minmax(290px,1fr));gap:4px 20px}
.legend i,.swatch{display:inline-block;width:10px;height:10px;border-radius:2px;margin-right:8px}
table{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums}
th{font-weight:600;font-size:13px;color:var(--dim);border-bottom:1px solid var(--line);padding:4px 8px}
td{padding:6px 8px;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
.l{text-align:left}.r{text-align:right;white-space:nowrap}
.findings{padding-left:22px;margin:0}
.findings li{margin-bottom:12px}
.findings p{margin:0}
.findings p+p{color:var(--dim)}
.findings span{float:right;margin-left:16px;color:var(--dim);font-variant-numeric:tabular-nums;white-space:nowrap}
em{font-style:normal;font-size:12px;border:1px solid var(--line);border-radius:4px;padding:0 5px;color:var(--dim)}
svg{width:100%;height:auto;display:block}
svg text{fill:var(--dim);font:11px system-ui,sans-serif}
svg .grid{stroke:var(--line)}
svg .area{fill:var(--accent);opacity:.18}
svg .rise{fill:none;stroke:var(--accent);stroke-width:2}
svg rect{fill:var(--l)}
@media(prefers-color-scheme:dark){svg rect{fill:var(--d)}}
footer{margin-top:48px;font-size:13px;border-top:1px solid var(--line);padding-top:12px}
@media print{main{padding:0}section{break-inside:avoid}}
"""
