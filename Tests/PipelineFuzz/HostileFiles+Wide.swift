extension HostileFiles {
    /// Files with so many of something that looking at each for each would take long.
    static func wide(_ count: Int) -> [File] {
        func ids(_ number: Int, in place: String = "n") -> String { String(repeating: place, count: 110) + "\(number)" }
        func list(_ count: Int, _ line: (Int) -> String) -> String { (0..<count).map { "  - \(line($0))\n" }.joined() }
        func nodes(_ count: Int, _ more: String = "") -> String {
            "processors:\n"
                + list(count) { "{processor_id: \(ids($0)), processor_type: simple\(more)}" }
        }
        let function = ", parameters: {function: strip}"
        func pipes(_ count: Int, _ from: (Int) -> String, _ to: (Int) -> String, _ input: String = "input") -> String {
            "connections:\n"
                + list(count) {
                    "{from_processor: \(from($0)), from_output: output, to_processor: \(to($0)), to_input: \(input)}"
                }
        }
        let some = count / 3
        func yaml(_ name: String, _ text: String) -> File { (name, Array(text.utf8), "yaml") }
        return [
            yaml("many nodes that know no function", nodes(count)),
            yaml(
                "many nodes with one name",
                "processors:\n" + list(count) { _ in "{processor_id: a, processor_type: simple}" }),
            yaml(
                "many types with mistakes",
                "processors:\n" + list(count) { "{processor_id: a\($0), processor_type: simpel}" }),
            yaml("a chain", nodes(some, function) + pipes(some - 1, { ids($0) }, { ids($0 + 1) })),
            yaml("a circle", nodes(some, function) + pipes(some, { ids($0) }, { ids(($0 + 1) % some) })),
            yaml("circles of two", nodes(some, function) + pipes(some, { ids($0) }, { ids($0 ^ 1) })),
            yaml("circles of one", nodes(some, function) + pipes(some, { ids($0) }, { ids($0) })),
            yaml("all into one", nodes(some, function) + pipes(some, { ids($0) }, { _ in ids(0) })),
            yaml("the same connection", nodes(some, function) + pipes(some, { _ in ids(0) }, { _ in ids(1) })),
            yaml("unknown ends", nodes(some, function) + pipes(some, { ids($0, in: "m") }, { ids($0) })),
            yaml("unknown ports", nodes(some, function) + pipes(some, { ids($0) }, { ids(($0 + 1) % some) }, ids(1))),
            yaml(
                "many ports",
                "processors:\n  - {processor_id: a, processor_type: simple, parameters: {function: strip}, input_pipes: ["
                    + (0..<count).map { ids($0) }.joined(separator: ", ") + "]}\n"
                    + pipes(some, { _ in "a" }, { _ in "a" }, ids(count + 1))),
            yaml(
                "unknown breakpoints",
                nodes(some, function) + "breakpoints:\n" + list(count) { "{processor_id: \(ids($0, in: "m"))}" }),
            yaml(
                "breakpoints",
                nodes(some, function) + "breakpoints:\n" + list(count) { "{processor_id: \(ids($0 % some))}" }),
            yaml(
                "unknown taps",
                nodes(some / 2, function) + pipes(some / 2 - 1, { ids($0) }, { ids($0 + 1) }) + "taps:\n"
                    + list(some) { "{pipe: \"\(ids($0, in: "m")):output->\(ids($0 + 1)):input\", to: log}" }),
            yaml(
                "many alerts",
                "processors: []\nalerts:\n" + list(count) { "{name: \(ids($0)), condition: value == \($0)}" }),
            yaml(
                "many alert programs",
                "processors: []\nalerts:\n" + list(some) { "{name: a\($0), action: {command: [pyton\($0)]}}" }),
            yaml(
                "many prices",
                "processors: []\nprices: {services: {a: {\n" + (0..<count).map { "\(ids($0)): \($0),\n" }.joined()
                    + "}}}\n"),
            yaml(
                "many dated prices",
                "processors: []\nprices: {services: {a: {b: [\n"
                    + (0..<some).map { "{price: 1, effective_from: \(2_000 + $0)-01-01},\n" }.joined() + "]}}}\n"),
            yaml("many items", "processors: []\nitems:\n" + list(count) { "{input_id: \(ids($0)), data: \($0)}" }),
            yaml("many budgets", "processors: []\nbudget:\n" + list(count) { "{limit: -\($0), name: \(ids($0))}" }),
            yaml(
                "many strategies",
                "processors: []\nerror_strategy:\n  type: composite\n  strategies:\n"
                    + list(count) { _ in "{type: retyr}" }.split(separator: "\n").map { "  \($0)\n" }.joined()),
            yaml(
                "strategies within each other",
                "processors: []\nerror_strategy: " + String(repeating: "{type: composite, strategies: [", count: 30)
                    + "{type: skip}" + String(repeating: "]}", count: 30) + "\n"),
            yaml("many unknown keys", "processors: []\n" + (0..<count).map { "\(ids($0)): 1\n" }.joined()),
            yaml("one key many times", "processors: []\n" + (0..<count).map { _ in "\(ids(1)): 1\n" }.joined()),
            yaml(
                "many variables",
                "processors: [{processor_id: a, processor_type: simple, parameters: {function: \""
                    + (0..<count).map { "${V\($0)}" }.joined() + "\"}}]\n"),
            yaml(
                "many headers",
                "processors: [{processor_id: a, processor_type: http, parameters: {url: \"https://x/\", headers: {"
                    + (0..<count).map { "h\($0): v, " }.joined() + "}}}]\n"),
            yaml(
                "many words of a program",
                "processors: [{processor_id: a, processor_type: command, parameters: {command: [sh, "
                    + (0..<count).map { "./a\($0), " }.joined() + "]}}]\n"),
        ]
    }
}
