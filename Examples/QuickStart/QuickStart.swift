import Assay
import AssaySQLite

/// Counts the words of a text, which costs two look-ups in a dictionary.
struct WordCount: Processor {
    let name = "word_count"

    func extract(_ text: String, in context: Context) async throws -> Int {
        let words = try await context.step("split") { text.split(separator: " ").map(String.init) }
        guard !words.isEmpty else { throw ProcessingError(.extraction, "the text has no words") }
        try await context.charge("dictionary", "look_up", quantity: 2)
        return words.count
    }
}

@main struct QuickStart {
    static func main() async throws {
        var prices = PriceList()
        prices.add(Price(try Money("0.10")), for: .processor("word_count"))
        prices.add(Price(try Money("0.25")), for: .service("dictionary", operation: "look_up"))
        let engine = Engine(store: try SQLiteStore.open(".assay/assay.db"), prices: prices)

        var options = RunOptions()
        options.runner = try ThreadRunner(maxWorkers: 4)
        let report = try await engine.run(
            WordCount(), over: ["to be or not to be", "", "that is the question"], options: options)

        for outcome in report.outcomes {
            print(outcome.inputID, outcome.status, (try? outcome.get(as: Int.self)) ?? outcome.error?.message ?? "")
        }
        print("\(report.status), total \(report.bill.totalCost) USD, resume with run \(report.runID)")
    }
}
