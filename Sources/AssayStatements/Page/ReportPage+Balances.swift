extension ReportPage {
    /// Returns the balance at the end of each day as a picture, and the days below zero.
    func balances(of history: AccountHistory, _ index: Int) -> String {
        guard !history.days.isEmpty else {
            let reason = "Daily balances are absent: \(history.report.reasonWithoutBalance)."
            return HTML.section("Daily balance", "<p>\(HTML.escaped(reason))</p>\n", level: 3)
        }
        let chart = BalanceChart(history.days, number: index, currency: history.report.currency).svg
        var body = "<figure style=\"margin:0\">\(chart)</figure>\n"
        if history.report.accountType?.isDebt != true { body += negativeDays(of: history) }
        return HTML.section("Daily balance", body, level: 3)
    }

    private func negativeDays(of history: AccountHistory) -> String {
        let days = history.days.filter { $0.balance < .zero }
        guard !days.isEmpty else { return "<p>No day ends below zero.</p>\n" }
        let shown = 40
        var largest: [Day: AccountHistory.Entry] = [:]
        for entry in history.entries where entry.amount < .zero {
            if let known = largest[entry.date], known.amount <= entry.amount { continue }
            largest[entry.date] = entry
        }
        let rows = days.prefix(shown).map { day -> [HTML.Cell] in
            let cause = largest[day.day]
            return [
                .day(day.day), .number(day.balance.grouped),
                .text(
                    cause.map { "\(masked($0.description)) \($0.amount.grouped)" } ?? "carried on from the day before"),
                .text(cause.map { place(of: $0) } ?? ""),
            ]
        }
        let rest = days.count > shown ? "<p class=\"soft\">and \(days.count - shown) more days</p>\n" : ""
        return "<h4>Days below zero: \(days.count)</h4>\n"
            + HTML.table(["Day", "#Balance", "Largest payment of the day", "From"], rows) + rest
    }

    /// Returns the origin of an entry: `jan.ofx #14`.
    func place(of entry: AccountHistory.Entry) -> String {
        let name = entry.source.flatMap { $0.name.split(separator: "/").last.map(String.init) }
        return (name.map { masked($0) + " " } ?? "") + "#\(entry.number)"
    }
}

/// A stepped line of balances at the end of days.
private struct BalanceChart {
    private let days: [AccountHistory.DayBalance]
    private let number: Int
    private let currency: String?
    private let low: Double
    private let high: Double

    private let width = 720.0
    private let height = 200.0
    private let left = 10.0
    private let right = 96.0
    private let top = 16.0
    private let bottom = 22.0

    init(_ days: [AccountHistory.DayBalance], number: Int, currency: String?) {
        (self.days, self.number, self.currency) = (days, number, currency)
        let values = days.map { BalanceChart.units($0.balance) }
        low = min(values.min() ?? 0, 0)
        let top = max(values.max() ?? 0, 0)
        high = top > low ? top : low + 1
    }

    /// Converts an amount for positions in the chart only.
    private static func units(_ amount: Amount) -> Double { Double(amount.billionths) / 1e9 }

    private var first: Day { days[0].day }
    private var count: Int { days[days.count - 1].day - first + 1 }

    private func x(_ day: Day) -> Double { left + Double(day - first) / Double(count) * (width - left - right) }
    private func y(_ value: Double) -> Double { top + (high - value) / (high - low) * (height - top - bottom) }
    private func y(_ amount: Amount) -> Double { y(BalanceChart.units(amount)) }

