import Assay
import Foundation

/// A plan with what it was made of, in a file from which it can be carried out.
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

    /// Writes the file; one that is there is replaced only when all of the new one is on the disk.
    func write(to path: String, in shell: Shell) throws {
        do {
            try Data((json.json + "\n").utf8).write(to: URL(fileURLWithPath: shell.place(of: path)), options: .atomic)
        } catch {
            throw CommandFailure(.inputOutput, "\(path): cannot be written: \(error.localizedDescription)")
        }
    }
}

extension PlanFile {
    /// Reads the file at `path`.
    ///
    /// - Throws: ``CommandFailure`` when there is none, or it holds no plan.
    init(_ path: String, in shell: Shell) throws {
        guard let data = FileManager.default.contents(atPath: shell.place(of: path)) else {
            throw CommandFailure(.notFound, "\(path): no such file, or it cannot be read")
        }
        let json: JSONValue
        do { json = try JSONValue(json: data) } catch {
            throw CommandFailure(.invalidData, "\(path): not valid JSON: \(error)")
        }
        guard let plan = Plan(jsonValue: json), let command = json["command"], let request = command["request"],
            let caching = command["caching"]?.string.flatMap(CacheMode.init(rawValue:)),
            let options = PlannedOptions(command["options"])
        else { throw CommandFailure(.invalidData, "\(path): not a plan; make one with: assay plan … --out \(path)") }
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
