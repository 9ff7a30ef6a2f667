import ArgumentParser
import Assay

/// Flags of the commands that may pause a graph.
package struct BreakFlags: ParsableArguments {
    @Option(
        name: .customLong("break"),
        help: ArgumentHelp(
            "Pause before a node of a graph, on every input or where a condition holds, for example "
                + "pay:'value.amount > 100'; may be repeated.",
            valueName: "node[:condition]"))
    var breaks: [String] = []

    package init() {}

    /// Sets the breakpoints in a graph.
    ///
    /// - Throws: ``CommandFailure`` for a node that is not in the graph, an invalid condition, or a single processor.
    func apply(to work: inout Runnable) throws {
        guard !breaks.isEmpty else { return }
        guard case .graph(let graph, var options) = work else {
            throw CommandFailure.usage("--break is for graphs; this pipeline runs one processor")
        }
        for text in breaks {
            let (name, condition) = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).pair
            guard let node = graph.node(name) else {
                let ending = Nearest.ending(for: name, among: graph.nodes.map(\.id.text))
                throw CommandFailure.usage("--break: unknown processor '\(name.safe)'\(ending)")
            }
            do {
                let parsed: Condition? =
                    if let condition { try Condition(condition, for: .breakpoint) } else { nil }
                options.breakpoints.append(try Breakpoint(node.id, condition: parsed))
            } catch {
                throw CommandFailure.usage("--break \(text.safe): \(error.message)")
            }
        }
        work = .graph(graph, options)
    }
}

extension Array where Element == Substring {
    /// The first element and the second, if there is one.
    fileprivate var pair: (String, String?) { (String(self[0]), count > 1 ? String(self[1]) : nil) }
}
