import Assay
package import AssayPipelines
import AssayStatements

/// The processor types that read bank statements.
package enum StatementProcessors {
    /// Adds them to `registry`.
    package static func register(in registry: inout Registry) throws {
        try registry.register("bank_statement", parameters: BankStatements.parameters) { name, parameters in
            do {
                var registered = try RegisteredProcessor(
                    BankStatements(name: name, parameters: parameters), parameters: parameters)
                registered.fileOfInput = { $0.string ?? $0["path"]?.string }
                return registered
            } catch let error as SettingsError {
                throw ParameterError(error.findings.map { ($0.path, $0.message) })
            }
        }
    }
}
