import Assay
import AssayTesting
import Testing

@Suite("A condition") struct ConditionTests {
    static let values: JSONObject = [
        "value": [
            "amount": 150, "tiny": .number(exact("0.1")), "name": "ACME", "flag": true, "none": .null,
            "list": [1, "x", ["deep": 2]], "a-b": 1,
        ],
        "input_id": "jan", "attempt": 2, "processor_id": "clean",
    ]

    static func exact(_ text: String) -> Number { Number(text) ?? 0 }

    static let holding = [
        "value.amount > 100", "value.amount >= 150", "value.amount <= 150.0", "value.amount == 1.5e2",
        "value.amount != 151", "value.amount<151", "value.tiny == 0.1", "value.tiny < 0.10000000000000000000001",
        "value.name == 'ACME'", "value.name == \"ACME\"", "value.name contains 'CM'", "value.name < 'B'",
        "value.flag == true", "value.none == null", "value.none exists", "not value.gone exists",
        "value.list[0] == 1", "value.list[2].deep == 2", "value.list contains 'x'", "value.a-b == 1",
        "input_id == 'jan'", "attempt >= 2", "processor_id == 'clean' and attempt == 2",
        "attempt == 9 or attempt == 2", "attempt == 2 or attempt == 9 and attempt == 8",
        "not attempt == 9 and not input_id == 'feb'", "not value.gone == 1", "value.name contains ''",
    ]

    static let failing = [
        "value.amount > 150", "value.amount == '150'", "value.amount != '150'", "value.gone == 1", "value.gone != 1",
        "value.name > 5", "value.flag < true", "value.flag == 1", "value.list[9] == 1", "value.list.x exists",
        "value.name[0] exists", "value.amount contains 1", "value.list contains 7", "attempt == 2 and attempt == 3",
        "not attempt == 2", "value.tiny == 0.10000000000000000001", "value.name contains 'acme'", "value == 1",
    ]

    @Test("holds", arguments: holding) func holds(text: String) throws {
        #expect(try Condition(text, for: .breakpoint).holds(Self.values))
    }

    @Test("does not hold", arguments: failing) func fails(text: String) throws {
        #expect(try !Condition(text, for: .breakpoint).holds(Self.values))
    }

    static let unreadable = [
        ("value > 1 and", "expected a comparison after 'and', at character 14"),
        ("value > 1 and   ", "expected a comparison after 'and', at character 14"),
        ("value > 1 and and", "expected a comparison after 'and', at character 15"),
        ("", "expected a comparison, at character 1"),
        ("(value > 1)", "expected a comparison, at character 1"),
        ("not", "expected a comparison after 'not', at character 4"),
        ("value", "expected ==, !=, <, <=, >, >=, contains or exists after 'value', at character 6"),
        ("value.a = 1", "expected ==, !=, <, <=, >, >=, contains or exists after 'value.a', at character 9"),
        ("value == ", "expected a number, a text in quotes, true, false or null after '==', at character 9"),
        ("value == x", "expected a number, a text in quotes, true, false or null after '==', at character 10"),
        ("value == 1 value", "expected 'and', 'or' or the end after '1', at character 12"),
        ("value. == 1", "expected a key after '.', at character 7"),
        ("value[x] == 1", "expected a position after '[', at character 7"),
        ("value[1 == 1", "expected ']' after '1', at character 8"),
        ("value == 'x", "the text has no end, at character 10"),
        ("valeu == 1", "unknown name 'valeu', at character 1; did you mean 'value'?"),
        ("x == 1", "unknown name 'x', at character 1; known: value, input_id, attempt, processor_id"),
    ]

    @Test("that cannot be read says where and why", arguments: unreadable)
    func refused(text: String, message: String) {
        let error = #expect(throws: ProcessingError.self) { try Condition(text, for: .breakpoint) }
        #expect(error?.message == "condition: " + message)
        #expect(error?.code == .configuration)
    }

    @Test("is of limited length and depth") func limits() throws {
        let deep = { (count: Int) in "value" + String(repeating: ".a", count: count) + " exists" }
        #expect(try !Condition(deep(64), for: .breakpoint).holds(Self.values))
        #expect(throws: ProcessingError.self) { try Condition(deep(65), for: .breakpoint) }
        let long = { (length: Int) in "value == '" + String(repeating: "a", count: length - 11) + "'" }
        #expect(try !Condition(long(4_096), for: .breakpoint).holds(Self.values))
        #expect(throws: ProcessingError.self) { try Condition(long(4_097), for: .breakpoint) }
    }

    @Test("of an alert speaks of the event") func events() throws {
        let condition = try Condition("event.data.retryable == false", for: .alert)
        #expect(condition.holds(["event": ["data": ["retryable": false]]]))
        #expect(!condition.holds(["event": ["data": ["retryable": true]]]))
        #expect(throws: ProcessingError.self) { try Condition("value == 1", for: .alert) }
    }

    @Test("of any text is read or refused", arguments: 0..<8) func mutated(seed: Int) throws {
        var numbers = SeededNumbers(seed: UInt64(seed))
        let pieces = Self.holding + ["'", "\\", "[", "]", ".", "e\u{301}", "\u{0}", "🇨🇭", "999999999999999999999", " "]
        for _ in 0..<500 {
            var text = (pieces.randomElement(using: &numbers) ?? "").map(String.init)
            for _ in 0..<Int.random(in: 0...4, using: &numbers) {
                let place = Int.random(in: 0...text.count, using: &numbers)
                if Bool.random(using: &numbers), place < text.count {
                    text.remove(at: place)
                } else {
                    text.insert(pieces.randomElement(using: &numbers) ?? "", at: place)
                }
            }
            do {
                let condition = try Condition(text.joined(), for: .breakpoint)
                let negated = try? Condition("not " + text.joined(), for: .breakpoint)
                if let negated, negated.description.contains(" and ") == false, !text.joined().contains("or") {
                    #expect(condition.holds(Self.values) != negated.holds(Self.values), "\(condition)")
                }
            } catch {
                #expect(error.message.hasPrefix("condition: "))
            }
        }
    }
}
