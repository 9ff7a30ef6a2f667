import Assay
import Synchronization

/// What a history works on at one moment: a list of inputs and a program with a parameter.
struct HistoryContent: Equatable {
    /// An input by name and value.
    struct Entry: Equatable {
        var id: String
        var value: Int
    }

    /// What a step of the program costs.
    enum Cost: CaseIterable {
        case nothing
        /// A charge without a key, recorded with the step or the outcome.
        case charge
        /// A call that is known by the input's value, so that inputs with the same value share it.
        case call
    }

    /// What the program is, apart from its inputs. Everything in it is part of its definition.
    struct Definition: Hashable {
        var program: Int
        var parameter: Int

        var json: JSONValue {
            ["program": .number(Number(program)), "parameter": .number(Number(parameter))]
        }
    }

    var entries: [Entry]
    var definition: Definition
    let steps: [Cost]

    init(using chance: inout some RandomNumberGenerator) {
        steps = (0..<Int.random(in: 1...3, using: &chance)).map { _ in Cost.allCases.randomElement(using: &chance)! }
        // Few values for many inputs, so that some inputs share theirs.
        entries = (0..<Int.random(in: 1...6, using: &chance)).map {
            Entry(id: "n\($0)", value: Int.random(in: 0..<4, using: &chance))
        }
        definition = Definition(program: 0, parameter: 0)
    }

    var items: [Item] { entries.map { Item($0.id, [$0.value]) } }

    /// Changes one thing that people change, and says what.
    mutating func edit(using chance: inout some RandomNumberGenerator) -> String {
        switch Int.random(in: 0..<7, using: &chance) {
        case 0:
            definition.program = Int.random(in: 0..<3, using: &chance)
            return "program \(definition.program)"
        case 1:
            definition.parameter = Int.random(in: 0..<3, using: &chance)
            return "parameter \(definition.parameter)"
        case 2:
            let id = (0..<20).lazy.map { "n\($0)" }.first { id in !entries.contains { $0.id == id } }!
            let entry = Entry(id: id, value: Int.random(in: 0..<4, using: &chance))
            entries.insert(entry, at: Int.random(in: 0...entries.count, using: &chance))
            return "new \(entry.id)=\(entry.value)"
        case 3 where entries.count > 1:
            return "without \(entries.remove(at: Int.random(in: 0..<entries.count, using: &chance)).id)"
        case 4:
            entries.shuffle(using: &chance)
            return "order " + entries.map(\.id).joined(separator: " ")
        default:
            let place = Int.random(in: 0..<entries.count, using: &chance)
            entries[place].value = Int.random(in: 0..<4, using: &chance)
            return "\(entries[place].id)=\(entries[place].value)"
        }
    }

    /// What a fresh run of `definition` makes of an input of that value.
    func output(of value: Int, by definition: Definition) -> [Int] {
        var values = [value]
        for step in steps.indices { values.append(Self.next(after: values, step, by: definition)) }
        return values
    }

    /// The value that a step adds to those before it.
    static func next(after values: [Int], _ step: Int, by definition: Definition) -> Int {
        (values.last ?? 0) * 31 % 10_007 + step + definition.program * 101 + definition.parameter * 1_009
    }
}

/// What the steps of a history do: they pay a service that remembers, and fail as often as they are told.
final class HistoryService: Sendable {
    private struct State {
        /// Whoever was charged, by what they asked for.
        var keys: [String: Set<String>] = [:]
        var faults: [String: Int] = [:]
    }

    private let state = Mutex(State())

    /// Charges whoever asks under `key` for `identity`; the same key once.
    func pay(_ key: String, for identity: String) {
        state.withLock { _ = $0.keys[identity, default: []].insert(key) }
    }

    /// The keys that were charged, by what was asked for.
    var keys: [String: Set<String>] { state.withLock { $0.keys } }

    /// Has the named steps fail as often as the numbers say.
    func plan(faults: [String: Int]) { state.withLock { $0.faults = faults } }

    /// Fails when it is planned.
    func failIfPlanned(_ step: String) throws {
        let fails = state.withLock { state in
            guard let left = state.faults[step], left > 0 else { return false }
            state.faults[step] = left - 1
            return true
        }
        if fails { throw ProcessingError(.extraction, "\(step) fails as planned") }
    }
}

extension HistoryContent {
    /// The work of one step on the values before it.
    @Sendable static func work(
        _ step: Int, _ cost: Cost, _ definition: Definition, _ service: HistoryService, _ before: [Int],
        _ context: Context
    ) async throws -> [Int] {
        let name = "\(context.inputID ?? "")/s\(step)"
        switch cost {
        case .nothing: break
        case .charge: try await context.charge("ocr", "page")
        case .call:
            let identity: JSONValue = [.number(Number(before[0])), .number(Number(step))]
            let options = CallOptions(cache: CachePolicy(scope: .global))
            _ = try await context.call("clear", "search", key: identity, options: options) { call in
                service.pay(call.idempotencyKey, for: identity.json)
                return before[0]
            }
        }
        // After the payment, which is the worst moment.
        try service.failIfPlanned(name)
        return before + [next(after: before, step, by: definition)]
    }

    /// The program as one processor with a saved step each, or as a graph with a node each.
    func runnable(_ service: HistoryService, asGraph: Bool) throws -> Runnable {
        let (definition, steps) = (definition, steps)
        guard asGraph else {
            let processor = ClosureProcessor<[Int], [Int]>("history") { input, context in
                var values = input
                for (step, cost) in steps.enumerated() {
                    let before = values
                    values = try await context.step("s\(step)") {
                        try await Self.work(step, cost, definition, service, before, context)
                    }
                }
                return values
            }
            return .processor(try RegisteredProcessor(processor, parameters: definition.json))
        }
        let graph = try Graph("history")
        for (step, cost) in steps.enumerated() {
            let processor = ClosureProcessor<[Int], [Int]>("s\(step)") { input, context in
                try await Self.work(step, cost, definition, service, input, context)
            }
            try graph.add(Node("s\(step)", RegisteredProcessor(processor, parameters: definition.json)))
            if step > 0 { try graph.connect("s\(step - 1)", to: "s\(step)") }
        }
        return .graph(graph, GraphOptions())
    }
}
