import ArgumentParser
import Assay

/// Flags for what to run, over which inputs and for whom.
struct TargetFlags: ParsableArguments {
    @Argument(help: "The pipeline file, unless --processor is given; then the inputs.")
    var arguments: [String] = []

    @Option(help: "Run a processor of this type in place of a pipeline file.")
    var processor: String?

    @Option(help: ArgumentHelp("A file of JSON lines with inputs; may be repeated.", valueName: "file.jsonl"))
    var inputs: [String] = []

    @Option(help: ArgumentHelp("A parameter in place of the pipeline's; may be repeated.", valueName: "name.key=value"))
    var param: [String] = []

    @Option(
        help: ArgumentHelp(
            "Leave files out whose name, or path if it has a slash, fits; may be repeated.", valueName: "pattern"))
    var exclude: [String] = []

    @Flag(help: "Run also when there is no input.")
    var allowEmpty = false

    @Option(help: "The account of inputs that name none.")
    var account: String?

    @Option(help: "The underwriting of inputs that name none.")
    var underwriting: String?

    @Option(help: "The execution to go on with, or to create.")
    var execution: String?

    init() {}

    /// The values by setting.
    var settings: [Settings.Key: String?] { [.account: account, .underwriting: underwriting] }

    /// Whether any flag or argument names something.
    var isEmpty: Bool {
        arguments.isEmpty && processor == nil && inputs.isEmpty && param.isEmpty && execution == nil
    }

    /// Returns the inputs that `named` and the flags name.
    func items(
        _ named: [String], of target: RunTarget, stop: StopFlag = StopFlag(), _ console: Console, in shell: Shell
    ) throws -> InputList {
        try InputList(
            named, lists: inputs, otherwise: target.items, root: StoreAccess.root(console, in: shell),
            excluded: exclude, scope: target.scope, stop: stop, tell: { console.screen.say("hint: \($0.safe)") },
            in: shell)
    }

    /// Returns what to run, and the words that name inputs.
    func target(_ how: RunFlags, _ console: Console, in shell: Shell) throws -> (RunTarget, named: [String]) {
        var (target, named) = try target(console, in: shell)
        try target.apply(console.settings)
        target.options.caching = how.caching
        target.options.rehash = how.rehash
        try setScope(of: &target, console.settings)
        return (target, named)
    }

    private func target(_ console: Console, in shell: Shell) throws -> (RunTarget, named: [String]) {
        if let processor {
            return (try RunTarget(processor: processor, parameters: param, console, in: shell), arguments)
        }
        guard let pipeline = arguments.first else {
            throw CommandFailure.usage("name a pipeline file, or a processor with --processor TYPE")
        }
        return (
            try RunTarget(pipeline: pipeline, parameters: param, console, in: shell), Array(arguments.dropFirst())
        )
    }

    /// Sets the scope; flags and settings override the pipeline file.
    private func setScope(of target: inout RunTarget, _ settings: Settings) throws {
        let rule = "1 byte to 1 KiB of text without control characters"
        let account = try settings.value(.account, rule) { ExternalID($0) }
        let underwriting = try settings.value(.underwriting, rule) { ExternalID($0) }
        target.scope.accountID = account ?? target.scope.accountID
        target.scope.underwritingID = underwriting ?? target.scope.underwritingID
        if let execution {
            guard let id = Identifier(execution) else {
                throw CommandFailure.usage(
                    "--execution must be 1 to 128 letters, digits, '.', '_' or '-', not starting with '.'")
            }
            target.scope.executionID = id
        }
        target.options.scope = target.scope
    }
}
