import Assay
@testable import AssayPipelines
import Testing

@Suite("An error strategy of a graph, in a pipeline file,") struct StrategySchemaTests {
    private static func read(_ text: String) throws -> (strategy: (any ErrorStrategy)?, findings: [String]) {
        let document = try ConfigurationDocument(Array(text.utf8), as: .yaml, file: "p.yaml")
        let strategy = StrategySchema().strategy(document.value)
        do { try document.findings.check() } catch {
            return (strategy, (error.cause as? ConfigurationError)?.lines ?? [error.message])
        }
        return (strategy, [])
    }

    @Test("is read with its keys and their defaults") func reads() throws {
        let skip = try Self.read("{type: skip, max_skips: 2}").strategy as? SkipStrategy
        #expect(skip?.maxSkips == 2)
        #expect((try Self.read("{type: skip}").strategy as? SkipStrategy)?.maxSkips == nil)
        let retry = try Self.read("{type: retry}").strategy as? RetryStrategy
        #expect(retry?.policy == (try RetryPolicy(maxRetries: 3)))
        let halt = try Self.read("{type: halt, cleanup_timeout: 5, final: true}").strategy as? HaltStrategy
        #expect(halt?.cleanupTimeout == .seconds(5))
        #expect(halt?.isFinal == true)
        let breaker = try Self.read("{type: circuit_breaker}").strategy as? BreakerStrategy
        #expect(breaker?.policy == (try CircuitBreakerPolicy()))
        let composite =
            try Self.read(
                "{type: composite, strategy_order: parallel, strategies: [{type: retry, max_retries: 3, initial_delay: 1.0}, {type: skip, max_skips: 5}]}"
            ).strategy as? CompositeStrategy
        #expect(composite?.order == .parallel)
        #expect(composite?.strategies.count == 2)
    }

    @Test(
        "is refused where it is wrong",
        arguments: [
            ("{type: retyr}", "unknown error strategy 'retyr'; did you mean 'retry'?"),
            ("{type: retry, max_retries: three}", "max_retries must be a whole number, found text 'three'"),
            ("{type: skip, max_skips: -1}", "max_skips must be at least 0, found -1"),
            ("{type: composite, strategies: []}", "strategies needs at least one error strategy"),
        ])
    func findings(text: String, message: String) throws {
        #expect(try Self.read(text).findings.map { $0.replacing(#/^p\.yaml:\d+:\d+: /#, with: "") } == [message])
    }
}
