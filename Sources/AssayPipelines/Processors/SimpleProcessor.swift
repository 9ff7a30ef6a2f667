import Assay

/// The built-in type `simple`: one small function of one value.
struct SimpleProcessor: Processor {
    /// The function of a value.
    enum Function: String, CaseIterable {
        case passthrough, uppercase, lowercase, strip, multiply
    }

    let name: String
    let transforms = false
    let function: Function
    let multiplier: Number

    static func read(_ name: String, _ parameters: MapReader) -> RegisteredProcessor? {
        let function = parameters.required("function")?.word("function", as: Function.self)
        let multiplier = parameters["multiplier"]?.number() ?? 2
        guard let function else { return nil }
        return try? RegisteredProcessor(SimpleProcessor(name: name, function: function, multiplier: multiplier))
    }

    var costsOfAnyInput: [ExpectedCost]? { [] }

    func extract(_ input: JSONValue, in context: Context) throws -> JSONValue {
        switch function {
        case .passthrough: input
        case .uppercase: .string(try input.requiredText(for: "uppercase").uppercased())
        case .lowercase: .string(try input.requiredText(for: "lowercase").lowercased())
        case .strip: .string(try input.requiredText(for: "strip").trimmed)
        case .multiply: .number(try product(input))
        }
    }

    private func product(_ input: JSONValue) throws -> Number {
        guard let number = input.number else {
            throw ProcessingError(.validation, "multiply needs a number, found \(input.word)")
        }
        // The product as written by hand, with trailing zeros; without them if there is no room.
        guard
            let product = Self.product(number, multiplier) ?? Self.product(number.reduced, multiplier.reduced)
        else { throw ProcessingError(.validation, "\(number) × \(multiplier) has more than 38 digits") }
        return product
    }

    private static func product(_ left: Number, _ right: Number) -> Number? {
        let (coefficient, overflow) = left.coefficient.multipliedReportingOverflow(by: right.coefficient)
        return overflow ? nil : Number(coefficient: coefficient, exponent: left.exponent + right.exponent)
    }
}

/// The built-in type `text_transformer`: one transformation of a text.
struct TextTransformer: Processor {
    /// The transformation of a text.
    enum Transformation: String, CaseIterable {
        case uppercase, lowercase, reverse, length, none
    }

    let name: String
    let transforms = false
    let transformation: Transformation

    static func read(_ name: String, _ parameters: MapReader) -> RegisteredProcessor? {
        let word = parameters["transformation"].map { $0.word("transformation", as: Transformation.self) }
        guard let transformation = word ?? Transformation.none else { return nil }
        return try? RegisteredProcessor(TextTransformer(name: name, transformation: transformation))
    }

    var costsOfAnyInput: [ExpectedCost]? { [] }

    func extract(_ input: JSONValue, in context: Context) throws -> JSONValue {
        let text = try input.requiredText(for: "text_transformer")
        return switch transformation {
        case .uppercase: .string(text.uppercased())
        case .lowercase: .string(text.lowercased())
        case .reverse: .string(String(text.reversed()))
        case .length: .number(Number(text.count))
        case .none: input
        }
    }
}

extension JSONValue {
    /// Returns the text; throws the failure of the item if the value is not text.
    fileprivate func requiredText(for function: String) throws(ProcessingError) -> String {
        guard let string else { throw ProcessingError(.validation, "\(function) needs text, found \(word)") }
        return string
    }

    /// The kind of value in one word.
    var word: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .number: "number"
        case .string: "text"
        case .array: "list"
        case .object: "map"
        }
    }
}

extension String {
    /// The text without white space at either end.
    fileprivate var trimmed: String {
        let start = drop(while: \.isWhitespace)
        guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...last])
    }
}
