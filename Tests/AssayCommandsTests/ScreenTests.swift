import Assay
import AssayCommands
import Testing

@Suite("The live block") struct ProgressBlockTests {
    static let plain = Paint(.never, environment: [:], isTerminal: true)

    static func block(_ succeeded: Int, _ failed: Int, of total: Int, failures: [ProgressBlock.Failure] = [])
        -> ProgressBlock
    {
        var counts = Counts(total: total)
        (counts.succeeded, counts.failed) = (succeeded, failed)
        return ProgressBlock(
            counts: counts, cached: 2, cost: MoneySum(billionths: 10_100_000_000), elapsed: .seconds(10),
            failures: failures)
    }

    @Test("shows counts, rate, time left and money")
    func lines() {
        let lines = Self.block(48, 2, of: 100, failures: [.init(inputID: "jan", text: "extraction: no\u{1B} text")])
            .lines(width: 80, paint: Self.plain)
        #expect(
            lines == [
                String(repeating: "█", count: 20) + String(repeating: "░", count: 20) + " 50%  50 of 100",
                "48 done  2 failed  2 cached  5.0/s  10s left  10.10 USD",
                "failed jan: extraction: no\\u{1b} text",
            ])
    }

    @Test("never fills a line, however narrow the terminal is", arguments: [1, 2, 10, 20, 30, 40, 79, 300])
    func narrow(width: Int) {
        let failures = [ProgressBlock.Failure(inputID: "a/long/path.ofx", text: String(repeating: "漢", count: 200))]
        for block in [Self.block(48, 2, of: 100, failures: failures), Self.block(0, 0, of: 5)] {
            #expect(block.lines(width: width, paint: Self.plain).allSatisfy { $0.columns < max(width, 2) })
        }
    }

    @Test("is erased by as many rows as a terminal of that width made of it")
    func erasing() {
        for (columns, rows) in [(40, 2), (10, 4), (7, 5)] {
            let sink = CollectingSink(columns: columns)
            let screen = Screen(sink)
            screen.show([String(repeating: "a", count: 20), String(repeating: "b", count: 12)])
            screen.say("message")
            #expect(sink.text.contains("\r\u{1B}[\(rows)A\u{1B}[Jmessage\n"))
        }
    }

    @Test("leaves nothing behind")
    func cleared() {
        let sink = CollectingSink(columns: 80)
        let screen = Screen(sink)
        screen.show([])
        #expect(sink.text.isEmpty)
        screen.show(["one"])
        screen.show([])
        #expect(sink.text == "one\n\r\u{1B}[1A\u{1B}[J")
    }

    @Test(
        "has colours when the user and the terminal want them",
        arguments: [
            (ColorChoice.auto, [:], true, true), (.auto, [:], false, false), (.auto, ["NO_COLOR": "1"], true, false),
            (.auto, ["NO_COLOR": ""], true, true), (.always, ["NO_COLOR": "1"], false, true),
            (.never, [:], true, false),
            (.auto, ["TERM": "dumb"], true, false),
        ] as [(ColorChoice, [String: String], Bool, Bool)])
    func colors(choice: ColorChoice, environment: [String: String], isTerminal: Bool, expected: Bool) {
        #expect(Paint(choice, environment: environment, isTerminal: isTerminal).isOn == expected)
    }
}
