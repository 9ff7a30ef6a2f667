import Assay
import AssayPipelines
import Foundation
import Synchronization

/// The pipelines of a worker: which executions belong to them, how the queue works, and what things cost.
struct WorkerPipelines: Sendable {
    /// A pipeline file as the user named it.
    struct Given: Sendable {
        let path: String
        let target: RunTarget
    }

    let given: [Given]
    let queue: PipelineQueue
    private let console: Console
    private let shell: Shell
    private let caching: CacheMode?

    /// Loads the pipelines at `paths`.
    ///
    /// - Throws: ``CommandFailure`` if a file is not a pipeline, has no queue, or contradicts another one.
    init(_ paths: [String], _ how: RunFlags, _ console: Console, in shell: Shell) throws {
        (self.console, self.shell, caching) = (console, shell, how.saidCaching)
        var given: [Given] = []
        var first: (path: String, target: RunTarget, queue: PipelineQueue)?
        for path in paths {
            let target = try RunTarget(pipeline: path, parameters: [], console, in: shell)
            guard let queue = target.queue else {
                throw CommandFailure(
                    .invalidData,
                    "\(path): needs 'queue' with 'queue_capacity' and 'capacity_refresh_time' to work on a queue")
            }
            if let twin = given.first(where: { $0.target.isOf(target) }) {
                throw CommandFailure(
                    .invalidData,
                    "\(twin.path) and \(path) both describe '\(target.work.name)' in the same way; name one of them")
            }
            if let first { try Self.check(first.path, first.target, agreesWith: path, target) }
            first = first ?? (path, target, queue)
            given.append(Given(path: path, target: target))
        }
        guard let first else { throw CommandFailure.usage("name a pipeline file, or a folder with some") }
        (self.given, queue) = (given, first.queue)
        try JoinedPrices.check(given)
    }

    /// Returns the pipeline files with a queue in `folder`, in the order of their names.
    ///
    /// - Throws: ``CommandFailure`` if there are none.
    static func files(in folder: String, _ console: Console, in shell: Shell) throws -> [String] {
        let names: [String]
        do { names = try FileManager.default.contentsOfDirectory(atPath: shell.place(of: folder)) } catch {
            throw CommandFailure(.notFound, "'\(folder)' is no folder that can be read; name one with pipeline files")
        }
        let prefix = folder == "." ? "" : folder.hasSuffix("/") ? folder : folder + "/"
        let files = names.sorted().filter { name in
            !name.hasPrefix(".") && ["yaml", "yml", "json"].contains((name as NSString).pathExtension)
        }.map { prefix + $0 }.filter { path in
            do { return try Pipeline.waitsInQueue(shell.place(of: path)) } catch {
                console.warn("not worked with: \(CommandFailure(error).message.safe)")
                return false
            }
        }
        guard !files.isEmpty else {
            throw CommandFailure(
                .notFound,
                "no file in '\(folder)' is a pipeline with 'queue'; name one with --pipeline FILE, or another folder")
        }
        return files
    }

    /// Checks that two files agree about the queue, because one worker has one queue.
    private static func check(
        _ path: String, _ target: RunTarget, agreesWith other: String, _ otherTarget: RunTarget
    ) throws {
        for key in ["queue", "monitoring"] {
            let (one, two) = (target.request["definition"]?[key], otherTarget.request["definition"]?[key])
            guard one != two else { continue }
            let keys = Set((one?.object?.members.map(\.key) ?? []) + (two?.object?.members.map(\.key) ?? []))
            let differing = keys.sorted().first { one?[$0] != two?[$0] }
            throw CommandFailure(
                .invalidData,
                "\(path) and \(other) differ in \(key)\(differing.map { ".\($0)" } ?? ""); one worker has one queue: "
                    + "let the files agree, or work with one of them at a time")
        }
    }

    // MARK: Executions

    /// Returns what an execution waits for if it belongs to none of these pipelines.
    func elsewhere(_ execution: Execution) -> String? {
        guard pipeline(of: execution) == nil else { return nil }
        let file = execution.runRequest["pipeline"]?.string
        let folder = execution.runRequest["folder"]?.string
        if let folder, folder != shell.folder { return "a worker of \(file ?? "its pipeline") in \(folder)" }
        guard let file else { return "a program that knows '\(execution.processorID?.text ?? "")'" }
        let isKnown = given.contains { shell.place(of: $0.path) == shell.place(of: file) }
        return isKnown
            ? "\(file) as it was when this was submitted; submit it again as the file is now" : "a worker of \(file)"
    }

