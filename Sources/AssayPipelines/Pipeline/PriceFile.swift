public import Assay
import Foundation
import Synchronization

/// A price list in a file, read again when the file has changed.
///
/// A change with an error leaves the last good list in force, and so does one to another currency: what was charged and
/// what is charged from then on could not be added up.
public final class PriceFile: PriceSource {
    private struct State {
        var list: PriceList
        var stamp: Stamp?
        /// What the last warning said.
        var told: String?
    }

    /// By what a changed file is told.
    private struct Stamp: Equatable {
        var modified: Date?
        var size: Int?
        var inode: Int?
    }

    private let path: String
    /// What all amounts are in as long as the file is in use.
    private let currency: String
    private let schema: PriceListSchema
    private let warn: @Sendable (String) -> Void
    private let state: Mutex<State>

    /// Reads the file at `path`.
    ///
    /// - Parameters:
    ///   - policies: the charge policies that a price may name.
    ///   - warn: takes what is wrong with a later change of the file.
    /// - Throws: ``ProcessingError`` with code `configuration` and every finding.
    public init(
        path: String, policies: [String] = StandardChargePolicy.allCases.map(\.rawValue),
        warn: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(ProcessingError) {
        self.path = path
        self.warn = warn
        schema = PriceListSchema(policies: policies)
        let stamp = Self.stamp(of: path)
        let list = try Self.read(path, schema)
        currency = list.currency
        state = Mutex(State(list: list, stamp: stamp))
    }

    public func current() -> PriceList {
        let stamp = Self.stamp(of: path)
        var warning: String?
        let list = state.withLock { state in
            guard stamp != state.stamp else { return state.list }
            state.stamp = stamp
            do throws(ProcessingError) {
                state.list = try Self.read(path, schema, in: currency)
                state.told = nil
            } catch {
                // A file that is written again with the same fault was spoken of.
                guard error.message != state.told else { return state.list }
                state.told = error.message
                warning = "the changed price file is not used: \(error.message)"
            }
            return state.list
        }
        if let warning { warn(warning) }
        return list
    }

    private static func read(
        _ path: String, _ schema: PriceListSchema, in currency: String? = nil
    ) throws(ProcessingError) -> PriceList {
        let document = try ConfigurationDocument(path: path)
        let list = schema.read(document.value, in: currency)
        try document.findings.check()
        return list
    }

    // Not `stat`, whose times belong to another module as soon as one more C module is around.
    private static func stamp(of path: String) -> Stamp? {
        let file = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        guard let found = try? FileManager.default.attributesOfItem(atPath: file) else { return nil }
        return Stamp(
            modified: found[.modificationDate] as? Date, size: found[.size] as? Int,
            inode: found[.systemFileNumber] as? Int)
    }
}
