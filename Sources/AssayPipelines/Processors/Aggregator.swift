import Assay

/// The built-in type `aggregator`: the number of values or their sum.
struct Aggregator: Processor {
    /// The operation on the values.
    enum Operation: String, CaseIterable {
        case count, sum
    }

    let name: String
    let transforms = false
    let operation: Operation

    static func read(_ name: String, _ parameters: MapReader) -> RegisteredProcessor? {
        let word = parameters["operation"].map { $0.word("operation", as: Operation.self) }
        guard let operation = word ?? Operation.count else { return nil }
        return try? RegisteredProcessor(Aggregator(name: name, operation: operation))
    }

    var costsOfAnyInput: [ExpectedCost]? { [] }

    func extract(_ input: JSONValue, in context: Context) throws -> Number {
        let values = input.array ?? input.object?.members.map(\.value) ?? [input]
        guard operation == .sum else { return Number(values.count) }
        return try values.reduce(0) { sum, value in
            guard let number = value.number else {
                throw ProcessingError(.validation, "sum needs numbers, found \(value.word)")
            }
            guard let next = sum.adding(number) else {
                throw ProcessingError(.validation, "the sum has more than 38 digits")
            }
            return next
        }
    }
}
