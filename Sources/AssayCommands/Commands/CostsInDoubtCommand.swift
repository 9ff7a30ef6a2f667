package import ArgumentParser
import Assay

/// `assay costs in-doubt`: paid calls whose outcome is unknown.
package struct CostsInDoubtCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "in-doubt", abstract: "Look at paid calls whose outcome is unknown, and decide about them.",
        discussion: """
            A call is in doubt when its program died or its answer was lost: it may or may not have been carried out. \
            Resuming the run makes it again under its old idempotency key, which is the safe way when the service \
            knows such keys. Otherwise ask the service, and settle or release it here.
            """,
        subcommands: [List.self, Settle.self, Release.self], defaultSubcommand: List.self)

    package init() {}

    /// `assay costs in-doubt list`
    package struct List: ShellCommand {
        package static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the calls in doubt in order of their intents.")

        @Option(help: "Only calls of this execution.")
        var execution: String?

        @OptionGroup var store: StoreFlags
        @OptionGroup var output: OutputFlags

        package init() {}

        package func run(in shell: Shell) async throws -> ExitStatus {
            let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
            let store = try await StoreAccess.reader(console, in: shell)
            defer { StoreAccess.close(store) }
            var filter = CallFilter(states: [.inDoubt])
            if let execution {
                guard let id = Identifier(execution), try await store.execution(id) != nil else {
                    throw CommandFailure(.notFound, "execution '\(execution)' is not on record")
                }
                filter.executionID = id
            }
            var listing = try Listing(
                console, schema: "assay/calls-in-doubt/1", key: "in_doubt",
                facts: ["currency": .string(store.currency)],
                columns: [
                    .text("CALL"), .text("SINCE"), .text("SERVICE"), .text("OPERATION"), .number("UP TO"),
                    .path("INPUT"), .flexible("RUN"),
                ])
            for call in try await store.calls(matching: filter) {
                try listing.add(
                    [
                        call.callID, "\(call.timestamp)", call.service, call.operation, "\(call.maximumCost)",
                        call.inputID ?? "", call.runID.text,
                    ], json: call.inDoubtEntry)
            }
            try listing.end(nothing: "no call is in doubt")
            return .success
        }
    }

    /// `assay costs in-doubt settle`
    package struct Settle: ShellCommand {
        package static let configuration = CommandConfiguration(
            commandName: "settle", abstract: "Decide that a call was made, and what it cost.",
            discussion: "The value it brought stays unknown: a run that needs it makes the call again and pays again.")

        @Argument(help: "The call, as 'in-doubt list' names it.")
        var call: String

        @Option(help: ArgumentHelp("What it cost.", valueName: "amount"))
        var cost: String

        @OptionGroup var store: StoreFlags
        @OptionGroup var output: OutputFlags

        package init() {}

        package func run(in shell: Shell) async throws -> ExitStatus {
            let amount: Money
            do { amount = try Money(cost) } catch { throw CommandFailure.usage("--cost: \(error.message)") }
            let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
            return try await CostsInDoubtCommand.decide(console, in: shell) { engine in
                let charge = try await engine.settle(callInDoubt: call, at: amount)
                console.note("call \(call.safe) is settled at \(charge.cost) \(engine.store.currency)")
                try console.write(fact: charge.jsonValue)
            }
        }
    }

    /// `assay costs in-doubt release`
    package struct Release: ShellCommand {
        package static let configuration = CommandConfiguration(
            commandName: "release", abstract: "Decide that a call was not made, or costs nothing.")

        @Argument(help: "The call, as 'in-doubt list' names it.")
        var call: String

        @OptionGroup var store: StoreFlags
        @OptionGroup var output: OutputFlags

        package init() {}

        package func run(in shell: Shell) async throws -> ExitStatus {
            let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
            return try await CostsInDoubtCommand.decide(console, in: shell) { engine in
                try await engine.release(callInDoubt: call)
                console.note("call \(call.safe) is released")
                try console.write(fact: ["call_id": .string(call), "state": "released"])
            }
        }
    }

    /// Decides with the store owned.
    private static func decide(_ console: Console, in shell: Shell, _ body: (Engine) async throws -> Void) async throws
        -> ExitStatus
    {
        let store = try await StoreAccess.existing(console, in: shell)
        defer { StoreAccess.close(store) }
        try await body(Engine(store: store, prices: PriceList(currency: store.currency), world: shell.world))
        return .success
    }
}

extension CallRecord {
    /// The call as a bill lists it, with the run that made it.
    fileprivate var inDoubtEntry: JSONValue {
        guard case .object(var object) = jsonValue else { return .null }
        object["run_id"] = .string(runID.text)
        return .object(object)
    }
}
