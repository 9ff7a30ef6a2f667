import Assay
package import AssayPipelines
import AssayStatements

/// The processor types that read bank statements.
package enum StatementProcessors {
    /// The media types of statements by their names; many names have no meaningful suffix.
    private static let mediaTypes: Set<String> = [
        "application/octet-stream", "application/pdf", "application/x-bai2", "application/x-mt940", "application/x-ofx",
        "application/x-qif", "application/xml", "text/csv", "text/plain", "text/tab-separated-values",
    ]

    /// Adds the types to `registry`.
    package static func register(in registry: inout Registry) throws {
        try registry.register("bank_statement", parameters: BankStatements.parameters) { name, parameters in
            do {
                var registered = try RegisteredProcessor(
                    BankStatements(name: name, parameters: parameters), parameters: parameters)
                registered.fileOfInput = { $0.string ?? $0["path"]?.string }
                registered.mediaTypes = mediaTypes
                return registered
            } catch let error as SettingsError {
                throw ParameterError(error.findings.map { ($0.path, $0.message) })
            }
        }
    }
}
