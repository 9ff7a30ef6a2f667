package import Assay

/// The progress of a run at one moment, drawn in a few lines.
package struct ProgressBlock: Sendable {
    /// A failed item.
    package struct Failure: Sendable {
        let inputID: String
        let text: String

        /// Creates the failure of an item, in words.
        package init(inputID: String, text: String) {
            self.inputID = inputID
            self.text = text
        }
    }

    let counts: Counts
    let cached: Int
    let resumed: Int
    let cost: MoneySum
    let avoided: MoneySum
    let currency: String
    let elapsed: Duration
    let waits: [ItemWait]
    let failures: [Failure]

    /// Creates the progress of a run after `elapsed`.
    package init(
        counts: Counts, cached: Int = 0, resumed: Int = 0, cost: MoneySum = .zero, avoided: MoneySum = .zero,
        currency: String = "USD", elapsed: Duration, waits: [ItemWait] = [],
        failures: [Failure] = []
    ) {
        self.counts = counts
        self.cached = cached
        self.resumed = resumed
        self.cost = cost
        self.avoided = avoided
        self.currency = currency
        self.elapsed = elapsed
        self.waits = waits
        self.failures = failures
    }

    /// The number of reasons for waits to show.
    private static let shownWaits = 3

    /// The number of items that have ended.
    private var ended: Int { counts.succeeded + counts.failed + counts.skipped + counts.cancelled }

    /// Items per second, of those that were worked on.
    private var rate: Double {
        let seconds = elapsed / .seconds(1)
        return seconds > 0 ? Double(ended - resumed) / seconds : 0
    }

    /// Returns the block in lines of less than `width` columns, so that no terminal wraps them.
    package func lines(width: Int, paint: Paint) -> [String] {
        let width = max(1, width - 1)
        var lines = [bar(width), numbers(paint, width)]
        for wait in waits.prefix(Self.shownWaits) { lines.append(wait.text.safe.cut(toColumns: width)) }
        for failure in failures {
            lines.append(paint("failed \(failure.inputID): \(failure.text)".safe.cut(toColumns: width), .red))
        }
        return lines
    }

    private func bar(_ width: Int) -> String {
        guard ended > 0 else { return "\(counts.total.grouped) items, none finished yet".cut(toColumns: width) }
        let share = counts.total > 0 ? Double(ended) / Double(counts.total) : 0
        let label = " \(Int(share * 100))%  \(ended.grouped) of \(counts.total.grouped)"
        let length = min(40, width - label.columns)
        guard length >= 4 else { return label.cut(toColumns: width) }
        let full = Int(share * Double(length))
        return String(repeating: "█", count: full) + String(repeating: "░", count: length - full) + label
    }

    private func numbers(_ paint: Paint, _ width: Int) -> String {
        var parts = ["\(counts.succeeded.grouped) done", "\(counts.failed.grouped) failed"]
        if cached > 0 { parts.append("\(cached.grouped) cached") }
        if resumed > 0 { parts.append("\(resumed.grouped) resumed") }
        if rate > 0 { parts.append("\(rate.shortened)/s") }
        if rate > 0, ended < counts.total {
            parts.append("\(Duration.seconds(Double(counts.total - ended) / rate).brief) left")
        }
        parts.append("\(cost) \(currency)" + (avoided > .zero ? " (\(avoided) avoided)" : ""))
        let text = parts.joined(separator: "  ").cut(toColumns: width)
        return counts.failed > 0 ? paint(text, .yellow) : text
    }
}

extension ItemWait {
    /// The text, such as "3 wait for a call of doc_7".
    var text: String { "\(count.grouped) \(count == 1 ? "waits" : "wait") for \(reason)" }
}

extension Int {
    /// The number with commas between groups of three digits.
    package var grouped: String {
        var digits = String(magnitude)[...]
        var groups: [Substring] = []
        while digits.count > 3 {
            groups.insert(digits.suffix(3), at: 0)
            digits = digits.dropLast(3)
        }
        return (self < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
    }
}

extension Double {
    /// The number with one decimal when it is small, else rounded.
    fileprivate var shortened: String { self < 100 ? "\((self * 10).rounded() / 10)" : Int(rounded()).grouped }
}
