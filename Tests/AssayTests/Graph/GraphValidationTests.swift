@testable import Assay
import Testing

@Suite("Validating a graph") struct GraphValidationTests {
    private func messages(_ nodes: [String], _ wires: [String]) throws -> [String] {
        try Graph.wired(nodes, wires).validate().map(\.message)
    }

    @Test(
        "finds cycles, written from their first inserted node",
        arguments: [
            (["a", "b"], ["a -> b", "b -> a"], ["a -> b -> a"]),
            (["a", "b"], ["b -> a", "a -> b"], ["a -> b -> a"]),
            (["x", "a", "b"], ["x -> a", "b -> a", "a -> b"], ["a -> b -> a"]),
            (["a", "b", "c"], ["c -> a", "a -> b", "b -> c"], ["a -> b -> c -> a"]),
            (
                ["a", "b", "c", "d"], ["c -> d", "d -> c", "a -> b", "b -> a"],
                ["a -> b -> a", "c -> d -> c"]
            ),
            (["a", "b"], ["a -> a", "a -> b"], ["a -> a"]),
        ])
    func cycles(nodes: [String], wires: [String], found: [String]) throws {
        let problems = try Graph.wired(nodes, wires).validate().filter { $0.kind == .cycle }
        #expect(problems.map(\.message) == found.map { "graph contains a cycle: \($0)" })
    }

    @Test("proposes to remove the pipe that closes a cycle")
    func cycleFix() throws {
        let problem = try #require(try Graph.wired(["a", "b"], ["a -> b", "b -> a"]).validate().first)
        #expect(problem.node?.text == "a")
        #expect(problem.connection == 1)
        #expect(problem.fix == "remove the connection b:output->a:input")
    }

    @Test("wants every node connected, unless it is the only one")
    func unconnected() throws {
        #expect(try messages(["a", "b", "c"], ["a -> b"]) == ["node 'c' is not connected to any other node"])
        #expect(try messages(["a"], []) == [])
        #expect(try messages([], []) == [])
    }

