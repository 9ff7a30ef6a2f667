import Assay
import AssayPipelines
import Foundation
import Testing

/// A folder for the files of one test, gone when the test is.
final class TemporaryFolder: Sendable {
    /// Where it is.
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("assay-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes `text` as the file `name`, in place of what it held.
    @discardableResult func write(_ text: String, to name: String) throws -> String {
        let file = "\(path)/\(name)"
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        return file
    }

    /// Removes the file `name`.
    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: "\(path)/\(name)") }

    /// The pipeline that `text` holds.
    func load(
        _ text: String, as name: String = "p.yaml", registry: Registry = .standard,
        environment: [String: String] = [:], overrides: [String] = []
    ) throws -> Pipeline {
        let file = try write(text, to: name)
        return try Pipeline.load(
            file, registry: registry, environment: environment,
            overrides: try overrides.map { try ParameterOverride($0) })
    }

    /// What is wrong with the pipeline that `text` holds, without the folder and, for the pipeline's own, its name.
    func findings(
        of text: String, as name: String = "p.yaml", registry: Registry = .standard,
        environment: [String: String] = [:], overrides: [String] = []
    ) throws -> [String] {
        do {
            _ = try load(text, as: name, registry: registry, environment: environment, overrides: overrides)
            return []
        } catch let error as ProcessingError where error.code == .configuration {
            return ((error.cause as? ConfigurationError)?.lines ?? [error.message]).map { line in
                line.replacing("\(path)/", with: "").replacing(/^p\.(yaml|json):( )?/, with: "")
            }
        }
    }
}

/// The files that a test changes in one place.
enum PipelineText {
    /// A pipeline with `line` as its third line.
    static func top(_ line: String) -> String {
        """
        run_as: processor
        processors: [{processor_id: a, processor_type: simple, parameters: {function: passthrough}}]
        \(line)
        """
    }

    /// A pipeline whose processor has `line` as the sixth line of the file, from column 5.
    static func node(_ line: String) -> String {
        """
        run_as: processor
        processors:
          - processor_id: a
            processor_type: simple
            parameters: {function: passthrough}
            \(line)
        """
    }

    /// A pipeline whose processor is of `type`, the value of `parameters` at line 3, column 15.
    static func type(_ type: String, parameters: String, more: String = "") -> String {
        """
        run_as: processor
        processors: [{processor_id: a, processor_type: \(type),
          parameters: \(parameters)}]
        \(more)
        """
    }
}

extension RunOptions {
    /// Every part that a file can set, as text by its name.
    var told: [String: String] {
        var told = ["item_cache": "none", "price": "none", "heartbeat": "none", "budgets": "none", "breakers": "none"]
        if !budgets.isEmpty { told["budgets"] = budgets.map(\.told).joined(separator: "; ") }
        if !breakers.isEmpty {
            let policies = breakers.map { service, policy in
                "\(service): \(policy.failureThreshold), \(policy.recoveryTimeout), \(policy.successThreshold)"
            }
            told["breakers"] = policies.sorted().joined(separator: "; ")
        }
        told["billing"] = billing.rawValue
        told["in_doubt"] = doubtPolicy.rawValue
        told["scope"] = [scope.accountID?.text, scope.underwritingID?.text, scope.executionID?.text]
            .map { $0 ?? "-" }.joined(separator: " ")
        told["runner"] = runner.name
        told["failures"] = "\(failurePolicy)"
        told["retries"] = retryPolicy.told
        told["item_timeout"] = "\(itemTimeout)"
        told["timeout"] = "\(timeout)"
        told["recovery"] = recovery.rawValue
        told["on_change"] = onChange.rawValue
        told["aggregate_partial"] = "\(aggregatePartial)"
        told["strict_costs"] = "\(strictCosts)"
        if let heartbeatTimeout { told["heartbeat"] = "\(heartbeatTimeout)" }
        if let price { told["price"] = price.told }
        if let itemCache {
            let ttl = itemCache.ttl.map { "\($0)" } ?? "for ever"
            told["item_cache"] = "\(itemCache.scope.rawValue), \(ttl)\(itemCache.refresh ? ", refresh" : "")"
        }
        return told
    }
}

extension Budget {
    fileprivate var told: String {
        "\(name) \(limit) \(scope.rawValue) \(window.rawValue) \(mode.rawValue) \(warnAt)"
    }
}

extension RetryPolicy {
    /// `3: 1.0 × 2.0 up to 60.0, retryable`, or `none`.
    fileprivate var told: String {
        let failures =
            switch retryOn {
            case .retryable: "retryable"
            case .all: "all"
            case .codes(let codes): codes.map(\.rawValue).sorted().joined(separator: " ")
            }
        let delays = "\(initialDelay) × \(backoffMultiplier) up to \(maxDelay)"
        return self == .none ? "none" : "\(maxRetries): \(delays), \(failures)"
    }
}

extension Price {
    /// `0.10 per_run`, with the time from which it holds.
    var told: String { "\(amount) \(policy)" + (effectiveFrom.map { " from \($0)" } ?? "") }
}

extension PriceList {
    /// Every price in order, by subject.
    var told: [String] { entries.flatMap { entry in entry.prices.map { "\(entry.subject.sortKey): \($0.told)" } } }
}

extension Pipeline {
    /// The processor of a file that has one.
    var single: RegisteredProcessor { get throws { try #require(processor) } }
}
