import Assay

extension RunTarget {
    /// Runs the target in the store that the settings name, from an engine of its own to the exit status.
    func conduct(
        _ console: Console, stop: StopFlag, in shell: Shell,
        _ run: (Engine, RunOptions, @escaping @Sendable (RunHandle) -> Void) async throws -> Report
    ) async throws -> ExitStatus {
        let store = try await StoreAccess.owner(console, in: shell)
        defer { StoreAccess.close(store) }
        return try await conduct(console, stop: stop, store: store, in: shell, run)
    }

    /// An engine for the target, with its prices.
    func engine(_ store: any Store, in shell: Shell) -> Engine {
        Engine(store: store, prices: prices ?? PriceList(currency: store.currency), world: shell.world)
    }

    /// As ``conduct(_:stop:in:_:)``, in a store that is open.
    func conduct(
        _ console: Console, stop: StopFlag, store: any Store, in shell: Shell,
        _ run: (Engine, RunOptions, @escaping @Sendable (RunHandle) -> Void) async throws -> Report
    ) async throws -> ExitStatus {
        let engine = engine(store, in: shell)
        warnings.pass(to: engine)
        let conductor = RunConductor(
            shell: shell, console: console, engine: engine, stop: stop, isQuiet: try console.settings.quiet())
        var options = options
        var request = request
        if !options.budgets.isEmpty { request["budgets"] = .array(options.budgets.map(\.jsonValue)) }
        options.request = .object(request)
        return try await conductor.conduct(options) { options, watching in
            try await run(engine, options, watching)
        }
    }
}
