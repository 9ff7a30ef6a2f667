@testable import Assay
import AssayTesting
import Testing

@Suite("Building a graph") struct GraphBuildingTests {
    @Test("refuses a second node of one name")
    func twice() throws {
        let graph = try Graph.wired(["a"])
        #expect(refusal { try graph.add(.passing("a")) } == "exists: processor_id 'a' is already in graph 'g'")
    }

    @Test("makes pipes with a name and a capacity of 1000")
    func pipes() throws {
        let graph = try Graph.wired(["a", "b"])
        let pipe = try graph.connect("a", to: "b")
        #expect(pipe.name == "a:output->b:input")
        #expect(pipe.capacity == 1_000)
        #expect(graph.connections == [pipe])
    }

    @Test(
        "names unknown nodes and ports and the nearest",
        arguments: [
            (["transfrom", "output", "b", "input"], "graph: unknown processor 'transfrom'; did you mean 'transform'?"),
            (["transform", "out", "b", "input"], "graph: processor 'transform' has no output 'out'; known: output"),
            (
                ["transform", "outputt", "b", "input"],
                "graph: processor 'transform' has no output 'outputt'; did you mean 'output'?"
            ),
            (
                ["transform", "output", "b", "inptu"],
                "graph: processor 'b' has no input 'inptu'; did you mean 'input'?"
            ),
            (["transform", "output", "c", "input"], "graph: unknown processor 'c'; did you mean 'b'?"),
        ])
    func unknown(ends: [String], message: String) throws {
        let graph = try Graph.wired(["transform", "b"])
        #expect(refusal { try graph.connect(ends[0], ends[1], to: ends[2], ends[3]) } == message)
    }

    @Test("refuses a capacity below 1")
    func capacity() throws {
        let graph = try Graph.wired(["a", "b"])
        #expect(
            refusal { try graph.connect("a", to: "b", capacity: 0) }
                == "configuration: capacity must be at least 1, found 0")
    }

    @Test("removes a node with its pipes and answers false for one that is not there")
    func remove() throws {
        let graph = try Graph.wired(["a", "b", "c"], ["a -> b", "b -> c", "a -> c"])
        #expect(try graph.remove("b"))
        #expect(try !graph.remove("b"))
        #expect(graph.nodes.map(\.id.text) == ["a", "c"])
        #expect(graph.connections.map(\.name) == ["a:output->c:input"])
        #expect(graph.validate().isEmpty)
        #expect(try graph.levels().map { $0.map(\.text) } == [["a"], ["c"]])
    }

    @Test("refuses every change while the graph runs")
    func running() throws {
        let graph = try Graph.wired(["a", "b"], ["a -> b"])
        _ = try graph.begin()
        let changes: [() throws -> Void] = [
            { try graph.add(.passing("c")) }, { try graph.connect("a", to: "b") }, { try graph.remove("a") },
            { _ = try graph.begin() },
        ]
        for change in changes {
            #expect(refusal(of: change)?.hasPrefix("already_running: graph 'g' is running") == true)
        }
        graph.end(.succeeded)
        #expect(try graph.remove("a"))
    }

    @Test("makes up a name when none is given")
    func generated() {
        #expect(Graph(world: .testing()).id.text == "id-1")
    }

    @Test(
        "refuses names that are none",
        arguments: [
            ("a:b", ["input"], ["output"], "configuration: processor_id 'a:b' may only contain"),
            ("", ["input"], ["output"], "configuration: processor_id '' may only contain"),
            ("a", ["in put"], ["output"], "configuration: input port 'in put' may only contain"),
            ("a", ["x", "x"], ["output"], "configuration: node 'a' has the input port 'x' twice"),
            ("a", [], ["output"], "configuration: node 'a' needs at least one input port"),
            ("a", ["input"], [], "configuration: node 'a' needs at least one output port"),
        ])
    func names(id: String, inputs: [String], outputs: [String], message: String) {
        let said = refusal { try Node.passing(id, inputs: inputs, outputs: outputs) }
        #expect(said?.hasPrefix(message) == true, "\(said ?? "nothing")")
    }

    @Test("refuses settings out of their range when the node is added")
    func settings() throws {
        let changes: [((inout Node) -> Void, String)] = [
            ({ $0.concurrency = 0 }, "concurrency of node 'a' must be at least 1, found 0"),
            ({ $0.timeout = .zero }, "timeout of node 'a' must be greater than 0, found 0 s"),
            ({ $0.maxCrashes = 0 }, "max_crashes of node 'a' must be at least 1, found 0"),
        ]
        for (change, message) in changes {
            let node = try Node.passing("a").with(change)
            #expect(refusal { try Graph("g").add(node) } == "configuration: \(message)")
        }
    }

    @Test("the standard settings of a node are the documented ones")
    func defaults() throws {
        let node = try Node.passing("a")
        #expect(node.inputs.map(\.text) == ["input"] && node.outputs.map(\.text) == ["output"])
        #expect(node.concurrency == 10 && node.timeout == .seconds(3_600) && node.maxCrashes == 3)
        #expect(node.missingInputs == .requireAll && node.appending.isEmpty && node.runner == nil)
    }

    @Test("nodes are made of functions, synchronous or not, and of processors")
    func kinds() throws {
        let graph = try Graph("g")
        try graph.add(try Node("sync") { (text: String) in text.uppercased() })
        try graph.add(
            try Node("async") { (text: String) async throws in
                await Task.yield()
                return text
            })
        try graph.add(try Node("asking") { (text: String, context: Context) in "\(context.processorID) \(text)" })
        try graph.add(try Node("other", ClosureProcessor("named") { (text: String, _) in text }))
        #expect(graph.nodes.map(\.id.text) == ["sync", "async", "asking", "other"])
        #expect(graph.node("other")?.processor.name.text == "named")
        #expect(graph.node("none") == nil)
    }

    @Test("shapes: a row, parallel branches with a join, a diamond")
    func shapes() throws {
        let row = try Graph.linear("row", { (text: String) in text }, { (text: String) in text })
        #expect(row.connections.map(\.name) == ["step1:output->step2:input"])
        let parallel = try Graph.parallel(
            "parallel", branches: [.passing("x"), .passing("y")], aggregator: .passing("sum"))
        #expect(
            parallel.connections.map(\.name) == [
                "source:output->x:input", "source:output->y:input", "x:output->sum:input_0",
                "y:output->sum:input_1",
            ])
        let open = try Graph.parallel("open", branches: [.passing("x"), .passing("y")])
        #expect(try open.levels().map { $0.map(\.text) } == [["source"], ["x", "y"]])
        let diamond = try Graph.diamond(
            "diamond", splitter: .passing("a"), left: .passing("b"), right: .passing("c"), joiner: .passing("d"))
        #expect(
            diamond.connections.map(\.name) == [
                "a:left->b:input", "a:right->c:input", "b:output->d:left", "c:output->d:right",
            ])
        for graph in [row, parallel, open, diamond] { #expect(graph.validate().isEmpty) }
    }
}
