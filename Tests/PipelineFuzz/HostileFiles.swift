/// Files that were made to cost whoever reads them more than they cost their author.
enum HostileFiles {
    typealias File = (name: String, bytes: [UInt8], format: String)

    private static let maximum = 1_048_576

    /// All of them; small ones for a program that was not built for speed.
    static func all(isSmall: Bool) -> [File] {
        let size = isSmall ? 1_024 : maximum
        return expanding + filled(size) + numbers(isSmall ? 500 : 100_000) + wide(isSmall ? 30 : 3_000) + bytes
            + long(size)
    }

    private static func yaml(_ name: String, _ text: String) -> File { (name, Array(text.utf8), "yaml") }
    private static func json(_ name: String, _ text: String) -> File { (name, Array(text.utf8), "json") }
    private static func times(_ count: Int, _ line: (Int) -> String) -> String { (0..<count).map(line).joined() }

    // MARK: What grows when it is expanded

    private static var expanding: [File] {
        let merges = times(24) { "a\($0 + 1): &a\($0 + 1)\n  <<: [*a\($0), *a\($0)]\n" }
        let aliases = times(9) { level in
            "a\(level + 1): &a\(level + 1) [" + Array(repeating: "*a\(level)", count: 10).joined(separator: ", ")
                + "]\n"
        }
        return [
            yaml("alias bomb", "a0: &a0 [x]\n" + aliases),
            yaml(
                "key bomb",
                "a0: &a0 {x: y}\n" + times(20) { "a\($0 + 1): &a\($0 + 1) {? *a\($0) : 1, ? [*a\($0)] : 2}\n" }),
            yaml("merge bomb", "a0: &a0 {x: y}\n" + merges),
            yaml("alias to itself", "a: &a [*a]\n"),
            yaml("list as a key", "? [a, b]\n: c\n"), yaml("map as a key", "{a: b}: c\n"),
            yaml("tags", "!!python/object:os.system {a: !!int '1', b: !<tag:x> c}\n"),
            yaml("tag directives", times(2_000) { "%TAG !t\($0)! tag:x,\($0):\n" } + "---\na: b\n"),
            yaml("second document", "processors: []\n---\nprocessors: []\n"),
        ]
    }

    // MARK: One thing again and again

    private static func filled(_ size: Int) -> [File] {
        let units = [
            "&a ", "!a ", "? ", "- ", "[", "{", "\"", "'", "|\n", "# c\n", "...\n", "---\n", ": ", "\u{0}", "\t", "*a ",
            "<<: ", "a", "é", "a:\n ", "{\"a\":", "[]", "{}", ",", "\n", "\r", "\u{2028}", "a: ", "\"\\u0000", "1", "-",
            "[a, ", "{a, ", "- - ", "? a\n: ", "a: b\n", "\"a\\\n", "%a ", "@", "0.", "1e", "${A}", "${", "$${",
            "e\u{301}",
        ]
        return units.flatMap { unit in
            let text = String(repeating: unit, count: size / unit.utf8.count)
            return [
                yaml("filled with \(unit.debugDescription)", text),
                json("filled with \(unit.debugDescription)", text),
                // Behind a key that wants something.
                yaml("processors of \(unit.debugDescription)", "processors: " + text.prefix(size - 20)),
            ]
        }
    }

    // MARK: Numbers