    /// Returns a number with one decimal, written the same on every machine.
    private static func text(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths < 0 ? "-" : "")\(tenths.magnitude / 10).\(tenths.magnitude % 10)"
    }

    var svg: String {
        let t = BalanceChart.text
        var parts = [
            "<svg viewBox=\"0 0 720 200\" role=\"img\" aria-labelledby=\"t\(number) d\(number)\">",
            "<title id=\"t\(number)\">Balance at the end of each day\(currency.map { " in \(HTML.escaped($0))" } ?? "")</title>",
            "<desc id=\"d\(number)\">\(HTML.escaped(words))</desc>",
            "<defs><pattern id=\"h\(number)\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><line class=\"hatch\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"6\"/></pattern></defs>",
        ]
        parts += ticks
        for (before, after) in zip(days, days.dropFirst()) where after.day - before.day > 1 {
            let (start, end) = (x(before.day + 1), x(after.day))
            parts.append(
                "<rect fill=\"url(#h\(number))\" x=\"\(t(start))\" y=\"\(t(top))\" width=\"\(t(end - start))\" height=\"\(t(height - top - bottom))\"/>"
            )
        }
        let zero = y(0)
        for day in days where day.balance < .zero {
            parts.append(
                "<rect class=\"below\" x=\"\(t(x(day.day)))\" y=\"\(t(zero))\" width=\"\(t(x(day.day + 1) - x(day.day)))\" height=\"\(t(y(day.balance) - zero))\"/>"
            )
        }
        parts.append(
            "<line class=\"zero\" x1=\"\(t(left))\" y1=\"\(t(zero))\" x2=\"\(t(width - right))\" y2=\"\(t(zero))\"/>")
        parts.append("<path class=\"line\" d=\"\(path)\"/>")
        parts += labels
        return parts.joined(separator: "\n") + "</svg>"
    }

    private var path: String {
        let t = BalanceChart.text
        var (result, previous) = ("", Day?.none)
        for day in days {
            let goesOn = previous.map { day.day - $0 == 1 } ?? false
            result +=
                "\(goesOn ? "L" : "M")\(t(x(day.day))) \(t(y(day.balance)))L\(t(x(day.day + 1))) \(t(y(day.balance)))"
            previous = day.day
        }
        return result
    }

    private var ticks: [String] {
        let t = BalanceChart.text
        var (parts, last) = ([String](), -100.0)
        for offset in 0..<count {
            let (year, month, date) = (first + offset).date
            guard date == 1 else { continue }
            let place = x(first + offset)
            parts.append(
                "<line class=\"tick\" x1=\"\(t(place))\" y1=\"\(t(top))\" x2=\"\(t(place))\" y2=\"\(t(height - bottom))\"/>"
            )
            guard place - last > 56 else { continue }
            last = place
            parts.append(
                "<text x=\"\(t(place + 2))\" y=\"\(t(height - 7))\">\(year)-\(month < 10 ? "0" : "")\(month)</text>")
        }
        return parts
    }

    private var labels: [String] {
        let t = BalanceChart.text
        guard let highest = days.max(by: { $0.balance < $1.balance }),
            let lowest = days.min(by: { $0.balance < $1.balance }),
            let last = days.last
        else { return [] }
        // Labels are at the right edge, each below the one before, and never overlap.
        let labels = [("last", last), ("high", highest), ("low", lowest)]
            .sorted { ($1.1.balance, $0.0) < ($0.1.balance, $1.0) }
        let lineHeight = 12.0
        var (parts, lowestFree) = ([String](), top)
        for (index, (word, day)) in labels.enumerated() {
            let room = Double(labels.count - 1 - index) * lineHeight
            let place = min(max(y(day.balance) + 4, lowestFree), height - bottom - room)
            lowestFree = place + lineHeight
            parts.append(
                "<text x=\"\(t(width - right + 6))\" y=\"\(t(place))\">\(word) \(HTML.escaped(day.balance.grouped))</text>"
            )
        }
        return parts
    }

    /// The picture in words.
    private var words: String {
        guard let highest = days.max(by: { $0.balance < $1.balance }),
            let lowest = days.min(by: { $0.balance < $1.balance }),
            let last = days.last
        else { return "" }
        let negative = days.count { $0.balance < .zero }
        let uncovered = count - days.count
        return
            "From \(first) to \(last.day): highest \(highest.balance.grouped) on \(highest.day), lowest \(lowest.balance.grouped) on "
            + "\(lowest.day), last \(last.balance.grouped); \(negative) days below zero, \(uncovered) days not covered."
    }
}
