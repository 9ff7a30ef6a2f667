import Assay
import Testing

@testable import AssayPipelines

@Suite("The line protocol") struct ConversationTests {
    /// Lines of a program, `ID` for the live id, and what is to be done about the last of them.
    typealias Row = (lines: [String], action: Conversation.Action)

    private static func broken(_ reason: String) -> Conversation.Action { .broken(reason) }

    static let understood: [Row] = [
        ([#"{"id":"ID","output":null}"#], .end(.output(.null))),
        ([#"{"id":"ID","output":{"a":[1.50]},"more":1}"#], .end(.output(["a": [.number(Number("1.50")!)]]))),
        ([#"{"id":"ID","error":{}}"#], .end(.failed(.init()))),
        (
            [#"{"id":"ID","error":{"code":"api","message":"no","retryable":false,"exception":"E","trace":[]}}"#],
            .end(.failed(.init(code: "api", message: "no", retryable: false, exception: "E")))
        ),
        (
            [#"{"id":"ID","charge":{"service":"ocr","operation":"page","quantity":2.5,"ref":null}}"#],
            .broken(
                #"a line of the program has the unknown key 'ref' in 'charge': {"id":"ID","charge":{"service":"ocr","operation":"page","quantity":2.5,"ref":null}}"#
            )
        ),
        (
            [#"{"id":"ID","charge":{"service":"ocr","operation":"page"}}"#],
            .ask(.charge(.init(service: "ocr", operation: "page")), ref: nil)
        ),
        (
            [
                #"{"id":"ID","ref":"1","charge":{"service":"s","operation":"o","cost":0.10,"key":"k","incurred":true,"metadata":{"a":1}}}"#
            ],
            .ask(
                .charge(
                    .init(
                        service: "s", operation: "o", cost: Number("0.10")!, key: "k", incurred: true,
                        metadata: ["a": 1])), ref: "1")
        ),
        (
            [#"{"id":"ID","ref":"1","call":{"service":"s","operation":"o","key":{"n":1},"maximum_cost":5.00}}"#],
            .ask(.call(.init(service: "s", operation: "o", key: ["n": 1], maximumCost: 5)), ref: "1")
        ),
        ([#"{"id":"ID","ref":"1","step":"fetch"}"#], .ask(.step("fetch"), ref: "1")),
        (
            [#"{"id":"ID","checkpoint":{"step":"fetch","value":null}}"#],
            .ask(.checkpoint(step: "fetch", value: .null), ref: nil)
        ),
        ([#"{"id":"ID","emit":[1]}"#], .ask(.emit([1]), ref: nil)),
        ([#"{"id":"ID","heartbeat":true}"#], .ask(.heartbeat, ref: nil)),
        ([#"{"id":"ID","log":{"message":"hi"}}"#], .log(.said(level: "info", "hi"))),
        ([#"{"id":"ID","log":{"level":"error","message":"hi"}}"#], .log(.said(level: "error", "hi"))),
    ]

    static let own: [[String]] = [
        [""], ["hello"], ["[1]"], ["1"], [#"{"output":1}"#], [#"{"id":"other","output":1}"#], [#"{"id":1,"output":1}"#],
        ["{"], ["{\u{1B}[31m"], ["q ID"], ["traceback: \"ID\""],
        // A second end: the first stands.
        [#"{"id":"ID","output":1}"#, #"{"id":"ID","output":2}"#],
        [#"{"id":"ID","error":{}}"#, #"{"id":"ID","output":2}"#],
        [#"{"id":"ID","output":1}"#, #"{"id":"ID","outp"#],
    ]

    static let breaches: [(lines: [String], reason: String)] = [
        (
            [#"{"id":"ID"}"#],
            "has none of the keys call, charge, checkpoint, emit, error, heartbeat, log, output, settle, step"
        ),
        ([#"{"id":"ID","output":1,"error":{}}"#], "has several keys: error, output"),
        ([#"{"id":"ID","error":"no"}"#], "has a 'error' that is not a map"),
        ([#"{"id":"ID","error":{"code":5}}"#], "has a 'code' in 'error' that is not text"),
        ([#"{"id":"ID","error":{"retryable":"yes"}}"#], "has a 'retryable' in 'error' that is not true or false"),
        ([#"{"id":"ID","charge":{"operation":"o"}}"#], "has no 'service' in 'charge'"),
        (
            [#"{"id":"ID","charge":{"service":"s","operation":"o","cost":"1"}}"#],
            "has a 'cost' in 'charge' that is not a number"
        ),
        ([#"{"id":"ID","call":{"service":"s","operation":"o"}}"#], "has a 'call' without 'ref'"),
        (
            [#"{"id":"ID","ref":"1","call":{"service":"s","operation":"o","maximum_costs":1}}"#],
            "has the unknown key 'maximum_costs' in 'call'"
        ),
        ([#"{"id":"ID","ref":"1","settle":{}}"#], "settles a call that is not open: unknown ref '1'"),
        ([#"{"id":"ID","settle":{}}"#], "settles a call that is not open, and has no 'ref'"),
        (
            [
                #"{"id":"ID","ref":"1","call":{"service":"s","operation":"o"}}"#,
                #"{"id":"ID","ref":"1","settle":{}}"#,
            ], "settles a call that is not open: unknown ref '1'"
        ),
        ([#"{"id":"ID","step":"a"}"#], "has a 'step' without 'ref'"),
        (
            [#"{"id":"ID","ref":"1","step":"a/b"}"#],
            "has a 'step' that is not 1 to 128 letters, digits, '.', '_' or '-'"
        ),
        (
            [#"{"id":"ID","ref":"1","step":"a"}"#, #"{"id":"ID","ref":"1","step":"b"}"#],
            "uses the ref '1', which is still in use"
        ),
        ([#"{"id":"ID","ref":1,"step":"a"}"#], "has a 'ref' that is not a text of at most 1 KiB"),
        ([#"{"id":"ID","checkpoint":{"step":"a"}}"#], "has a 'checkpoint' without 'step' or 'value'"),
        ([#"{"id":"ID","heartbeat":1}"#], "has a 'heartbeat' that is not true"),
        ([#"{"id":"ID","log":"hi"}"#], "has a 'log' that is not a map"),
        // Meant as an answer, and no JSON that Assay reads: nobody would wait for another one.
        ([#"{"id":"ID","output":1,"output":2}"#], "is not valid JSON: "),
        ([#"{"id":"ID","output":"# + String(repeating: "[", count: 65)], "is not valid JSON: "),
    ]

    private func receive(_ lines: [String]) -> Conversation.Action? {
        var conversation = Conversation(id: "ID")
        return lines.map { conversation.receive(Array($0.utf8)) }.last
    }

    @Test("says what is to be done about a line", arguments: understood)
    func lines(row: Row) { #expect(receive(row.lines) == row.action) }

    @Test("does not believe lines without a live id, nor a second end", arguments: own)
    func ownOutput(lines: [String]) { #expect(receive(lines) == .log(.own(lines[lines.count - 1]))) }

    @Test("quotes the beginning of a line that breaks it", arguments: breaches)
    func breach(lines: [String], reason: String) {
        guard case .broken(let message) = receive(lines) else {
            Issue.record("\(lines) does not break the protocol")
            return
        }
        #expect(message.hasPrefix("a line of the program \(reason)"))
        #expect(message.hasSuffix(": " + lines[lines.count - 1].prefix(200)))
    }

    @Test("lets a call be settled once it may go on, and its ref be used again then")
    func calls() {
        var conversation = Conversation(id: "ID")
        func receive(_ line: String) -> Conversation.Action { conversation.receive(Array(line.utf8)) }
        let call = #"{"id":"ID","ref":"1","call":{"service":"s","operation":"o"}}"#
        _ = receive(call)
        conversation.open(call: "1")
        conversation.answered("1")
        let settle = receive(
            #"{"id":"ID","ref":"1","settle":{"outcome":"failed","cost":1,"value":null,"metadata":{"a":1}}}"#)
        #expect(settle == .settle(.init(outcome: .failed, cost: 1, value: .null, metadata: ["a": 1]), ref: "1"))
        #expect(receive(call) == .ask(.call(.init(service: "s", operation: "o")), ref: "1"))
    }

    @Test("takes any bytes without harm")
    func bytes() {
        for seed in 0..<2_000 {
            var conversation = Conversation(id: "ID")
            var state = UInt64(seed) &* 6_364_136_223_846_793_005 &+ 1
            let line = (0..<(seed % 64)).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt8(truncatingIfNeeded: state >> 56)
            }
            _ = conversation.receive(line)
        }
    }
}
