public import Assay

/// A rule that every store must keep, to be checked on a fresh store.
///
/// ```swift
/// @Test(arguments: StoreConformance.all)
/// func conforms(check: StoreConformance) async throws { try await check(MyStore()) }
/// ```
public struct StoreConformance: Sendable, CustomStringConvertible {
    /// The rule, as a sentence.
    public let description: String
    private let check: @Sendable (any Store) async throws -> Void

    init(_ description: String, _ check: @escaping @Sendable (any Store) async throws -> Void) {
        self.description = description
        self.check = check
    }

    /// Checks the rule on `store`, which must be empty and have amounts in USD.
    ///
    /// - Throws: ``Finding`` when the store breaks the rule.
    public func callAsFunction(_ store: any Store) async throws { try await check(store) }

    /// All rules.
    public static let all =
        runs + items + lists + files + outcomes + ledger + savedValues + namedCheckpoints + cache + logs + alerts
        + queue
        + concurrency
}

func expect<Value: Equatable>(
    _ found: Value, _ expected: Value, _ what: String = "value", file: String = #fileID,
    line: Int = #line
) throws {
    guard found != expected else { return }
    throw Finding("\(file):\(line): \(what) is \(found), expected \(expected)")
}

func expect(
    _ code: ProcessingError.Code, file: String = #fileID, line: Int = #line, _ body: () async throws -> Void
) async throws {
    do { try await body() } catch let error as ProcessingError {
        return try expect(error.code, code, "the error's code", file: file, line: line)
    }
    throw Finding("\(file):\(line): nothing was thrown, expected \(code.rawValue)")
}
