/// A parser that reads a ``Condition`` from its text in one pass from left to right.
struct ConditionParser {
    private let characters: [Character]
    private let names: [String]
    private var index = 0
    /// The word or sign that was read last, for messages; empty at the beginning.
    private var last = ""
    /// The end of the word or sign that was read last.
    private var end = 0

    /// Creates a parser of `text`, in which paths begin with `names`.
    init(_ text: String, names: [String]) {
        characters = Array(text.prefix(Condition.maximumLength + 1))
        self.names = names
    }

    /// Parses the text into alternatives, each a list of comparisons that must all hold.
    mutating func read() throws(ProcessingError) -> [[Condition.Comparison]] {
        guard characters.count <= Condition.maximumLength else {
            throw Self.error("is longer than \(Condition.maximumLength) characters")
        }
        var alternatives: [[Condition.Comparison]] = [[]]
        while true {
            alternatives[alternatives.count - 1].append(try comparison())
            skipBlanks()
            guard index < characters.count else { return alternatives }
            switch peekWord() {
            case "and": take(3)
            case "or":
                take(2)
                alternatives.append([])
            default: throw expected("'and', 'or' or the end")
            }
        }
    }

    private mutating func comparison() throws(ProcessingError) -> Condition.Comparison {
        skipBlanks()
        let isNegated = peekWord() == "not"
        if isNegated { take(3) }
        let path = try path()
        skipBlanks()
        if peekWord() == "exists" {
            take(6)
            return Condition.Comparison(isNegated: isNegated, path: path, test: .exists)
        }
        let operation = try operation()
        return Condition.Comparison(isNegated: isNegated, path: path, test: .compares(operation, try literal()))
    }

    private mutating func path() throws(ProcessingError) -> Condition.Path {
        skipBlanks()
        let name = peekWord()
        guard let first = name.first, first.isLetter, !["and", "or", "not"].contains(name) else {
            throw expected("a comparison")
        }
        let start = index
        guard names.contains(name) else {
            let ending = Suggestion(for: name, among: names).ending
            throw Self.error("unknown name \(name.quoted), at character \(index + 1)\(ending)")
        }
        take(name.count)
        var steps: [Condition.Path.Step] = []
        while index < characters.count, characters[index] == "." || characters[index] == "[" {
            guard steps.count < Condition.maximumDepth else {
                throw Self.error("more than \(Condition.maximumDepth) keys, at character \(index + 1)")
            }
            steps.append(try characters[index] == "." ? key() : position())
        }
        last = String(characters[start..<index])
        return Condition.Path(name: name, steps: steps)
    }

    private mutating func key() throws(ProcessingError) -> Condition.Path.Step {
        take(1)
        let key = peekWord()
        guard !key.isEmpty else { throw expected("a key") }
        take(key.count)
        return .key(key)
    }

    private mutating func position() throws(ProcessingError) -> Condition.Path.Step {
        take(1)
        let digits = String(characters[index...].prefix { $0.isASCII && $0.isNumber })
        guard let position = Int(digits) else { throw expected("a position") }
        take(digits.count)
        guard index < characters.count, characters[index] == "]" else { throw expected("']'") }
        take(1)
        return .position(position)
    }

    private mutating func operation() throws(ProcessingError) -> Condition.Operation {
        let rest = String(characters[index...].prefix(8))
        // An operator of two characters comes before the one-character operator that it begins with.
        let word = peekWord()
        let found = Condition.Operation.allCases.first { operation in
            operation == .contains ? word == operation.rawValue : rest.hasPrefix(operation.rawValue)
        }
        guard let found else { throw expected("==, !=, <, <=, >, >=, contains or exists") }
        take(found.rawValue.count)
        return found
    }

    private mutating func literal() throws(ProcessingError) -> JSONValue {
        skipBlanks()
        guard index < characters.count else { throw expected(Self.literals) }
        if characters[index] == "'" || characters[index] == "\"" { return .string(try quotedText()) }
        let word = String(characters[index...].prefix { !$0.isWhitespace })
        let value: JSONValue? =
            switch word {
            case "true": true
            case "false": false
            case "null": .null
            default: Number(word).map(JSONValue.number)
            }
        guard let value else { throw expected(Self.literals) }
        take(word.count)
        return value
    }

    private static let literals = "a number, a text in quotes, true, false or null"

    private mutating func quotedText() throws(ProcessingError) -> String {
        let start = index
        let quote = characters[index]
        var text = ""
        var next = index + 1
        while next < characters.count, characters[next] != quote {
            // A backslash makes the next character part of the text, whatever it is.
            if characters[next] == "\\" { next += 1 }
            if next < characters.count { text.append(characters[next]) }
            next += 1
        }
        guard next < characters.count else { throw Self.error("the text has no end, at character \(start + 1)") }
        take(next + 1 - start)
        return text
    }

    // MARK: Steps

    private mutating func skipBlanks() { while index < characters.count, characters[index].isWhitespace { index += 1 } }

    /// Returns the letters, digits, `_` and `-` that come next.
    private func peekWord() -> String {
        String(characters[index...].prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" })
    }

    private mutating func take(_ count: Int) {
        last = String(characters[index..<index + count])
        index += count
        end = index
    }

    /// Returns the error for finding something other than `what`; at the end of the text, it points right after what
    /// was read.
    private func expected(_ what: String) -> ProcessingError {
        let place = characters[index...].allSatisfy(\.isWhitespace) ? end : index
        let after = last.isEmpty ? "" : " after \(last.quoted)"
        return Self.error("expected \(what)\(after), at character \(place + 1)")
    }

    private static func error(_ what: String) -> ProcessingError {
        ProcessingError(.configuration, "condition: \(what)")
    }
}
