import Assay
import AssayTesting
import Foundation
import Synchronization

/// Inputs that cost money: each makes one call of a service that lives in the test, and some of them the same.
struct PaidWork: Sendable {
    static let base = Money(billionths: 100_000_000)
    static let price = Money(billionths: 250_000_000)

    let inputs: [String]
    let runner: String
    let workers: Int
    /// The most that all may cost.
    let limit: Money
    /// How many inputs a batch has, when they go in batches.
    var batch: Int?

    /// Inputs of which some are refused by the service and some share what they ask.
    static func mixed(_ count: Int, runner: String, workers: Int, batch: Int? = nil) -> PaidWork {
        let inputs = (0..<count).map { index in
            if index % 9 == 5 { return "refused \(index)" }
            return index % 4 == 3 ? "shared \(index / 12)" : "own \(index)"
        }
        // What is asked twice after a kill must fit as well.
        return PaidWork(
            inputs: inputs, runner: runner, workers: workers, limit: sum(calls: 2 * count), batch: batch)
    }

    /// What so many calls cost, with the base.
    static func sum(calls: Int) -> Money {
        Money(billionths: base.billionths + price.billionths * Int64(calls))
    }

    static func isRefused(_ input: String) -> Bool { input.hasPrefix("refused") }

    /// How many calls must be paid when nothing goes wrong.
    var paidCalls: Int { Set(inputs.filter { !Self.isRefused($0) }).count }

    /// The service, which calls `watch` in the middle of what it does for a caller.
    static func provider(_ watch: @escaping @Sendable () -> Void) throws -> CountingProvider {
        try CountingProvider { call in
            watch()
            return isRefused(String(call.text.dropFirst())) ? .reply(422) : .reply(200, "[\(call.text)]")
        }
    }

    func pipeline(_ provider: CountingProvider) -> String {
        """
        run_as: processor
        budget: {limit: \(limit), scope: execution}
        \(batch.map { "batch: {size: \($0), parallel: true, max_concurrent_batches: 2}" } ?? "")
        processors:
          - processor_id: check
            processor_type: http
            parameters: {url: '\(provider.url)/v1/check', service: bureau, operation: check}
        prices:
          currency: USD
          processors:
            check: {base_cost: \(Self.base), charge: per_execution}
          services:
            bureau: {check: \(Self.price)}

        """
    }

    /// How many lines a program prints that tell how something ended.
    var lines: Int { batch.map { (inputs.count + $0 - 1) / $0 } ?? inputs.count }

    var list: String {
        inputs.enumerated().map { "{\"input_id\": \"doc_\($0)\", \"data\": \"\($1)\"}\n" }.joined()
    }

    var arguments: [String] {
        ["run", "p.yaml", "--inputs", "in.jsonl", "--runner", runner, "--workers", "\(workers)", "-o", "jsonl"]
    }
}

/// When a program is killed.
enum KillMoment: CustomStringConvertible, Sendable {
    /// When it has printed so many lines, and that many microseconds later.
    case printed(lines: Int, later: Int)
    /// While the service is at work on the call of this number since the program was started.
    case paying(call: Int)

    /// A moment in the life of a program that has so many inputs, `done` of them finished before.
    init(_ work: PaidWork, done: Int, using chance: inout SeededNumbers) {
        switch Int.random(in: 0..<4, using: &chance) {
        case 0: self = .printed(lines: 0, later: .random(in: 0..<150_000, using: &chance))
        case 1: self = .paying(call: .random(in: 1...max(1, work.inputs.count - done), using: &chance))
        default:
            // All, and the report.
            let first = work.batch == nil ? min(done, work.lines) : 0
            let lines = Int.random(in: first...(work.lines + 1), using: &chance)
            self = .printed(lines: lines, later: .random(in: 0..<10_000, using: &chance))
        }
    }

    var description: String {
        switch self {
        case .printed(let lines, let later): "\(later) µs after \(lines) lines"
        case .paying(let call): "in call \(call)"
        }
    }
}

/// Does something at a call of the service.
final class Trap: Sendable {
    private let state = Mutex<(left: Int, strike: @Sendable () -> Void)>((0, {}))

    func set(at call: Int, _ strike: @escaping @Sendable () -> Void) { state.withLock { $0 = (call, strike) } }
    func disarm() { set(at: 0) {} }

    func step() {
        state.withLock { state in
            state.left -= 1
            if state.left == 0 { state.strike() }
        }
    }
}
