import Assay
import Foundation

/// A plan with what it was made of, in a file from which it can be carried out.
///
/// The file is JSON lines: the plan first, then a row for each input.
struct PlanFile {
    /// What is to be run, as runs on record keep it.
    var request: JSONValue
    /// The words that name inputs.
    var inputs: [String]
    /// Files of JSON lines with inputs.
    var lists: [String]
    /// Patterns of files that are left out.
    var excluded: [String] = []
    /// For whom the run works.
    var scope: Scope
    /// What the cache is used for, in a word.
    var caching: CacheMode
    /// The run that would be resumed.
    var resumes: String?
    /// Whether only what failed in that run is done again.
    var failedOnly = false
    /// How it would be done.
    var options: PlannedOptions
    /// What was found.
    var plan: Plan

    /// The file's contents: the plan, and under `command` what it was made of.
    var json: JSONValue {
        guard case .object(var object) = plan.jsonValue else { return .null }
        object["command"] = [
            "request": request, "inputs": .array(inputs.map { .string($0) }),
            "lists": .array(lists.map { .string($0) }),
            "excluded": .array(excluded.map { .string($0) }), "account_id": JSONValue(text: scope.accountID?.text),
            "underwriting_id": JSONValue(text: scope.underwritingID?.text),
            "execution_id": JSONValue(text: scope.executionID?.text), "caching": .string(caching.rawValue),
            "resumes": JSONValue(text: resumes), "failed_only": .bool(failedOnly), "options": options.json,
        ]
        return .object(object)
    }

    /// Writes the file with `rows`; one that is there is replaced only when all of the new one is on the disk.
    func write(_ rows: PlanRows, to path: String, in shell: Shell) throws {
        let place = URL(fileURLWithPath: shell.place(of: path)).resolvingSymlinksInPath().path
        var found = stat()
        guard stat(place, &found) != 0 || found.st_mode & S_IFMT == S_IFREG else {
            throw CommandFailure.usage("--out '\(path)' is not a file")
        }
        let part = "\(place).\(getpid()).part"
        func refused(_ code: Int32) -> CommandFailure {
            CommandFailure(.inputOutput, "\(path): cannot be written: \(String(cString: strerror(code)).lowercased())")
        }
        let number = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard number >= 0 else { throw refused(errno) }
        let file = Descriptor(number)
        do {
            let sink = DescriptorSink(file.number)
            var buffer = json.jsonBytes + [UInt8(ascii: "\n")]
            try rows.forEach(of: plan) { row in
                buffer += row.jsonValue.jsonBytes + [UInt8(ascii: "\n")]
                guard buffer.count > 65_536 else { return }
                try sink.write(buffer)
                buffer.removeAll(keepingCapacity: true)
            }
            try sink.write(buffer)
            guard fsync(file.number) == 0, rename(part, place) == 0 else { throw SinkError.failed(errno) }
        } catch {
            unlink(part)
            guard let error = error as? SinkError, case .failed(let code) = error else { throw error }
            throw refused(code)
        }
    }
}

extension PlanFile {
    /// Reads the file at `path`, but for its rows.
    ///
    /// - Throws: ``CommandFailure`` when there is none, or it holds no plan.
    static func read(_ path: String, in shell: Shell) throws -> (file: PlanFile, rows: SavedRows) {
        var lines = JSONLines(try DescriptorSource(path: shell.place(of: path), name: path), name: path)
        guard let json = try lines.nextValue(), let file = PlanFile(json) else {
            throw CommandFailure(.invalidData, "\(path): not a plan; make one with: assay plan … --out \(path)")
        }
        return (file, SavedRows(lines))
    }

    private init?(_ json: JSONValue) {
        guard let plan = Plan(jsonValue: json), let command = json["command"], let request = command["request"],
            let caching = command["caching"]?.string.flatMap(CacheMode.init(rawValue:)),
            let options = PlannedOptions(command["options"])
        else { return nil }
        self.init(
            request: request, inputs: command["inputs"]?.array?.compactMap(\.string) ?? [],
            lists: command["lists"]?.array?.compactMap(\.string) ?? [],
            excluded: command["excluded"]?.array?.compactMap(\.string) ?? [],
            scope: Scope(
                accountID: command["account_id"]?.string.flatMap { ExternalID($0) },
                underwritingID: command["underwriting_id"]?.string.flatMap { ExternalID($0) },
                executionID: command["execution_id"]?.string.flatMap { Identifier($0) }),
            caching: caching, resumes: command["resumes"]?.string, failedOnly: command["failed_only"] == true,
            options: options, plan: plan)
    }
}
