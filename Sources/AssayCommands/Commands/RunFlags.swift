import ArgumentParser
import Assay

/// Flags of every command that runs something.
package struct RunFlags: ParsableArguments {
    @Option(help: "Where items are worked on: auto, sequential, thread or process.")
    var runner: String?

    @Option(help: "How many items at once.")
    var workers: String?

    @Option(
        help: ArgumentHelp(
            "What failed items mean for the rest: collect, stop, tolerate:SHARE or atomic.", valueName: "policy"))
    var onFailure: String?

    @Option(help: "Further attempts at an item that failed.")
    var retries: String?

    @Option(help: ArgumentHelp("The longest an attempt may take, for example 30s.", valueName: "duration"))
    var timeout: String?

    @Option(
        help: ArgumentHelp(
            "The most the execution may cost, all of its runs together; the run stops before.", valueName: "amount"))
    var budget: String?

    @Option(
        help: ArgumentHelp(
            "Work in batches of so many items; auto: as many as slot, complexity and pipeline say.",
            valueName: "auto|number"))
    var batchSize: String?

    @Option(help: "The batch slot of items that name none, from which the size of their batches follows.")
    var slot: String?

    @Flag(help: "Neither use nor fill the cache, of results and of paid calls.")
    var noCache = false

    @Flag(help: "Do again what is cached, and replace it.")
    var refresh = false

    @Flag(help: "Use the cache as the pipeline says, although the run that is gone on with was told otherwise.")
    var cache = false

    @Flag(help: "Read every file anew, whatever is on record of its content.")
    var rehash = false

    @Flag(name: [.short, .long], help: "Say nothing about a run that goes well.")
    var quiet = false

    package init() {}

    package func validate() throws {
        guard [noCache, refresh, cache].count(where: { $0 }) <= 1 else {
            throw ValidationError("--no-cache, --refresh and --cache exclude each other.")
        }
    }

    /// The values by setting.
    var settings: [Settings.Key: String?] {
        [
            .runner: runner, .workers: workers, .onFailure: onFailure, .retries: retries, .timeout: timeout,
            .budget: budget, .batchSize: batchSize, .slot: slot, .quiet: quiet ? "true" : nil,
        ]
    }

    /// Whether no flag says how to run.
    var isEmpty: Bool {
        settings.allSatisfy { $0.key == .quiet || $0.value == nil } && saidCaching == nil
    }

    /// The cache mode that the flags set; `nil` if they set none.
    var saidCaching: CacheMode? { noCache ? .off : refresh ? .refresh : cache ? .asConfigured : nil }

    /// The cache mode of a run that does not continue another.
    var caching: CacheMode { saidCaching ?? .asConfigured }
}
