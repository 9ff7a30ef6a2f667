package import Assay

/// The parameters of a processor, before and after environment variables are substituted.
package struct Parameters: Sendable {
    /// The parameters as written in the file, for digests and display.
    package let written: JSONValue
    /// The parameters as the processor receives them.
    package let values: Secret<JSONValue>
    /// The values of the variables in use, which must not appear in anything that is written down.
    package let secrets: [Secret<String>]
    /// The variables in use that are part of the processor's definition, by name: all except credentials.
    package var counted: [String: Secret<String>] = [:]

    /// No parameters.
    static let none = Parameters(written: [:], values: Secret([:]), secrets: [])
}

extension ValueReader {
    /// Substitutes environment variables in the texts of the value: `${NAME}` is the variable, `$${` is a literal `${`.
    ///
    /// Reports variables that are not set, and texts that exceed 1 MiB in total.
    /// - Parameter isCredential: whether the text under the given path of keys is a credential.
    /// - Returns: a reader for the value, and the same value as JSON.
    package func resolving(
        _ environment: [String: String], isCredential: @escaping (_ keys: [String]) -> Bool = { _ in false }
    ) -> (value: ValueReader, parameters: Parameters) {
        var substitution = Substitution(environment: environment, isCredential: isCredential, findings: findings)
        let node = substitution.resolve(node)
        let written = node.json
        let values = substitution.hasChanges ? node.resolvedJSON : Secret(written)
        let secrets = substitution.used.keys.sorted().compactMap { substitution.used[$0] }
        return (
            ValueReader(node, name: name, path: path, findings: findings),
            Parameters(written: written, values: values, secrets: secrets, counted: substitution.counted)
        )
    }
}

/// A substitution of environment variables in texts.
private struct Substitution {
    let environment: [String: String]
    let isCredential: (_ keys: [String]) -> Bool
    let findings: Findings
    private(set) var used: [String: Secret<String>] = [:]
    private(set) var counted: [String: Secret<String>] = [:]
    private var keys: [String] = []
    private(set) var hasChanges = false
    private var size = 0

    init(
        environment: [String: String], isCredential: @escaping (_ keys: [String]) -> Bool, findings: Findings
    ) {
        self.environment = environment
        self.isCredential = isCredential
        self.findings = findings
    }

    mutating func resolve(_ node: ConfigurationNode) -> ConfigurationNode {
        var node = node
        switch node.value {
        case .list(let elements): node.value = .list(elements.map { resolve($0) })
        case .map(let entries):
            node.value = .map(
                entries.map { entry in
                    var entry = entry
                    keys.append(entry.key)
                    entry.value = resolve(entry.value)
                    keys.removeLast()
                    return entry
                })
        case .text(let text) where text.utf8.contains(UInt8(ascii: "$")):
            guard let resolved = resolve(text, at: node.position) else {
                node.value = .refused
                break
            }
            if resolved != text {
                node.resolved = Secret(resolved)
                hasChanges = true
            }
        default: break
        }
        return node
    }

    /// Returns `text` with its variables substituted; `nil` after a finding.
    private mutating func resolve(_ text: String, at position: SourcePosition) -> String? {
        var result: [UInt8] = []
        var rest = Array(text.utf8)[...]
        var isComplete = true
        while let sign = rest.firstIndex(of: UInt8(ascii: "$")) {
            result += rest[..<sign]
            rest = rest[sign...]
            if rest.starts(with: "$${".utf8) {
                result += "${".utf8
                rest = rest.dropFirst(3)
            } else if rest.starts(with: "${".utf8) {
                let name = rest.dropFirst(2).prefix(while: Self.isOfName)
                rest = rest[name.endIndex...]
                guard let first = name.first, first &- 48 >= 10, rest.popFirst() == UInt8(ascii: "}") else {
                    findings.report("'${' needs a variable name and '}'; write '$${' for the text itself", at: position)
                    return nil
                }
                guard let value = value(of: String(decoding: name, as: UTF8.self), at: position) else {
                    isComplete = false
                    continue
                }
                guard size <= TreeBuilder.maximumBytes else {
                    findings.report("texts are larger than 1 MiB with environment variables put in", at: position)
                    return nil
                }
                result += value.utf8
            } else {
                result.append(rest.removeFirst())
            }
        }
        return isComplete ? String(decoding: result + rest, as: UTF8.self) : nil
    }

    private mutating func value(of name: String, at position: SourcePosition) -> String? {
        guard let value = environment[name] else {
            findings.report("environment variable \(name.quoted) is not set", at: position)
            return nil
        }
        used[name] = Secret(value)
        if !isCredential(keys) { counted[name] = Secret(value) }
        size += value.utf8.count
        return value
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
