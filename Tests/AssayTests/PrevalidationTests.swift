import Assay
import AssayTesting
import Testing

@Suite("Prevalidation") struct PrevalidationTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var items: [Item]
        var message: String
        var failed = 0
    }

    static let scope = Scope(accountID: ExternalID("acc_1"), underwritingID: ExternalID("uw_1"))

    static let cases: [Case] = [
        Case(
            testDescription: "no identifier", items: [item("a"), item("")], message: "item 2 has no input_id", failed: 1
        ),
        Case(
            testDescription: "control character", items: [item("a\nb")],
            message: "input_id of item 1 must be 1 byte to 1 KiB of text without control characters"),
        Case(
            testDescription: "used twice", items: [item("doc_1"), item("b"), item("c"), item("doc_1")],
            message: "input_id 'doc_1' is used by items 1 and 4", failed: 3),
        Case(
            testDescription: "another account", items: [item("a"), item("b", account: "acc_2")],
            message: "account_id of 'b' must be 'acc_1', found 'acc_2'", failed: 1),
        Case(
            testDescription: "no account", items: [item("a", account: nil)],
            message: "account_id of 'a' must be 'acc_1', found none"),
        Case(
            testDescription: "another underwriting", items: [item("a", underwriting: "uw_2")],
            message: "underwriting_id of 'a' must be 'uw_1', found 'uw_2'"),
        Case(
            testDescription: "a payload that is no map", items: [item("a", payload: [1])],
            message: "payload of 'a' must be a map, found a list"),
        Case(
            testDescription: "a payload of another run", items: [item("a", payload: ["run_id": "run_8"])],
            message: "payload of 'a' is of run 'run_8', but the previous run is 'run_7'"),
        Case(
            testDescription: "the first of several", items: [item("a"), item("a"), item("")],
            message: "input_id 'a' is used by items 1 and 2", failed: 1),
    ]

    static func item(
        _ id: String, account: String? = "acc_1", underwriting: String? = "uw_1", payload: JSONValue? = nil
    ) -> Item {
        Item(id, 1, accountID: account, underwritingID: underwriting, payload: payload)
    }

    @Test("refuses the list at its first fault and names it", arguments: cases) func refused(_ test: Case) async throws
    {
        let processor = StepProcessor()
        let report = try await Engine.testing().run(
            processor, items: test.items,
            options: .with {
                $0.scope = Self.scope
                $0.previousRunID = Identifier("run_7")
            })
        #expect(report.status == .failed)
        #expect(report.error?.code == .prevalidation)
        #expect(report.error?.exception == "PrevalidationError")
        #expect(report.error?.step == "prevalidation")
        #expect(report.error?.phase == .preprocessing)
        #expect(report.error?.message == test.message)
        #expect(processor.calls.inOrder == [])
        for outcome in report.outcomes {
            switch outcome.index {
            case ..<test.failed: #expect(outcome.reason == .preprocessingStopped)
            case test.failed: #expect(outcome.status == .failed && outcome.error?.message == test.message)
            default: #expect(outcome.reason == .notReached)
            }
        }
    }

    @Test("compares an execution that the scope sets, not one that is only named") func execution() async throws {
        let execution = try #require(Identifier("exec_1"))
        let refused = try await Engine.testing().run(
            StepProcessor(), items: [Item("a", 1)], options: .with { $0.scope.executionID = execution })
        #expect(refused.error?.message == "execution_id of 'a' must be 'exec_1', found none")
        #expect(refused.executionID == execution)

        let named = try await Engine.testing().run(
            StepProcessor(), items: [Item("a", 1)], options: .with { $0.executionID = execution })
        #expect(named.success)
        #expect(named.executionID == execution)
    }

    @Test("ids that the scope does not set are not compared") func unset() async throws {
        let items = [Item("a", 1, accountID: "acc_1"), Item("b", 1, accountID: "acc_2"), Item("c", 1)]
        #expect(try await Engine.testing().run(StepProcessor(), items: items).success)
    }

    @Test("two spellings of a letter are two identifiers") func bytes() async throws {
        let items = [Item("caf\u{E9}", 1), Item("cafe\u{301}", 2)]
        #expect(try await Engine.testing().run(StepProcessor(), items: items).success)
    }

    @Test("bare values are named by position") func names() async throws {
        let report = try await Engine.testing().run([7, 8, 9]) { (input: Int, context: Context) in context.inputID }
        #expect(try report.outputs(as: String?.self) == ["item_1", "item_2", "item_3"])
        #expect(report.outcomes.map(\.inputID) == ["item_1", "item_2", "item_3"])
    }

    @Test(
        "an item's JSON has data and known keys",
        arguments: [
            ("[]", "item 3 must be a map with a key 'data' or 'file', found a list"),
            (#"{"input_id": "a"}"#, "item 3 has neither 'data' nor 'file'"),
            (
                #"{"data": 1, "color": 2}"#,
                "item 3 has the unknown key 'color'; known: account_id, data, execution_id, file, input_id, payload, slot, underwriting_id"
            ), (#"{"data": 1, "input_id": 7}"#, "input_id of item 3 must be text, found a number"),
        ])
    func itemJSON(json: String, message: String) throws {
        let error = #expect(throws: ProcessingError.self) { try Item(json: JSONValue(json: json), position: 3) }
        #expect(error?.message == message)
        #expect(error?.code == .prevalidation)
    }

    @Test("an item's JSON gives all its parts, and a name by position") func itemParts() throws {
        let full = try Item(
            json: JSONValue(
                json:
                    #"{"input_id": "a", "account_id": "b", "underwriting_id": "c", "execution_id": "d", "payload": {}, "data": null}"#
            ), position: 1)
        #expect([full.id, full.accountID, full.underwritingID, full.executionID] == ["a", "b", "c", "d"])
        #expect(full.payload == [:])
        #expect(try full.data.json() == .null)
        #expect(try Item(json: ["data": 1], position: 4).id == "item_4")
    }
}
