package import ArgumentParser
import Assay

/// `assay costs prices`: prices in the store.
package struct CostsPricesCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "prices", abstract: "Look at and add prices in the store.",
        subcommands: [CostsPricesListCommand.self, CostsPricesSetCommand.self])

    package init() {}
}

/// `assay costs prices list`: lists the prices in the store.
package struct CostsPricesListCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the prices in the store and from when they hold.")

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let store = try await StoreAccess.reader(console, in: shell)
        defer { StoreAccess.close(store) }
        let prices = try await store.prices()
        let now = shell.world.time.now()
        var listing = try Listing(
            console, schema: "assay/prices/1", key: "prices", facts: ["currency": .string(store.currency)],
            columns: [.flexible("NAME"), .number(store.currency), .text("CHARGED"), .text("FROM"), .text("IN FORCE")])
        for (subject, list) in prices.entries {
            for price in list {
                let isInForce = prices.price(for: subject, at: now) == price
                let policy = if case .processor = subject { price.policy } else { "per_unit" }
                try listing.add(
                    [
                        subject.sortKey, "\(price.amount)", policy, price.effectiveFrom.map { "\($0)" } ?? "always",
                        isInForce ? "yes" : "",
                    ],
                    json: [
                        "name": .string(subject.sortKey), "amount": price.amount.jsonValue, "policy": .string(policy),
                        "effective_from": price.effectiveFrom?.jsonValue ?? .null, "in_force": .bool(isInForce),
                    ])
            }
        }
        try listing.end(nothing: "no prices in the store")
        return .success
    }
}

/// `assay costs prices set`: adds a price to the store.
package struct CostsPricesSetCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Add a price of a processor, or of a service's operation.",
        discussion:
            "Prices are never changed: the one with the latest beginning is in force, and recorded charges stay.")

    @Argument(help: "A processor, or SERVICE/OPERATION.")
    var name: String

    @Argument(help: "The amount: per run of a processor, per unit of an operation.")
    var amount: String

    @Option(help: "How a processor is charged: per_execution, per_run or per_input.")
    var policy: String?

    @Option(help: ArgumentHelp("The moment from which it holds; without it: always.", valueName: "time"))
    var from: String?

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let subject = try subject()
        let price = try price(for: subject)
        let store = try await StoreAccess.owner(console, in: shell)
        defer { StoreAccess.close(store) }
        try await store.add(price, for: subject, at: shell.world.time.now())
        console.note(
            "\(subject.sortKey.safe) costs \(price.amount) \(store.currency)"
                + (price.effectiveFrom.map { " from \($0)" } ?? ""))
        return .success
    }

    private func subject() throws -> PriceSubject {
        let parts = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.allSatisfy({ Identifier($0) != nil }) else {
            throw CommandFailure.usage("'\(name)' is neither a processor nor SERVICE/OPERATION")
        }
        return parts.count == 2 ? .service(parts[0], operation: parts[1]) : .processor(parts[0])
    }

    private func price(for subject: PriceSubject) throws -> Price {
        guard let number = Number(amount) else {
            throw CommandFailure.usage("the amount must be a number, found '\(amount)'")
        }
        let money: Money
        do { money = try Money(number) } catch { throw CommandFailure.usage(error.message) }
        var price = Price(money)
        if let policy {
            guard case .processor = subject else { throw CommandFailure.usage("--policy is for processors only") }
            let known = StandardChargePolicy.allCases.map(\.rawValue)
            guard known.contains(policy) else {
                throw CommandFailure.usage("unknown policy '\(policy)'" + Nearest.ending(for: policy, among: known))
            }
            price.policy = policy
        }
        if let from {
            guard let moment = Timestamp(from) else {
                throw CommandFailure.usage("--from must be a date or a time such as 2025-01-01, found '\(from)'")
            }
            price.effectiveFrom = moment
        }
        return price
    }
}
