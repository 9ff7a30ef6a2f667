public import Assay

/// One thing that every store must do alike, to be checked on a fresh store.
///
/// ```swift
/// @Test(arguments: StoreConformance.all)
/// func conforms(check: StoreConformance) async throws { try await check(MyStore()) }
/// ```
public struct StoreConformance: Sendable, CustomStringConvertible {
    /// The promise, as a sentence that begins with "a store".
    public let description: String
    private let check: @Sendable (any Store) async throws -> Void

    init(_ description: String, _ check: @escaping @Sendable (any Store) async throws -> Void) {
        self.description = description
        self.check = check
    }

    /// Checks `store`, which must be empty and have amounts in USD.
    ///
    /// - Throws: ``Finding`` when it does not keep the promise.
    public func callAsFunction(_ store: any Store) async throws { try await check(store) }

    /// All promises.
    public static let all =
        runs + items + files + outcomes + ledger + savedValues + namedCheckpoints + cache + logs + alerts + queue
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