    private func pipeline(of execution: Execution) -> Given? {
        guard execution.runRequest["folder"]?.string == shell.folder else { return nil }
        return given.first { pipeline in
            pipeline.target.work.name == execution.processorID
                && pipeline.target.work.isGraph == (execution.graphID != nil)
                && pipeline.target.options.pipeline == execution.pipeline
        }
    }

    /// Returns what an execution needs to run: the definition that was submitted, at the prices of its file.
    func resolve(_ execution: Execution) throws -> (Runnable, RunOptions) {
        guard pipeline(of: execution) != nil else {
            throw ProcessingError(
                .configuration, "execution '\(execution.id)' waits for \(elsewhere(execution) ?? "another program")")
        }
        let request = execution.runRequest
        var target: RunTarget
        do {
            target = try RunTarget(request: request, named: "execution '\(execution.id)'", console, in: shell)
            try target.apply(console.settings, earlier: request["flags"])
        } catch let failure as CommandFailure {
            throw ProcessingError(.configuration, failure.message)
        }
        StoredRequest(request).repeatCaching(caching, in: &target.options, since: execution.createdAt)
        target.options.scope = execution.scope
        target.options.returnsOutcomes = false
        try target.attachTaps(console)
        return (target.work, target.options)
    }

    // MARK: The engine

    /// Creates an engine for all of the pipelines.
    func engine(_ store: any Store, in shell: Shell) -> Engine {
        guard given.count > 1 else { return given[0].target.engine(store, in: shell) }
        var target = given[0].target
        target.prices = JoinedPrices(given, currency: store.currency)
        return target.engine(store, in: shell)
    }

    /// The alert rules of all pipelines.
    var alerts: [AlertRule] { given.flatMap(\.target.alerts) }

    /// Makes later warnings of the files events of `engine`.
    func passWarnings(to engine: Engine) { for pipeline in given { pipeline.target.warnings.pass(to: engine) } }
}

extension RunTarget {
    /// Returns whether it is the same work as `other`.
    fileprivate func isOf(_ other: RunTarget) -> Bool {
        work.name == other.work.name && work.isGraph == other.work.isGraph
            && options.pipeline == other.options.pipeline
    }
}

/// The prices of several files as one list. The files agree on each price.
private final class JoinedPrices: PriceSource {
    private let sources: [any PriceSource]
    private let last: Mutex<PriceList>

    init(_ pipelines: [WorkerPipelines.Given], currency: String) {
        sources = pipelines.compactMap(\.target.prices)
        last = Mutex(Self.join(sources, currency: currency) ?? PriceList(currency: currency))
    }

    func current() -> PriceList {
        last.withLock { last in
            // Ignore a later change that makes the files contradict each other.
            if let joined = Self.join(sources, currency: last.currency) { last = joined }
            return last
        }
    }

    /// Refuses files with different prices for the same thing.
    static func check(_ pipelines: [WorkerPipelines.Given]) throws {
        var known: [PriceSubject: (path: String, prices: [Price])] = [:]
        var currency: (path: String, name: String)?
        for pipeline in pipelines {
            guard let list = pipeline.target.prices?.current() else { continue }
            if let currency, currency.name != list.currency {
                throw CommandFailure(
                    .invalidData,
                    "\(currency.path) has prices in \(currency.name), \(pipeline.path) in \(list.currency); "
                        + "one store has one currency")
            }
            currency = currency ?? (pipeline.path, list.currency)
            for (subject, prices) in list.entries {
                if let other = known[subject], other.prices != prices {
                    throw CommandFailure(
                        .invalidData,
                        "\(other.path) and \(pipeline.path) have different prices for '\(subject.sortKey)'; "
                            + "let the files agree, or work with one of them at a time")
                }
                known[subject] = (pipeline.path, prices)
            }
        }
    }

    /// Returns all prices; `nil` if two lists contradict each other.
    private static func join(_ sources: [any PriceSource], currency: String) -> PriceList? {
        let lists = sources.map { $0.current() }
        var joined = PriceList(currency: lists.first?.currency ?? currency)
        var known: [PriceSubject: [Price]] = [:]
        for list in lists {
            guard list.currency == joined.currency else { return nil }
            for (subject, prices) in list.entries {
                if let other = known[subject] {
                    guard other == prices else { return nil }
                    continue
                }
                known[subject] = prices
                for price in prices { joined.add(price, for: subject) }
            }
        }
        return joined
    }
}
