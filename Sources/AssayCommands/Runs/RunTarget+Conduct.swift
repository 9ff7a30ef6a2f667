import Assay
import AssayPipelines
import AssaySQLite
import Synchronization

extension RunTarget {
    /// Runs the target in the store that the settings name, with its own engine, and returns the exit status.
    func conduct(
        _ console: Console, stop: StopFlag, in shell: Shell,
        _ run: (Engine, RunOptions, @escaping @Sendable (RunHandle) -> Void) async throws -> Report
    ) async throws -> ExitStatus {
        let store = try await StoreAccess.owner(console, in: shell)
        defer { StoreAccess.close(store) }
        return try await conduct(console, stop: stop, store: store, in: shell, run)
    }

    /// Creates an engine for the target, with its prices.
    func engine(_ store: any Store, in shell: Shell) -> Engine {
        Engine(
            store: store, prices: prices ?? PriceList(currency: store.currency),
            chargePolicies: shell.registry.chargePolicies, resolvers: shell.registry.resolvers,
            events: EventStream(monitoring, time: shell.world.time), world: shell.world)
    }

    /// Runs the target as ``conduct(_:stop:in:_:)`` does, in an open store.
    func conduct(
        _ console: Console, stop: StopFlag, store: any Store, in shell: Shell,
        _ run: (Engine, RunOptions, @escaping @Sendable (RunHandle) -> Void) async throws -> Report
    ) async throws -> ExitStatus {
        let engine = engine(store, in: shell)
        warnings.pass(to: engine)
        let isQuiet = try console.settings.quiet()
        let alerts = try engine.watch(alerts) { console.warn($0.safe) }
        let desk = store is SQLiteStore ? OwnerDesk(alerts: engine.alertService(alerts)) : nil
        let conductor = RunConductor(
            shell: shell, console: console, engine: engine, stop: stop, desk: desk, pauses: pauses, isQuiet: isQuiet)
        var options = options
        var request = request
        if !options.budgets.isEmpty { request["budgets"] = .array(options.budgets.map(\.jsonValue)) }
        options.request = .object(StoredRequest(request, options).members)
        try attachTaps(console)
        let socket = socket(beside: store, desk, console)
        let result: Result<ExitStatus, any Error>
        do {
            let exit = try await conductor.conduct(options) { options, watching in
                try await run(engine, options, watching)
            }
            result = .success(exit)
        } catch {
            result = .failure(error)
        }
        await alerts.finish()
        if case .graph(let graph, _) = work { await graph.finishTaps() }
        await socket?.close()
        return try result.get()
    }

    /// Attaches the file's taps to the pipes of a graph: each value gives a message, or a line in a file.
    func attachTaps(_ console: Console) throws {
        guard case .graph(let graph, _) = work else { return }
        for tap in taps {
            if let file = tap.file {
                let write = PipeTaps.file(try LineFile(path: file))
                let hasWarned = Atomic(false)
                try graph.attach(
                    { value in
                        do { try await write(value) } catch {
                            // A failure to write is seldom the only one.
                            if !hasWarned.exchange(true, ordering: .relaxed) {
                                console.warn("tap \(value.pipe): \(CommandFailure(error).message.safe)")
                            }
                            throw error
                        }
                    }, to: tap.pipe)
            } else {
                try graph.attach(
                    { console.screen.say("tap \($0.pipe) \($0.inputID): \($0.value.json)".safe) }, to: tap.pipe)
            }
        }
    }

    /// Creates the socket at which other programs may ask about the run. The run continues without one if that fails.
    private func socket(beside store: any Store, _ desk: OwnerDesk?, _ console: Console) -> OwnerSocket? {
        guard let desk, let store = store as? SQLiteStore else { return nil }
        do { return try OwnerSocket(SQLiteStore.socketName, in: store.folder, desk: desk) } catch {
            console.warn("other programs cannot watch or cancel the run: \(error.message.safe)")
            return nil
        }
    }
}
