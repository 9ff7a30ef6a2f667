import Assay
import AssayPipelines
import Foundation

/// Values for commands: from flags, else the environment, else `assay.yaml`, else a default.
///
/// Each has an origin. The settings of a pipeline file count as defaults.
package struct Settings: Sendable {
    /// The name of a setting.
    package enum Key: String, CaseIterable, Sendable {
        case store, output, color, quiet, currency, account, underwriting, runner, workers, retries, timeout, budget
        case onFailure = "on_failure"
        case batchSize = "batch_size"
        case slot

        /// The name of the environment variable.
        package var variable: String { "ASSAY_" + rawValue.uppercased() }

        /// The name of the flag; `nil` if there is none.
        package var flag: String? {
            self == .currency ? nil : "--" + rawValue.replacingOccurrences(of: "_", with: "-")
        }

        /// The default value; `nil`: it depends on the pipeline.
        package var standard: String? {
            switch self {
            case .store: ".assay/assay.db"
            case .output: "table"
            case .color: "auto"
            case .quiet: "false"
            case .currency: "USD"
            case .account, .underwriting, .runner, .workers, .retries, .timeout, .budget, .onFailure, .batchSize,
                .slot:
                nil
            }
        }
    }

    /// The origin of a value.
    package enum Origin: Hashable, Sendable, CustomStringConvertible {
        case flag(String)
        case environment(String)
        case file(String)
        case standard

        package var description: String {
            switch self {
            case .flag(let name): "flag \(name)"
            case .environment(let name): "environment \(name)"
            case .file(let place): place
            case .standard: "default"
            }
        }

        /// The origin for messages of runs: `--on-failure`, `ASSAY_ON_FAILURE`, `assay.yaml:3`.
        package var place: String {
            switch self {
            case .flag(let text), .environment(let text), .file(let text): text
            case .standard: "the default"
            }
        }
    }

    /// A value and its origin.
    package struct Setting: Hashable, Sendable {
        /// The value as written.
        package let text: String
        /// The origin of the value.
        package let origin: Origin
    }

    private var values: [Key: Setting] = [:]
    /// Warnings for the user about the file.
    package private(set) var warnings: [String] = []

    /// Creates the settings of a command with `flags`.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` and every finding if `assay.yaml` has an error.
    package init(flags: [Key: String?] = [:], in shell: Shell) throws {
        for key in Key.allCases {
            values[key] = key.standard.map { Setting(text: $0, origin: .standard) }
        }
        let file = try SettingsFile(in: shell)
        warnings = file.warnings
        for (key, setting) in file.values { values[key] = setting }
        for key in Key.allCases {
            guard let text = shell.environment[key.variable], !text.isEmpty else { continue }
            values[key] = Setting(text: text, origin: .environment(key.variable))
        }
        for case (let key, let text?) in flags {
            values[key] = Setting(text: text, origin: .flag(key.flag ?? key.rawValue))
        }
    }

    /// The value of `key`; `nil` if it is not set and has no default.
    package subscript(key: Key) -> Setting? { values[key] }

    /// Returns the value of `key` as parsed by `read`.
    ///
    /// - Parameter rule: what the value must be.
    /// - Throws: ``CommandFailure`` with origin and rule if the value breaks the rule.
    package func value<Value>(_ key: Key, _ rule: String, _ read: (String) throws -> Value?) throws -> Value? {
        guard let setting = values[key] else { return nil }
        let reason: String
        do {
            if let value = try read(setting.text) { return value }
            reason = "must be \(rule), found \(setting.text.quoted)"
        } catch let error as ProcessingError {
            reason = "is refused: \(error.message)"
        }
        switch setting.origin {
        case .flag(let name), .environment(let name): throw CommandFailure.usage("\(name) \(reason)")
        case .file(let place): throw CommandFailure(.invalidData, "\(place): \(key.rawValue) \(reason)")
        case .standard: throw CommandFailure.usage("\(key.rawValue) \(reason)")
        }
    }

    /// Returns the text of `key`.
    package func text(_ key: Key) -> String? { values[key]?.text }

    /// The explicitly given values of the keys that a later resume needs.
    package var given: [Key: String] {
        let kept: [Key] = [.runner, .workers, .retries, .timeout, .budget, .onFailure, .batchSize, .slot]
        return values.filter { kept.contains($0.key) }.mapValues(\.text)
    }
}

extension Settings {
    /// The store's flag for commands that must name the same store again; empty if it is not needed.
    package var storeAgain: String {
        guard let setting = self[.store], case .flag = setting.origin else { return "" }
        return " --store \(setting.text.quotedForShell)"
    }

    /// Returns the format of data.
    package func output() throws -> OutputFormat {
        let words = OutputFormat.allCases.map(\.rawValue).joined(separator: ", ")
        return try value(.output, "one of \(words)", OutputFormat.init(rawValue:)) ?? .table
    }

    /// Returns the choice of when to use colors.
    package func color() throws -> ColorChoice {
        try value(.color, "auto, always or never", ColorChoice.init(rawValue:)) ?? .auto
    }

    /// Returns whether to omit messages about a run that succeeds.
    package func quiet() throws -> Bool {
        try value(.quiet, "true or false") { ["true": true, "1": true, "false": false, "0": false][$0] } ?? false
    }
}

extension String {
    /// The text as one word of a command line.
    var quotedForShell: String {
        let isPlain = allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/._-=".contains($0)) }
        return isPlain && !isEmpty ? self : "'\(replacingOccurrences(of: "'", with: "'\\''"))'"
    }
}
