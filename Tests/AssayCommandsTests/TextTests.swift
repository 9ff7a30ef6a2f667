import AssayCommands
import Testing

@Suite("Text on a terminal") struct TextTests {
    @Test(
        "is made safe, whatever the data says",
        arguments: [
            ("plain", "plain"), ("größe 漢字", "größe 漢字"), ("a\u{1B}[31mb", "a\\u{1b}[31mb"),
            ("a\nb\tc\r", "a\\nb\\tc\\r"),
            ("\u{9B}2J", "\\u{9b}2J"), ("\u{202E}gpj.exe", "\\u{202e}gpj.exe"), ("\u{7F}", "\\u{7f}"),
        ])
    func safe(text: String, expected: String) { #expect(text.safe == expected) }

    @Test("keeps its value when JSON is made safe")
    func safeJSON() { #expect("{\"a\":\"\u{9B}2J\u{202E}ü\"}\n".safeJSON == "{\"a\":\"\\u009b2J\\u202eü\"}\n") }

    @Test(
        "takes the columns it is given",
        arguments: [
            ("abc", 5, "abc"), ("abcdef", 5, "abcd…"), ("漢字漢字", 5, "漢字…"), ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
            ("abc", 0, ""), ("", 0, ""),
        ])
    func cut(text: String, width: Int, expected: String) {
        #expect(text.cut(toColumns: width) == expected)
        #expect(text.cut(toColumns: width).columns <= width)
    }

    @Test(
        "says numbers and durations briefly",
        arguments: [
            (0, "0", "0ms"), (999, "999", "999ms"), (1_000, "1,000", "1.0s"), (59_900, "59,900", "59s"),
            (70_000, "70,000", "1m 10s"), (7_500_000, "7,500,000", "2h 5m"), (273_600_000, "273,600,000", "3d 4h"),
        ])
    func brief(milliseconds: Int, grouped: String, duration: String) {
        #expect(milliseconds.grouped == grouped)
        #expect(Duration.milliseconds(milliseconds).brief == duration)
    }

    @Test(
        "is read as a duration only with its unit",
        arguments: [
            ("30s", 30_000), ("250ms", 250), ("1.5m", 90_000), ("7d", 604_800_000), ("30", nil), ("-1s", nil),
            ("0s", nil),
            ("s", nil), ("1e9d", nil), ("", nil),
        ] as [(String, Int?)])
    func duration(text: String, milliseconds: Int?) {
        #expect(Duration(text: text) == milliseconds.map { .milliseconds($0) })
    }
}

@Suite("A table") struct TableTests {
    static let table = {
        var table = TextTable([.flexible("NAME"), .number("COUNT"), .flexible("TEXT")])
        table.rows = [["a", "1", "short"], ["a rather long name", "12,345", "a text that is longer than all others"]]
        return table
    }()

    @Test("is as wide as its rows when nothing limits it")
    func wide() {
        #expect(
            Self.table.lines() == [
                "NAME                 COUNT  TEXT",
                "a                        1  short",
                "a rather long name  12,345  a text that is longer than all others",
            ])
    }

    @Test("cuts flexible columns, the widest first", arguments: [30, 40, 50, 60, 200])
    func narrow(width: Int) {
        let lines = Self.table.lines(width: width)
        #expect(lines.allSatisfy { $0.columns <= width })
        #expect(lines[2].contains("12,345"))
    }

    @Test("cuts other texts too where that is not enough, and never numbers", arguments: [40, 50, 60])
    func narrower(width: Int) {
        var table = TextTable([.text("RUN"), .number("ITEMS"), .text("STARTED"), .flexible("NAME")])
        table.rows = [["5e6e05ee-37da-44d6-aefa-1a3be91f3b34", "12,345", "2025-03-01T09:15:00.000Z", "short"]]
        let lines = table.lines(width: width)
        #expect(lines.allSatisfy { $0.columns <= width })
        #expect(lines[1].hasPrefix("5e6e") && lines[1].contains("12,345"))
    }

    @Test("makes what data says safe")
    func escapes() {
        var table = TextTable([.text("A"), .text("B")])
        table.rows = [["\u{1B}[2J", "漢"]]
        #expect(table.lines() == ["A          B", "\\u{1b}[2J  漢"])
    }
}
