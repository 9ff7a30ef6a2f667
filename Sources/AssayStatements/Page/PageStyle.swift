/// The style of report pages, on screens and on paper.
enum PageStyle {
    static let css = """
        :root{color-scheme:light dark;--ink:#1a1d21;--soft:#5b636d;--line:#d5d9de;--paper:#fff;--fill:#f3f5f7;--stop:#a4161a;\
        --check:#8a5a00;--link:#1f5fa8;--area:#d7263d}
        @media (prefers-color-scheme:dark){:root{--ink:#e7e9ec;--soft:#a2abb5;--line:#3a4149;--paper:#15181c;--fill:#1f242a;\
        --stop:#ff8a8a;--check:#f0c36a;--link:#8ab8f0;--area:#ff6b7d}}
        *{box-sizing:border-box}
        body{margin:0 auto;padding:24px;max-width:1240px;background:var(--paper);color:var(--ink);\
        font:14px/1.45 system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif}
        h1{font-size:24px;margin:0 0 4px}h2{font-size:18px;margin:32px 0 8px;border-bottom:1px solid var(--line);padding-bottom:4px}
        h3{font-size:15px;margin:20px 0 6px}p{margin:6px 0}small,.soft{color:var(--soft);font-size:12px}
        .band{margin:12px 0;padding:10px 14px;border:2px solid var(--line);border-radius:6px;font-weight:600}
        .band.stop{border-color:var(--stop);color:var(--stop)}.band.check{border-color:var(--check);color:var(--check)}
        .facts{display:flex;flex-wrap:wrap;gap:8px 28px;margin:8px 0}.facts div{min-width:120px}
        .facts dt{color:var(--soft);font-size:12px}.facts dd{margin:0;font-variant-numeric:tabular-nums}
        .keys dd{font-size:18px;font-weight:600}.keys dd small{font-weight:400}
        .scroll{overflow-x:auto}
        table{border-collapse:collapse;width:100%;margin:6px 0 12px;font-variant-numeric:tabular-nums}
        th,td{padding:3px 8px;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
        thead th{border-bottom:2px solid var(--line);color:var(--soft);font-size:12px;font-weight:600;vertical-align:bottom}
        tbody th{font-weight:400}.num,.whole{white-space:nowrap}.num{text-align:right}.scroll table{min-width:760px}.strong,tr.strong>*{font-weight:700}
        .none{color:var(--soft)}.wrap{overflow-wrap:anywhere;min-width:9em;display:inline-block}
        .months th,.months td{padding:3px 5px}.months thead .num{white-space:pre}.months{font-size:12px}.months.many{font-size:11px}.months.many th,.months.many td{padding:3px}.months.many thead th{font-size:11px}.months.many small{font-size:10px}.months small{display:block}
        .months tbody th{position:sticky;left:0;background:var(--paper)}
        .flag{margin:6px 0;padding-left:6.5em;text-indent:-6.5em}.flag b{display:inline-block;width:6.5em;text-indent:0}
        .flag.stop b{color:var(--stop)}.flag.check b{color:var(--check)}
        svg{display:block;width:100%;height:auto;max-width:720px;margin:8px 0}
        svg text{fill:var(--soft);font-size:11px}svg .line{fill:none;stroke:var(--ink);stroke-width:1.5}
        svg .zero{stroke:var(--soft);stroke-width:1}svg .tick{stroke:var(--line)}svg .below{fill:var(--area);fill-opacity:.45}
        svg .bar{fill:var(--link)}svg .hatch{stroke:var(--soft);stroke-width:1}
        .bars td{white-space:nowrap}.bar{display:inline-block;height:10px;background:var(--ink);vertical-align:middle}
        @page{margin:14mm 12mm}
        @media print{:root{color-scheme:light;--ink:#000;--soft:#444;--line:#bbb;--paper:#fff;--fill:#f3f5f7;--stop:#000;--check:#000;\
        --link:#000;--area:#555}
        body{max-width:none;padding:0;font-size:9.5pt}.scroll{overflow:visible}.scroll table{min-width:0}thead{display:table-header-group}
        tr,svg,figure,.band,.flag,.facts div{break-inside:avoid}h2,h3{break-after:avoid}
        .months,.months.many{font-size:7pt}.months th,.months td{padding:2px 3px}.months small,.months.many small,.months.many thead th{font-size:6pt}
        section.account{break-before:page}section.account.first{break-before:auto}}
        """
}