    @Test("wants one pipe per input, unless the port appends")
    func several() throws {
        let graph = try Graph.wired(["a", "b", "c"], ["a -> c", "b -> c"])
        let problem = try #require(graph.validate().first)
        #expect(
            problem.message
                == "input 'input' of node 'c' has 2 connections (a:output, b:output); set merge: append or use two ports"
        )
        #expect(problem.fix == "set merge: append or use two ports")
        let appending = try Graph.wired(["a", "b", "c"], ["a -> c", "b -> c"]) { $0.appending = Set($0.inputs) }
        #expect(appending.validate().isEmpty)
    }

    @Test("refuses the same connection twice, and says so once")
    func duplicates() throws {
        #expect(
            try messages(["a", "b"], ["a -> b", "a -> b", "a -> b"]) == ["connection a:output->b:input is given twice"])
    }

    @Test("wants all inputs of a node connected once some are, unless it allows missing ones")
    func missing() throws {
        func graph(_ inputs: Node.Inputs) throws -> Graph {
            let graph = try Graph.wired(["a"])
            try graph.add(Node.passing("c", inputs: ["left", "right"]).with { $0.missingInputs = inputs })
            try graph.wire("a -> c:left")
            return graph
        }
        #expect(try graph(.requireAll).validate().map(\.message) == ["input 'right' of node 'c' has no connection"])
        #expect(try graph(.allowMissing).validate().isEmpty)
    }

    @Test("lists problems by kind and then by order of insertion")
    func order() throws {
        let graph = try Graph.wired(["z", "y", "p", "q", "m", "t"])
        try graph.add(.passing("j", inputs: ["left", "right"]))
        for wire in ["p -> q", "q -> p", "m -> j:left", "m -> j:left", "t -> t"] { try graph.wire(wire) }
        #expect(
            graph.validate().map(\.message) == [
                "graph contains a cycle: p -> q -> p", "graph contains a cycle: t -> t",
                "node 'z' is not connected to any other node", "node 'y' is not connected to any other node",
                "node 't' is not connected to any other node", "connection m:output->j:left is given twice",
                "input 'right' of node 'j' has no connection",
            ])
    }

    @Test("refuses levels and runs of an invalid graph with the list of problems")
    func refused() throws {
        let graph = try Graph.wired(["a", "b", "c"], ["a -> b", "b -> a"])
        do {
            _ = try graph.levels()
            Issue.record("levels of an invalid graph")
        } catch {
            #expect(error.code == .graph)
            #expect(error.graphProblems == graph.validate())
            #expect(error.message == "graph 'g' is not valid: graph contains a cycle: a -> b -> a (and 1 more)")
        }
        #expect(throws: ProcessingError.self) { try graph.begin() }
    }

    @Test("is asked for again after a change")
    func again() throws {
        let graph = try Graph.wired(["a", "b"], ["a -> b"])
        #expect(!graph.description.isValidated)
        #expect(graph.validate().isEmpty)
        #expect(graph.description.isValidated)
        try graph.add(.passing("c"))
        #expect(!graph.description.isValidated)
        #expect(graph.validate().count == 1)
        #expect(!graph.description.isValidated)
    }

    @Test("has levels by the longest way from the sources, each in order of insertion")
    func levels() throws {
        let diamond = try Graph.wired(["a", "b", "c"], ["a -> b", "a -> c"])
        try diamond.add(.passing("d", inputs: ["left", "right"]))
        for wire in ["b -> d:left", "c -> d:right"] { try diamond.wire(wire) }
        #expect(try diamond.levels().map { $0.map(\.text) } == [["a"], ["b", "c"], ["d"]])
        #expect(try Graph.wired([]).levels().isEmpty)
        let late = try Graph.wired(["z", "s", "m"], ["s -> m", "m -> z"])
        #expect(try late.levels().map { $0.map(\.text) } == [["s"], ["m"], ["z"]])
    }

    @Test("accepts 10,000 nodes in a row and refuses one more")
    func limit() throws {
        let names = (0...Wiring.maximumNodes).map { "n\($0)" }
        let graph = try Graph("long")
        for name in names.dropLast() { try graph.add(.passing(name)) }
        for (from, to) in zip(names, names.dropFirst()).dropLast() { try graph.connect(from, to: to) }
        #expect(graph.validate().isEmpty)
        #expect(try graph.levels().count == 10_000)
        try graph.add(.passing(names[10_000]))
        try graph.connect(names[9_999], to: names[10_000])
        #expect(graph.validate().map(\.message) == ["graph has 10001 nodes; at most 10000 are allowed"])
    }

    @Test("finds a cycle of 10,000 nodes without running out of stack, and shows its ends")
    func longCycle() throws {
        let names = (0..<10_000).map { "n\($0)" }
        let graph = try Graph("round")
        for name in names { try graph.add(.passing(name)) }
        for (from, to) in zip(names, names.dropFirst() + [names[0]]) { try graph.connect(from, to: to) }
        let problem = try #require(graph.validate().first)
        #expect(problem.message.hasPrefix("graph contains a cycle: n0 -> n1 -> n2 -> "))
        #expect(
            problem.message.hasSuffix(
                " -> … -> n9981 -> n9982 -> n9983 -> n9984 -> n9985 -> n9986 -> n9987 -> n9988 -> n9989 -> n9990 -> n9991 -> n9992 -> n9993 -> n9994 -> n9995 -> n9996 -> n9997 -> n9998 -> n9999 -> n0"
            ))
    }

    @Test("refuses more than 100,000 pipes")
    func pipes() throws {
        let graph = try Graph.wired((0..<400).map { "s\($0)" }) { $0.appending = Set($0.inputs) }
        for target in 0..<251 {
            try graph.add(try Node.passing("t\(target)").with { $0.appending = Set($0.inputs) })
            for source in 0..<400 { try graph.connect("s\(source)", to: "t\(target)") }
        }
        #expect(graph.validate().map(\.message) == ["graph has 100400 pipes; at most 100000 are allowed"])
    }
}