    private static func numbers(_ digits: Int) -> [File] {
        let numbers = [
            "1e999999999", "-1e999999999", "1e-999999999", "1e6144", "1e-6144", "1e6145", "0e999999999",
            String(repeating: "9", count: digits), "0." + String(repeating: "0", count: digits) + "1",
            "1e" + String(repeating: "9", count: digits), "99999999999999999999999999999999999999e6144",
            "-99999999999999999999999999999999999999e-6144",
        ]
        let keys = [
            "timeout: %", "max_in_flight: %", "budget: {limit: %}", "budget: {limit: 1, warn_at: %}",
            "on_failure: {tolerate: %}", "runner: {type: thread, max_workers: %}",
            "error_strategy: {type: retry, max_retries: %}", "error_strategy: {type: retry, initial_delay: %}",
            "error_strategy: {type: retry, backoff_multiplier: %}", "error_strategy: {type: skip, max_skips: %}",
            "alerts: [{name: a, cooldown: %}]", "timeout: %s", "prices: {services: {a: {b: %}}}", "version: %",
            "monitoring: {max_events: %}", "items: [{data: %}]", "queue: {capacity: %}", "batch: {size: %}",
            "breakpoints: [{processor_id: a, condition: value > %}]",
        ]
        return numbers.prefix(digits < 1_000 ? 4 : .max).flatMap { number in
            keys.map { key in
                let line = key.split(separator: "%", omittingEmptySubsequences: false).joined(separator: number)
                return yaml(
                    "\(key) with \(number.prefix(20))",
                    "processors: [{processor_id: a, processor_type: simple, parameters: {function: multiply, "
                        + "multiplier: \(number)}}]\n\(line)\n")
            }
        }
    }

    // MARK: Bytes that are no text

    private static var bytes: [File] {
        let line = Array("processors: []\n".utf8)
        let files: [(String, [UInt8])] = [
            ("nothing", []), ("a byte order mark", [0xEF, 0xBB, 0xBF] + line),
            ("UTF-16", [0xFF, 0xFE, 0x61, 0, 0x3A, 0]),
            ("a NUL", line + [0] + line), ("half a letter", line + [0xC3]), ("no UTF-8", line + [0xFF, 0xFE, 0xFD]),
            ("a surrogate", line + [0xED, 0xA0, 0x80]), ("overlong", line + [0xC0, 0xAF]),
            ("carriage returns", line.map { $0 == 10 ? 13 : $0 } + line),
            ("an escape", line + [0x1B, 0x5B, 0x32, 0x4A]),
        ]
        return files.flatMap { [("yaml of " + $0.0, $0.1, "yaml"), ("json of " + $0.0, $0.1, "json")] }
    }

    // MARK: Long texts

    private static func long(_ size: Int) -> [File] {
        let text = String(repeating: "k", count: size / 2)
        let unknown = times(size / 200) { "u\($0): 1, " }
        return [
            yaml("a long key", "\(text): 1\nprocessors: []\n"),
            yaml("a long key with many unknown ones", "breakers: {\"\(text)\": {\(unknown)}}\nprocessors: []\n"),
            yaml(
                "long keys within each other",
                String(repeating: "{\(text.prefix(size / 128)): ", count: 60) + "1" + String(repeating: "}", count: 60)),
            yaml("a long processor_id", "processors: [{processor_id: \(text), processor_type: simple}]\n"),
            yaml("a long type", "processors: [{processor_id: a, processor_type: \(text)}]\n"),
            yaml(
                "a long condition",
                "processors: []\nalerts: [{name: a, condition: \"\(String(repeating: "not ", count: size / 8))\"}]\n"),
            yaml(
                "a long address",
                "processors: [{processor_id: a, processor_type: http, parameters: {url: \"https://x/\(text)\"}}]\n"),
            yaml(
                "a long host",
                "processors: [{processor_id: a, processor_type: http, parameters: {url: \"https://\(text)/\"}}]\n"),
            yaml(
                "a long bad address", "alerts: [{name: a, action: {webhook: \"https://[\(text)\"}}]\nprocessors: []\n"),
            yaml(
                "a long command",
                "processors: [{processor_id: a, processor_type: command, parameters: {command: [\(text)]}}]\n"),
            yaml("a long price file", "prices: \(text)\nprocessors: []\n"),
            yaml(
                "long accents", "processors: [{processor_id: \"\(String(repeating: "e\u{301}", count: size / 6))\"}]\n"),
            yaml(
                "a folded text",
                "description: >\n" + String(repeating: "  a\n\n", count: size / 10) + "processors: []\n"),
            yaml("escapes", "description: \"" + String(repeating: "\\x41", count: size / 8) + "\"\nprocessors: []\n"),
        ]
    }
}
