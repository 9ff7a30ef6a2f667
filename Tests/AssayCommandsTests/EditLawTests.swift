import Assay
import AssayTesting
import Foundation
import Testing

/// A folder in which chance edits files, a program, settings and variables between commands.
///
/// What a command prints is compared with what a fresh run on the same content would print.
final class EditRig {
    /// What the outputs follow from.
    private struct Content: Equatable {
        /// The number in each file, by name.
        var files: [String: Int]
        /// What the program multiplies with.
        var factor = 2
        /// What it adds, from its settings.
        var offset = 0
        /// What it adds besides, from a variable.
        var region = 1

        func output(of name: String) -> Int? { files[name].map { $0 * factor + offset * 1_000 + region * 100_000 } }
        func isSameDefinition(as other: Content) -> Bool {
            (factor, offset, region) == (other.factor, other.offset, other.region)
        }
    }

    private let seed: UInt64
    private var chance: SeededNumbers
    private var shell: TestShell
    private var content = Content(files: [:])
    private var story: [String] = []
    /// What the last run of the execution, and the last run of all, was made of.
    private var lastOfExecution: Content?
    private var last: (content: Content, isOfExecution: Bool)?

    init(seed: UInt64) throws {
        self.seed = seed
        chance = SeededNumbers(seed: seed)
        shell = try TestShell(environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? ""])
        for name in ["a.txt", "b.txt", "c.txt"] { content.files[name] = number() }
        for (name, value) in content.files { try write(value, to: name) }
        try FileManager.default.createDirectory(atPath: shell.folder + "/faults", withIntermediateDirectories: true)
        try writeProgram()
        try writePipelines()
    }

    private var comment: Comment { Comment(rawValue: "ASSAY_SEED=\(seed): " + story.joined(separator: "; ")) }

    /// Lives through edits and commands.
    func live() async throws {
        for _ in 0..<Int.random(in: 3...6, using: &chance) {
            for _ in 0..<Int.random(in: 0...2, using: &chance) { try edit() }
            try await command()
        }
    }

    // MARK: Edits

    /// Numbers of one length, so that no edit changes the size of a file.
    private func number() -> Int { Int.random(in: 100...999, using: &chance) }

    private func write(_ value: Int, to name: String) throws {
        let path = shell.folder + "/in/" + name
        let before = try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
        try shell.write("\(value)\n", to: "in/" + name)
        // As `touch -r` and copies that keep times do: a time says nothing of the content.
        if let before, Bool.random(using: &chance) {
            try FileManager.default.setAttributes([.modificationDate: before], ofItemAtPath: path)
        }
    }

    private func writeProgram() throws {
        let program = """
            import json, os, sys
            for line in sys.stdin:
                request = json.loads(line)
                path = request["data"]["path"]
                with open(path) as file:
                    value = int(file.read())
                with open("\(shell.folder)/log", "a") as log:
                    log.write(request["input_id"] + "\\n")
                fault = "\(shell.folder)/faults/" + os.path.basename(path)
                if os.path.exists(fault):
                    os.remove(fault)
                    answer = {"error": {"message": "fails as planned", "retryable": False}}
                else:
                    settings = request["context"]["settings"]
                    total = value * \(content.factor) + settings["offset"] * 1000 + int(settings["region"]) * 100000
                    answer = {"output": total}
                print(json.dumps({"id": request["id"], **answer}), flush=True)

            """
        try shell.write(program, to: "score.py")
    }

    private func writePipelines() throws {
        for (name, cache) in [("p.yaml", false), ("cached.yaml", true)] {
            let pipeline = """
                run_as: processor
                runner: {type: thread, max_workers: 2}
                processors:
                  - processor_id: score
                    processor_type: command
                    cache: \(cache)
                    parameters:
                      command: [python3, ./score.py]
                      settings: {offset: \(content.offset), region: "${REGION}"}

                """
            try shell.write(pipeline, to: name)
        }
    }

    private func edit() throws {
        switch Int.random(in: 0..<8, using: &chance) {
        case 0:
            content.factor = Int.random(in: 2...4, using: &chance)
            try writeProgram()
            story.append("factor \(content.factor)")
        case 1:
            content.offset = Int.random(in: 0...2, using: &chance)
            try writePipelines()
            story.append("offset \(content.offset)")
        case 2:
            content.region = Int.random(in: 1...2, using: &chance)
            story.append("region \(content.region)")
        case 3:
            let name = "new\(Int.random(in: 0...9, using: &chance)).txt"
            content.files[name] = number()
            try write(content.files[name] ?? 0, to: name)
            story.append("\(name)=\(content.files[name] ?? 0)")
        case 4 where content.files.count > 1:
            let name = content.files.keys.sorted().randomElement(using: &chance)!
            content.files[name] = nil
            try FileManager.default.removeItem(atPath: shell.folder + "/in/" + name)
            story.append("without \(name)")
        case 5:
            let name = content.files.keys.sorted().randomElement(using: &chance)!
            try shell.write("", to: "faults/" + name)
            story.append("\(name) will fail")
        default:
            let name = content.files.keys.sorted().randomElement(using: &chance)!
            content.files[name] = number()
            try write(content.files[name] ?? 0, to: name)
            story.append("\(name)=\(content.files[name] ?? 0)")
        }
    }

    // MARK: Commands

    private func command() async throws {
        var words: [String]
        var listed = content
        var isOfExecution = false
        switch Int.random(in: 0..<5, using: &chance) {
        case 0 where last != nil, 1 where last != nil:
            words = [Bool.random(using: &chance) ? "resume" : "retry", "last"]
            // The list and the settings are those on record; programs and variables are those of now.
            listed.files = last?.content.files ?? [:]
            listed.offset = last?.content.offset ?? 0
            isOfExecution = last?.isOfExecution == true
        case 2:
            words = ["run", "cached.yaml", "in"]
        default:
            let spelling = ["in", "./in", shell.folder + "/in"].randomElement(using: &chance)!
            words = ["run", "p.yaml", spelling, "--execution", "e"]
            isOfExecution = true
        }
        // A run of its own has no earlier work to be asked about.
        let restarts = words[1] != "cached.yaml" && Bool.random(using: &chance)
        if restarts { words += ["--on-change", "restart"] }
        story.append(words.joined(separator: " "))
        let worked = try lines("log")
        let (text, code) = await shell.output(of: words + ["-o", "json"], in: ["REGION": "\(content.region)"])
        guard let report = try? JSONValue(json: text), let outcomes = report["outcomes"]?.array else {
            story.append("refused (\(code))")
            let earlier = words[0] == "run" ? (isOfExecution ? lastOfExecution : nil) : last?.content
            #expect(code != 0, comment)
            #expect(!restarts && earlier.map { !$0.isSameDefinition(as: listed) } == true, comment)
            #expect(try lines("log") == worked, comment)
            return
        }
        story.append(report["status"]?.string ?? "?")
        try check(outcomes, listed, isRun: words[0] == "run")
        let begun = outcomes.filter { ($0["attempts"]?.number).map { $0 > 0 } == true }.compactMap {
            $0["input_id"]?.string
        }
        #expect(try Array(lines("log").dropFirst(worked.count)).sorted() == begun.sorted(), comment)
        last = (listed, isOfExecution)
        if isOfExecution { lastOfExecution = listed }
    }

    private func check(_ outcomes: [JSONValue], _ listed: Content, isRun: Bool) throws {
        let names = outcomes.compactMap { $0["input_id"]?.string }
        #expect(names.sorted() == listed.files.keys.map { "in/" + $0 }.sorted(), comment)
        for outcome in outcomes {
            let name = String(outcome["input_id"]?.string?.dropFirst(3) ?? "")
            switch outcome["status"]?.string {
            case "succeeded":
                let right = listed.output(of: name)
                #expect(
                    outcome["output"]?.number.flatMap { Int($0.description) } == right,
                    "\(name) is \(right ?? 0): \(comment)")
            case "failed":
                // A run takes files as they are; what goes on with a list says which of them are no longer the same.
                let error = outcome["error"]?["code"]?.string
                let isAsListed = content.files[name] == listed.files[name]
                #expect(isRun || isAsListed || ["input_changed", "not_found"].contains(error), comment)
                #expect(error == "input_changed" || error == "not_found" ? !isAsListed && !isRun : true, comment)
            default: Issue.record("\(outcome.json): \(comment)")
            }
        }
    }

    private func lines(_ name: String) throws -> [String] {
        let data = FileManager.default.contents(atPath: shell.folder + "/" + name) ?? Data()
        return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}

@Suite("Edits between commands") struct EditLawTests {
    @Test("Edits of files, programs, settings and variables never let an old output pass as a new one")
    func edits() async throws {
        let seed = Rig.isLong ? Rig.seed() : 1
        for number in 0..<(Rig.isLong ? 2_000 : 40) { try await EditRig(seed: seed &+ UInt64(number)).live() }
    }
}
