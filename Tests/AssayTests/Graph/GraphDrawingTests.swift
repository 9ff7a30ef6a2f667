@testable import Assay
import AssayTesting
import Testing

@Suite("Drawing a graph") struct GraphDrawingTests {
    private func sample() throws -> Graph {
        let graph = try Graph("my_dag", world: .testing())
        try graph.add(.passing("text_processor"))
        try graph.add(.passing("number_processor"))
        try graph.add(.passing("aggregator", inputs: ["text_input", "number_input"]))
        try graph.wire("text_processor -> aggregator:text_input")
        try graph.wire("number_processor -> aggregator:number_input")
        return graph
    }

    private var statuses: [Identifier: Status] {
        get throws {
            [
                try #require(Identifier("text_processor")): .succeeded,
                try #require(Identifier("number_processor")): .failed, try #require(Identifier("aggregator")): .skipped,
            ]
        }
    }

    @Test("as text, by levels")
    func text() throws {
        #expect(
            try sample().drawing().text() == """
                my_dag: 3 nodes, 2 pipes
                level 0: text_processor, number_processor
                level 1: aggregator
                text_processor:output -> aggregator:text_input
                number_processor:output -> aggregator:number_input

                """)
        #expect(try Graph.wired(["a"]).drawing().text() == "g: 1 node, 0 pipes\nlevel 0: a\n")
        #expect(try Graph.wired([]).drawing().text() == "g: 0 nodes, 0 pipes\n")
    }

    @Test("as text, with where nodes stand in a run")
    func statusText() throws {
        let text = try sample().drawing(statuses: statuses).text()
        #expect(text.contains("level 0: text_processor (succeeded), number_processor (failed)\n"))
        #expect(text.contains("level 1: aggregator (skipped)\n"))
    }

    @Test("as Mermaid")
    func mermaid() throws {
        #expect(
            try sample().drawing().mermaid == """
                graph TD
                    n0["text_processor"]
                    n1["number_processor"]
                    n2["aggregator"]
                    n0 -->|"output → text_input"| n2
                    n1 -->|"output → number_input"| n2

                """)
        #expect(GraphDrawing.mermaidText("a \"b\"") == "a #quot;b#quot;")
    }

    @Test("as Mermaid, with the colours of a run")
    func mermaidStatus() throws {
        let text = try sample().drawing(statuses: statuses).mermaid
        #expect(
            text.hasSuffix(
                """
                    classDef succeeded fill:#dafbe1,stroke:#1a7f37
                    class n0 succeeded
                    classDef failed fill:#ffebe9,stroke:#cf222e
                    class n1 failed
                    classDef skipped fill:#fbefff,stroke:#8250df
                    class n2 skipped

                """))
    }

    @Test("as DOT")
    func dot() throws {
        #expect(
            try sample().drawing(statuses: [#require(Identifier("aggregator")): .running]).dot == """
                digraph "my_dag" {
                    node [shape=box, style="rounded,filled", fillcolor="#ffffff"];
                    "text_processor";
                    "number_processor";
                    "aggregator" [fillcolor="#ddf4ff", color="#0969da"];
                    "text_processor" -> "aggregator" [label="output → text_input"];
                    "number_processor" -> "aggregator" [label="output → number_input"];
                }

                """)
    }

    @Test("as a picture with a box per node and a line per pipe")
    func svg() throws {
        let svg = try sample().drawing(statuses: statuses).svg()
        #expect(svg.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\""))
        #expect(svg.hasSuffix("</svg>\n"))
        #expect(svg.split(separator: "<rect").count - 1 == 3)
        #expect(svg.split(separator: "marker-end").count - 1 == 2)
        #expect(svg.contains(">number_processor</text>"))
        #expect(svg.contains("fill=\"#ffebe9\" stroke=\"#cf222e\""))
    }

    @Test("as text or picture only when it is valid, as Mermaid and DOT always")
    func invalid() throws {
        let graph = try Graph.wired(["a", "b"], ["a -> b", "b -> a"])
        for format in [GraphDrawing.Format.text, .svg] {
            #expect(throws: ProcessingError.self) { try graph.drawing().written(as: format) }
        }
        #expect(try graph.drawing().written(as: .mermaid).contains("n1 -->|\"output → input\"| n0"))
        #expect(try graph.drawing().written(as: .dot).contains("\"b\" -> \"a\""))
    }

    @Test("describes itself in figures and names")
    func description() throws {
        let graph = try sample()
        #expect(graph.validate().isEmpty)
        _ = try graph.begin()
        graph.end(.succeeded)
        _ = try graph.begin()
        graph.end(.failed)
        _ = try graph.begin()
        graph.end(nil)
        let expected: JSONValue = [
            "graph_id": "my_dag", "total_processors": 3, "total_connections": 2, "is_validated": true,
            "execution_levels": [["text_processor", "number_processor"], ["aggregator"]],
            "processors": ["text_processor", "number_processor", "aggregator"],
            "connections": [
                ["from": "text_processor:output", "to": "aggregator:text_input"],
                ["from": "number_processor:output", "to": "aggregator:number_input"],
            ],
            "created_at": "2025-03-03T09:15:00Z", "executions": ["total": 2, "successful": 1, "failed": 1],
        ]
        #expect(graph.description.jsonValue == expected)
    }
}
