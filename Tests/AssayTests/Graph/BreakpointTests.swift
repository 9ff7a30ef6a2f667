import Assay
import AssayTesting
import Testing

/// A run that does nothing but ask.
private final class Rehearsal {
    private(set) var breakpoints: Breakpoints

    init(_ breakpoints: Breakpoint...) { self.breakpoints = Breakpoints(breakpoints) }

    var state: Breakpoints.State { breakpoints.state }
    var all: [Breakpoint] { breakpoints.all }
    func arrives(_ start: NodeStart) -> Bool { breakpoints.arrives(start) }
    func ended(_ node: Identifier, _ item: String) { breakpoints.ended(node, item) }
    func resume() throws -> [NodeStart] { try breakpoints.resume() }
    func step() throws -> NodeStart { try breakpoints.step() }
    func set(_ breakpoint: Breakpoint) { breakpoints.set(breakpoint) }
    func disable(_ node: Identifier) -> Bool { breakpoints.enable(false, at: node) }
    func remove(_ node: Identifier) -> Bool { breakpoints.remove(at: node) }
    func cancel() { breakpoints.cancel() }
}

@Suite("Breakpoints") struct BreakpointTests {
    static let nodes = ["a", "b", "c", "d"].compactMap { Identifier($0) }
    static let (a, b, c, d) = (nodes[0], nodes[1], nodes[2], nodes[3])

    static func start(_ node: Identifier, _ item: String = "i", _ value: JSONValue = 1) -> NodeStart {
        NodeStart(node, inputID: item, value: value)
    }

    /// How many times a run over `values` through node `b` pauses, each time continued.
    private static func pauses(_ run: Rehearsal, _ values: [JSONValue]) throws -> Int {
        var pauses = 0
        for (index, value) in values.enumerated() {
            guard !run.arrives(start(b, "item_\(index)", value)) else { continue }
            pauses += 1
            #expect(try run.resume().count == 1)
        }
        return pauses
    }

    @Test("in a diamond pause before b; a step runs it, and the run pauses before the next start")
    func diamond() throws {
        let run = Rehearsal(try Breakpoint(Self.b))
        #expect(run.arrives(Self.start(Self.a)))
        run.ended(Self.a, "i")
        #expect(!run.arrives(Self.start(Self.b)))
        #expect(run.state == .paused(Self.start(Self.b)))
        #expect(!run.arrives(Self.start(Self.c)))
        #expect(try run.step() == Self.start(Self.b))
        #expect(throws: ProcessingError.self) { try run.step() }
        run.ended(Self.b, "i")
        #expect(run.state == .paused(Self.start(Self.c)))
        #expect(try run.resume() == [Self.start(Self.c)])
        run.ended(Self.c, "i")
        #expect(run.arrives(Self.start(Self.d)))
        #expect(run.state == .running)
        #expect(run.all.map(\.totalHits) == [1])
    }

    @Test("pause before whichever node starts after a step, when none was waiting")
    func stepsOn() throws {
        let run = Rehearsal(try Breakpoint(Self.b))
        #expect(!run.arrives(Self.start(Self.b)))
        _ = try run.step()
        run.ended(Self.c, "i")
        run.ended(Self.b, "other")
        #expect(run.state == .stepping(Self.start(Self.b)))
        run.ended(Self.b, "i")
        #expect(run.state == .pausesNext)
        #expect(!run.arrives(Self.start(Self.d)))
        #expect(run.state == .paused(Self.start(Self.d)))
    }

    @Test("with a hit count of 2 pause twice in five items, and count all five")
    func hitCount() throws {
        let run = Rehearsal(try Breakpoint(Self.b, hitCount: 2))
        #expect(try Self.pauses(run, [1, 2, 3, 4, 5]) == 2)
        #expect(run.all.map(\.totalHits) == [5])
    }

    @Test("with a condition pause where it holds")
    func condition() throws {
        let condition = try Condition("value.amount > 100", for: .breakpoint)
        let run = Rehearsal(try Breakpoint(Self.b, condition: condition))
        #expect(try Self.pauses(run, [50, 150, 99, 200].map { ["amount": $0] }) == 2)
        #expect(run.all.map(\.totalHits) == [2])
        #expect(run.all.first?.jsonValue["condition"] == "value.amount > 100")
    }

    @Test("that are disabled or removed do not pause, and neither lets a paused run go on")
    func disabled() throws {
        let run = Rehearsal(try Breakpoint(Self.b), try Breakpoint(Self.c))
        #expect(!run.arrives(Self.start(Self.b)))
        #expect(run.disable(Self.b))
        #expect(run.remove(Self.c))
        #expect(!run.remove(Self.d))
        #expect(run.state == .paused(Self.start(Self.b)))
        #expect(try run.resume() == [Self.start(Self.b)])
        #expect(run.arrives(Self.start(Self.b)))
        #expect(run.arrives(Self.start(Self.c)))
        #expect(run.all.map(\.totalHits) == [1])
    }

    @Test("let what waited start in order, up to the next hit")
    func held() throws {
        let run = Rehearsal(try Breakpoint(Self.b))
        let starts = [
            Self.start(Self.b, "1"), Self.start(Self.c, "1"), Self.start(Self.b, "2"), Self.start(Self.c, "2"),
        ]
        for start in starts { #expect(!run.arrives(start)) }
        #expect(try run.resume() == Array(starts[..<2]))
        #expect(run.state == .paused(starts[2]))
        #expect(try run.resume() == Array(starts[2...]))
        #expect(run.all.map(\.totalHits) == [2])
    }

    @Test("are one per node, and moves of a run that is not paused are refused")
    func moves() throws {
        let run = Rehearsal(try Breakpoint(Self.b, hitCount: 1))
        run.set(try Breakpoint(Self.b, hitCount: 3))
        #expect(run.all.map(\.hitCount) == [3])
        let error = #expect(throws: ProcessingError.self) { try run.resume() }
        #expect(error?.code == .illegalMove)
        #expect(error?.message == "the run is not paused, so there is nothing to continue")
        run.cancel()
        #expect(!run.arrives(Self.start(Self.a)))
        #expect(throws: ProcessingError.self) { try run.step() }
        #expect(throws: ProcessingError.self) { try Breakpoint(Self.b, hitCount: 0) }
    }
}
