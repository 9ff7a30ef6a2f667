import Assay
import Testing

/// What the README shows of the library besides the quick start, as it stands there.
@Suite("The README") struct ReadmeTests {
    private let engine = Engine.testing()
    private let documents = ["to be", "or not", "to be"]

    private struct WordCount: Processor {
        let name = "word_count"
        func extract(_ text: String, in context: Context) -> Int { text.split(separator: " ").count }
    }

    @Test("folds batches") func batches() async throws {
        let processor = WordCount()
        let scores = try engine.batches(processor, over: documents, batching: Batching(size: 50, isParallel: true))
        let total = try await scores.fold(Int.self, from: 0, +)
        #expect(total == 6)
    }

    @Test("submits to a queue and invokes") func queue() async throws {
        let score = try RegisteredProcessor(WordCount())
        let queue = try await ExecutionQueue(
            engine, QueueConfiguration(capacity: 10, refreshTime: .seconds(1)), processors: [score])
        let execution = try await queue.submit(Submission(score.name, over: documents))
        let report = try await queue.invoke(execution.id)
        #expect(try report.outputs(as: Int.self) == [2, 2, 2])
    }

    @Test("wires a graph") func graph() async throws {
        let graph = try Graph("check")
        try graph.add(try Node("words", WordCount()))
        try graph.add(try Node("letters") { (text: String) in text.count })
        try graph.add(try Node("read") { (text: String) in text.lowercased() })
        try graph.add(try Node("join", inputs: ["words", "letters"]) { (counts: [String: Int]) in counts })
        try graph.connect("read", to: "words")
        try graph.connect("read", to: "letters")
        try graph.connect("words", to: "join", "words")
        try graph.connect("letters", to: "join", "letters")
        let checked = try await engine.run(graph, over: ["to be or not to be"])
        #expect(
            try checked.outputs(as: [String: [String: Int]].self) == [["join:output": ["words": 6, "letters": 18]]])
        #expect(try graph.drawing().text().hasPrefix("check: 4 nodes, 4 pipes"))
    }
}
