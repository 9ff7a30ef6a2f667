@testable import Assay
import AssayTesting
import Testing

@Suite("Values in a graph") struct GraphValueTests {
    private func json(_ payloads: [Payload?]) throws -> [JSONValue?] { try payloads.map { try $0?.json() } }

    private func feed(_ graph: Graph, _ data: JSONValue) throws -> [JSONValue?] {
        try json(graph.wiring.feed(Payload(json: data), of: "doc_1"))
    }

    // MARK: Feeding

    @Test(
        "one source gets the data, or what is under its name when that is the only key",
        arguments: [
            ("hello", "hello"), (["a": 5], 5), (["a": 5, "b": 6], ["a": 5, "b": 6]), (["b": 6], ["b": 6]),
            (["a": .null], .null), ([], []), (.null, .null),
        ] as [(JSONValue, JSONValue)])
    func oneSource(data: JSONValue, value: JSONValue) throws {
        #expect(try feed(Graph.wired(["a"]), data) == [value])
        #expect(try feed(Graph.wired(["a", "b"], ["a -> b"]), data) == [value])
    }

    @Test("typed values reach one source as they are")
    func typed() throws {
        let wiring = try Graph.wired(["a"]).wiring
        #expect(try json(wiring.feed(Payload(7), of: "x")) == [7])
        #expect(try json(wiring.feed(Payload(["a": 7]), of: "x")) == [7])
        #expect(try json(wiring.feed(Payload([1, 2]), of: "x")) == [[1, 2]])
    }

    private func twoSources(_ inputs: Node.Inputs = .requireAll) throws -> Graph {
        let graph = try Graph.wired(["text", "number"]) { $0.missingInputs = inputs }
        try graph.add(.passing("sum", inputs: ["left", "right"]).with { $0.missingInputs = inputs })
        for wire in ["text -> sum:left", "number -> sum:right"] { try graph.wire(wire) }
        return graph
    }

    @Test("several sources get what is under their names")
    func severalSources() throws {
        #expect(try feed(twoSources(), ["number": 5, "text": ["text": "hello"]]) == [["text": "hello"], 5])
    }

    @Test(
        "data that does not fit several sources is refused with the nearest name",
        arguments: [
            (["text": 1, "nubmer": 2], "data of 'doc_1' names the unknown source 'nubmer'; did you mean 'number'?"),
            (["text": 1], "data of 'doc_1' has no value for the source 'number'"),
            ("hello", "data of 'doc_1' must be a map by source (text, number), found text"),
            ([1], "data of 'doc_1' must be a map by source (text, number), found a list"),
        ] as [(JSONValue, String)])
    func misfit(data: JSONValue, message: String) throws {
        let graph = try twoSources()
        #expect(refusal { try feed(graph, data) } == "prevalidation: \(message)")
    }

    @Test("a missing source that allows missing inputs gets nothing")
    func missingSource() throws {
        #expect(try feed(twoSources(.allowMissing), ["text": 1]) == [1, nil])
    }

    @Test("a source with several inputs takes a map by input")
    func ports() throws {
        func graph(_ inputs: Node.Inputs) throws -> Graph {
            let graph = try Graph("g")
            try graph.add(.passing("a", inputs: ["left", "right"]).with { $0.missingInputs = inputs })
            return graph
        }
        #expect(try feed(graph(.requireAll), ["left": 1, "right": 2]) == [["left": 1, "right": 2]])
        #expect(try feed(graph(.requireAll), ["a": ["left": 1, "right": 2]]) == [["left": 1, "right": 2]])
        #expect(try feed(graph(.allowMissing), ["left": 1]) == [["left": 1]])
        for (data, message) in [
            (["left": 1], "data of 'doc_1' has no value for input 'right' of the source 'a'"),
            (
                ["left": 1, "rihgt": 2],
                "data of 'doc_1' for the source 'a' names the unknown input 'rihgt'; did you mean 'right'?"
            ),
            (5, "data of 'doc_1' for the source 'a' must be a map by input (left, right), found a number"),
        ] as [(JSONValue, String)] {
            #expect(refusal { try feed(graph(.requireAll), data) } == "prevalidation: \(message)")
        }
    }

