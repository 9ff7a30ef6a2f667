import Assay

/// The built-in type `data_filter`: keeps the values of one kind.
struct DataFilter: Processor {
    /// The values to keep; booleans are not numbers.
    enum Condition: String, CaseIterable {
        case numbersOnly = "numbers_only"
        case stringsOnly = "strings_only"
        case all

        func keeps(_ value: JSONValue) -> Bool {
            switch (self, value) {
            case (.all, _), (.numbersOnly, .number), (.stringsOnly, .string): true
            default: false
            }
        }
    }

    let name: String
    let transforms = false
    let condition: Condition

    static func read(_ name: String, _ parameters: MapReader) -> RegisteredProcessor? {
        let word = parameters["condition"].map { $0.word("condition", as: Condition.self) }
        guard let condition = word ?? Condition.all else { return nil }
        var processor = try? RegisteredProcessor(DataFilter(name: name, condition: condition))
        // Null is not a value of the other kinds, so it can mean no output.
        if condition != .all { processor?.givesOutput = { (try? $0.json()) != .null } }
        return processor
    }

    var costsOfAnyInput: [ExpectedCost]? { [] }

    /// Returns the matching values of a list. Any other value is returned itself if it matches, else null.
    func extract(_ input: JSONValue, in context: Context) -> JSONValue {
        if let list = input.array { return .array(list.filter(condition.keeps)) }
        return condition.keeps(input) ? input : .null
    }
}
