extension ReportPage {
    /// Where everything was read from, and what each decision about a file rests on.
    var sources: String {
        let rows = accounts.flatMap { history in history.sources.map { cells(of: $0, history) } }
        let titles = [
            "File", "SHA-256", "Format", "Account", "#Statement", "Period", "#Rows", "#Entries", "#Left out",
            "#Opening",
            "#Closing", "Check",
        ]
        return HTML.section(
            "Sources",
            HTML.table(titles, rows)
                + "<p class=\"soft\">Rows are entries and what is left out because it is no movement.</p>\n" + readings)
    }

    private func cells(of source: AccountHistory.Source, _ history: AccountHistory) -> [HTML.Cell] {
        let period = source.from.flatMap { from in
            source.to.map { "<span class=\"whole\">\(from)</span> to <span class=\"whole\">\($0)</span>" }
        }
        let kinds = source.leftOut.kinds.map { "\($0.count) \($0.name)" }.joined(separator: ", ")
        let left = source.leftOut.count == 0 ? "0" : "\(source.leftOut.count) <small>\(HTML.escaped(kinds))</small>"
        return [
            source.source.map { file(named: $0.name) } ?? .text("\u{2013}"),
            source.source?.sha256.map { .text(String($0.prefix(12))) } ?? .html(ReportPage.absent("no file")),
            .text(source.format?.rawValue ?? "\u{2013}"), .text(name(of: history)),
            .number("\(source.source?.number ?? 1)"),
            period.map { .html($0) } ?? .html(ReportPage.absent("no days")), .number("\(source.rows)"),
            .number("\(source.summary.transactions)"), .html(left, isNumber: true),
            .html(ReportPage.figure(source.summary.opening, "not stated"), isNumber: true),
            .html(ReportPage.figure(source.summary.closing, "not stated"), isNumber: true),
            .text(source.summary.balanceCheck.words),
        ]
    }

    /// Returns the file's name, without the folders above it.
    private func file(named name: String) -> HTML.Cell {
        .html(
            "<span class=\"wrap\">\(HTML.escaped(masked(name.split(separator: "/").last.map(String.init) ?? name)))</span>"
        )
    }

    /// By file, the profile it was read by and what was decided.
    private var readings: String {
        var (order, found) = ([String](), [String: [Evidence]]())
        for source in accounts.flatMap(\.sources) {
            let name = source.source?.name ?? ""
            if found[name] == nil { order.append(name) }
            for evidence in source.evidence where found[name]?.contains(evidence) != true {
                found[name, default: []].append(evidence)
            }
        }
        let rows = order.compactMap { name -> [HTML.Cell]? in
            guard let evidence = found[name], !evidence.isEmpty else { return nil }
            let profile = evidence.first { $0.decision == Evidence.profile }?.value
            let lines = evidence.filter { $0.decision != Evidence.profile }
                .map { HTML.escaped(masked("\($0.decision): \($0.value), by \($0.by)")) }
            return [
                file(named: name),
                .text(profile ?? "none"), .html(lines.joined(separator: "<br>")),
            ]
        }
        guard !rows.isEmpty else { return "" }
        return "<h4>What decided how files were read</h4>\n" + HTML.table(["File", "Profile", "Decisions"], rows)
    }

    var costSection: String {
        let rows = costs.map { line -> [HTML.Cell] in
            [
                .text(line.name), .number("\(line.count)"), .number("\(line.cached)"), .number(line.total),
                .number(line.avoided),
            ]
        }
        let table = HTML.table(
            ["Service", "#Count", "#From the cache", "#Cost \(costCurrency)", "#Avoided \(costCurrency)"], rows)
        return HTML.section(
            "Cost of making this", table + "<p class=\"soft\">run \(HTML.escaped(runID))</p>\n")
    }
}

extension BalanceCheck {
    /// The check as a person calls it.
    var words: String {
        switch self {
        case .ok: "adds up"
        case .mismatch: "WRONG"
        case .notAvailable: "nothing to compare"
        }
    }
}