    @Test("an empty graph takes anything")
    func empty() throws { #expect(try feed(Graph.wired([]), "whatever") == []) }

    // MARK: Routing

    @Test("one declared output gets the whole value, maps too")
    func oneOutput() throws {
        let wiring = try Graph.wired(["a"]).wiring
        #expect(try json(wiring.route(Payload(json: ["output": 1]), from: 0)) == [["output": 1]])
    }

    @Test(
        "several declared outputs are routed by key, or all get the whole value",
        arguments: [
            (["left": 1], [1, nil]), (["right": .null], [nil, .null]), (["left": 1, "right": 2], [1, 2]),
            (["left": 1, "other": 2], [["left": 1, "other": 2], ["left": 1, "other": 2]]), ([:], [[:], [:]]),
            (5, [5, 5]), (["left"], [["left"], ["left"]]),
        ] as [(JSONValue, [JSONValue?])])
    func severalOutputs(value: JSONValue, ports: [JSONValue?]) throws {
        let graph = try Graph("g")
        try graph.add(.passing("a", outputs: ["left", "right"]))
        #expect(try json(graph.wiring.route(Payload(json: value), from: 0)) == ports)
    }

    // MARK: Joining

    private func flow(_ graph: Graph) -> (ItemFlow, Wiring, [[Int]]) {
        let wiring = graph.wiring
        return (ItemFlow(wiring), wiring, wiring.nodes.indices.map { wiring.resultPorts(of: $0) })
    }

    private func gave(_ value: JSONValue) -> ItemFlow.End { .gave([Payload(json: value)]) }

    @Test("a join waits for all its ports, whichever comes first")
    func join() throws {
        for order in [[0, 1], [1, 0]] {
            var (flow, wiring, results) = flow(try twoSources())
            #expect(flow.end(order[0], gave(1), in: wiring, results: results).ready.isEmpty)
            #expect(flow.end(order[1], gave(2), in: wiring, results: results).ready == [2])
        }
    }

    @Test("a node with one input gets the bare value, one with several a map by port")
    func inputs() throws {
        var (flow, wiring, results) = flow(try twoSources())
        _ = flow.end(0, gave("x"), in: wiring, results: results)
        _ = flow.end(1, gave(5), in: wiring, results: results)
        let values = flow.takeInput(of: 2, in: wiring)
        #expect(try wiring.input(of: 2, from: values).json() == ["left": "x", "right": 5])
        let row = try Graph.wired(["a", "b"], ["a -> b"]).wiring
        #expect(try row.input(of: 1, from: [Payload(json: [1])]).json() == [1])
    }

    @Test(
        "a join whose ports do not all come is skipped, or starts with what there is",
        arguments: [
            (Node.Inputs.requireAll, ItemFlow.End.failed, true, nil, Outcome.Reason.upstreamFailed),
            (.requireAll, .gave([nil]), true, nil, .notRouted),
            (.allowMissing, .failed, true, ["left": "x"], nil),
            (.allowMissing, .gave([nil]), true, ["left": "x"], nil),
            (.allowMissing, .failed, false, nil, .upstreamFailed),
            (.allowMissing, .gave([nil]), false, nil, .notRouted),
        ] as [(Node.Inputs, ItemFlow.End, Bool, JSONValue?, Outcome.Reason?)])
    func partialJoin(
        inputs: Node.Inputs, end: ItemFlow.End, leftComes: Bool, input: JSONValue?, reason: Outcome.Reason?
    ) throws {
        for order in [[0, 1], [1, 0]] {
            var (flow, wiring, results) = flow(try twoSources(inputs))
            let ends = [leftComes ? gave("x") : .gave([nil]), end]
            _ = flow.end(order[0], ends[order[0]], in: wiring, results: results)
            let last = flow.end(order[1], ends[order[1]], in: wiring, results: results)
            #expect(last.skipped.map(\.reason) == (reason.map { [$0] } ?? []))
            #expect(last.ready == (reason == nil ? [2] : []))
            if let input {
                let values = flow.takeInput(of: 2, in: wiring)
                #expect(try wiring.input(of: 2, from: values).json() == input)
            }
        }
    }

    @Test("what is skipped for a failure skips what is behind it, down to the results")
    func skipping() throws {
        var (flow, wiring, results) = flow(try Graph.wired(["a", "b", "c"], ["a -> b", "b -> c"]))
        let after = flow.end(0, .failed, in: wiring, results: results)
        #expect(after.skipped.map(\.node) == [1, 2])
        #expect(after.skipped.allSatisfy { $0.reason == .upstreamFailed })
        #expect(flow.unfinished == 0)
        #expect(flow.lacking == [2])
        #expect(ItemFlow.responsible(for: flow.lacking, among: [0], isSkipped: { $0 > 0 }, in: wiring) == [0])
    }

    @Test("what is not routed lacks nothing")
    func notRouted() throws {
        let graph = try Graph("g")
        try graph.add(.passing("split", outputs: ["left", "right"]))
        for name in ["l", "r"] { try graph.add(.passing(name)) }
        for wire in ["split:left -> l", "split:right -> r"] { try graph.wire(wire) }
        var (flow, wiring, results) = flow(graph)
        let routed = try wiring.route(Payload(json: ["left": 1]), from: 0)
        let after = flow.end(0, .gave(routed), in: wiring, results: results)
        #expect(after.ready == [1])
        #expect(after.skipped.map(\.node) == [2] && after.skipped.map(\.reason) == [.notRouted])
        _ = flow.end(1, gave(1), in: wiring, results: results)
        #expect(flow.lacking.isEmpty)
        #expect(try flow.resultMap(in: wiring).json() == ["l:output": 1])
    }

    @Test("an appending port gets the list of its values in order of connection, without those that are missing")
    func append() throws {
        for (inputs, rightEnd, expected) in [
            (.requireAll, gave("r"), ["l", "r"] as JSONValue?), (.requireAll, .failed, nil),
            (.allowMissing, .failed, ["l"]),
        ] as [(Node.Inputs, ItemFlow.End, JSONValue?)] {
            let graph = try Graph.wired(["l", "r", "c"], ["l -> c", "r -> c"]) {
                $0.appending = Set($0.inputs)
                $0.missingInputs = inputs
            }
            var (flow, wiring, results) = flow(graph)
            _ = flow.end(1, rightEnd, in: wiring, results: results)
            let last = flow.end(0, gave("l"), in: wiring, results: results)
            #expect(last.ready == (expected == nil ? [] : [2]))
            guard let expected else { continue }
            let values = flow.takeInput(of: 2, in: wiring)
            #expect(try wiring.input(of: 2, from: values).json() == expected)
        }
    }

    @Test("fan-out gives every pipe the value")
    func fanOut() throws {
        var (flow, wiring, results) = flow(try Graph.wired(["a", "b", "c"], ["a -> b", "a -> c"]))
        #expect(flow.end(0, gave(7), in: wiring, results: results).ready == [1, 2])
        for node in [1, 2] {
            let values = flow.takeInput(of: node, in: wiring)
            #expect(try wiring.input(of: node, from: values).json() == 7)
        }
    }
}
