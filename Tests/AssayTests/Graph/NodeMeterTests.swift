import AssayTesting
import Metrics
import MetricsTestKit
import Testing

@testable import Assay

@Suite("Meters of nodes") struct NodeMeterTests {
    @Test("have the documented names and dimensions") func names() throws {
        let factory = TestMetrics()
        let graph = try Graph.wired(["a", "b"], ["a -> b"])
        let meters = try #require(NodeMeters(graph.wiring, of: graph.id, factory: factory))
        var passage = Passage.Node(graph.nodes[1].id, status: .failed)
        (passage.attempts, passage.duration, passage.cost) = (3, .milliseconds(20), "2")
        meters.count(passage, at: 1)
        meters.count(Passage.Node(graph.nodes[1].id, status: .succeeded), at: 1)
        let ofNode = [("graph", "g"), ("processor", "b")]
        func total(_ label: String, _ dimensions: [(String, String)]) throws -> Int64 {
            try factory.expectCounter(label, dimensions).totalValue
        }
        #expect(try total("assay_node_items_total", ofNode + [("status", "failed")]) == 1)
        #expect(try total("assay_node_items_total", ofNode + [("status", "succeeded")]) == 1)
        #expect(try total("assay_node_attempts_total", ofNode) == 3)
        #expect(try total("assay_node_cost_total", ofNode) == 2)
        #expect(try factory.expectTimer("assay_node_duration_seconds", ofNode).values == [20_000_000])
        #expect(try total("assay_node_attempts_total", [("graph", "g"), ("processor", "a")]) == 0)
    }

    @Test("are not made where nobody keeps them") func none() throws {
        let graph = try Graph.wired(["a"])
        #expect(NodeMeters(graph.wiring, of: graph.id, factory: NOOPMetricsHandler.instance) == nil)
    }
}
