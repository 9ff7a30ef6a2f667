package import AssayPipelines

/// The processor types that read bank statements.
package enum StatementProcessors {
    /// Adds them to `registry`.
    package static func register(in registry: inout Registry) throws {}
}
