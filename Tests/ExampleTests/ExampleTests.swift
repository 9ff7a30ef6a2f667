import Foundation
import Testing

/// What the examples print when they are built and run as the README says.
@Suite("The examples") struct ExampleTests {
    /// Runs a built program in an empty folder and gives what it printed.
    private func output(of program: String, _ arguments: [String] = [], in folder: URL) throws -> (
        text: String, status: Int32
    ) {
        let process = Process()
        process.executableURL = Self.products.appendingPathComponent(program)
        process.arguments = arguments
        process.currentDirectoryURL = folder
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (text, process.terminationStatus)
    }

    private func inFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    private static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// The folder of built products, in which the test bundle itself lies.
    private static let products: URL = {
        let arguments = ProcessInfo.processInfo.arguments
        let bundle = arguments.first { $0.hasSuffix(".xctest") } ?? arguments[0]
        return URL(fileURLWithPath: bundle).deletingLastPathComponent()
    }()

    @Test("quick start counts words, refuses the empty text and totals 1.10") func quickStart() throws {
        try inFolder { folder in
            let (text, status) = try output(of: "QuickStart", in: folder)
            #expect(status == 0)
            #expect(text.contains("item_1 succeeded 6\n"))
            #expect(text.contains("item_2 failed the text has no words\n"))
            #expect(text.contains("item_3 succeeded 4\n"))
            #expect(text.contains("partial, total 1.10 USD"))
        }
    }

    @Test("underwriting gives the same report and bill in worker processes as on threads") func processes() throws {
        try inFolder { folder in
            let example = Self.package.appendingPathComponent("Examples/underwriting")
            let reports = try ["thread", "process"].map { runner in
                let (text, status) = try output(
                    of: "assay",
                    [
                        "run", example.appendingPathComponent("pipeline.yaml").path,
                        example.appendingPathComponent("statements").path, "--runner", runner, "--store",
                        "\(runner).db", "-o", "json",
                    ], in: folder)
                #expect(status == 0)
                let report = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
                #expect(report["runner"] as? String == runner)
                return report
            }
            for key in ["status", "counts", "summary"] {
                #expect((reports[0][key] as? NSObject) == (reports[1][key] as? NSObject), "\(key)")
            }
            let costs = reports.map { ($0["cost_breakdown"] as? [String: Any])?["total_cost"] as? Double }
            #expect(costs == [0.1, 0.1])
        }
    }

    @Test("underwriting gives the factors of ten real statements for 0.10") func underwriting() throws {
        try inFolder { folder in
            let example = Self.package.appendingPathComponent("Examples/underwriting")
            let arguments = ["run", example.appendingPathComponent("pipeline.yaml").path]
            let statements = example.appendingPathComponent("statements").path
            let (text, status) = try output(of: "assay", arguments + [statements, "-o", "json"], in: folder)
            #expect(status == 0)
            let report = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
            #expect(report["status"] as? String == "succeeded")
            #expect((report["cost_breakdown"] as? [String: Any])?["total_cost"] as? Double == 0.1)
            let accounts = (report["summary"] as? [String: Any])?["accounts"] as? [[String: Any]] ?? []
            let belgian = try #require(accounts.first { $0["account"] as? String == "BE68793230773034" })
            #expect(belgian["chain"] as? String == "ok")
            #expect((belgian["factors"] as? [String: Any])?["average_daily_balance"] as? Double == 46915.47)
        }
    }

    @Test("underwriting decides on ten real statements, and looks each business up once") func decision() throws {
        try inFolder { folder in
            let example = Self.package.appendingPathComponent("Examples/underwriting")
            let (text, status) = try output(
                of: "assay",
                [
                    "run", example.appendingPathComponent("decision.yaml").path,
                    example.appendingPathComponent("statements").path, "-o", "json",
                ], in: folder)
            #expect(status == 0)
            let report = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
            let decisions = (report["outcomes"] as? [[String: Any]] ?? []).compactMap { outcome in
                ((outcome["output"] as? [String: Any])?["decision:output"] as? [String: Any])?["decision"] as? String
            }
            #expect(decisions.count == 10)
            #expect(decisions.count { $0 == "approve" } == 6)
            // Seven look-ups of 0.75, and the base.
            let bill = report["cost_breakdown"] as? [String: Any]
            #expect(bill?["total_cost"] as? Double == 5.35)
            #expect(bill?["avoided_cost"] as? Double == 2.25)
        }
    }

    /// The report of `assay run PIPELINE --inputs INPUTS` in `folder`.
    private func report(of pipeline: String, over inputs: String, in folder: URL) throws -> (
        outputs: [[String: Any]], texts: [String?], total: Double?, avoided: Double?
    ) {
        let run = try output(of: "assay", ["run", pipeline, "--inputs", inputs, "-o", "json"], in: folder)
        #expect(run.status == 0, "\(run.text)")
        let report = try #require(try JSONSerialization.jsonObject(with: Data(run.text.utf8)) as? [String: Any])
        let outcomes = report["outcomes"] as? [[String: Any]] ?? []
        let bill = report["cost_breakdown"] as? [String: Any]
        return (
            outcomes.compactMap { $0["output"] as? [String: Any] }, outcomes.map { $0["output"] as? String },
            bill?["total_cost"] as? Double, bill?["avoided_cost"] as? Double
        )
    }

    @Test("a worker in Python pays for a look-up once and charges its pages") func worker() throws {
        try inFolder { folder in
            let example = Self.package.appendingPathComponent("Examples/programs")
            let (outputs, _, total, avoided) = try report(
                of: example.appendingPathComponent("score.yaml").path,
                over: example.appendingPathComponent("documents.jsonl").path, in: folder)
            #expect(outputs.map { $0["accepted"] as? Bool } == [true, true, false])
            #expect(outputs.map { $0["pages"] as? Int } == [3, 8, 1])
            // Two look-ups of 0.75 and twelve pages of 0.05.
            #expect(total == 2.1)
            #expect(avoided == 0.75)
        }
    }

    @Test("a program tells a plan what it is going to cost; what is paid for already is avoided") func plan() throws {
        try inFolder { folder in
            let example = Self.package.appendingPathComponent("Examples/programs")
            let pipeline = example.appendingPathComponent("translate.yaml").path
            let inputs = example.appendingPathComponent("texts.jsonl").path
            func figures() throws -> [Double?] {
                let run = try output(of: "assay", ["plan", pipeline, "--inputs", inputs, "-o", "json"], in: folder)
                #expect(run.status == 0, "\(run.text)")
                let plan = try JSONSerialization.jsonObject(with: Data(run.text.utf8)) as? [String: Any]
                let group = (plan?["groups"] as? [[String: Any]])?.first
                return [plan?["low"], plan?["high"], group?["avoided_cost"]].map { $0 as? Double }
            }
            // Seven words of 0.02.
            #expect(try figures() == [0.14, 0.14, 0])
            let (_, texts, total, _) = try report(of: pipeline, over: inputs, in: folder)
            #expect(texts == ["eht kciuq nworb xof", "spmuj revo ti"])
            #expect(total == 0.14)
            #expect(try figures() == [0, 0, 0.14])
        }
    }

    @Test("programs that are started for each input answer on their output") func once() throws {
        try inFolder { folder in
            let example = Self.package.appendingPathComponent("Examples/programs")
            let inputs = example.appendingPathComponent("texts.jsonl").path
            let words = try report(of: example.appendingPathComponent("words.yaml").path, over: inputs, in: folder)
            #expect(words.outputs.map { $0["words"] as? Int } == [4, 3])
            let upper = try report(of: example.appendingPathComponent("upper.yaml").path, over: inputs, in: folder)
            #expect(upper.texts == ["THE QUICK BROWN FOX", "JUMPS OVER IT"])
        }
    }

    @Test("a program opens the file of each input, and a corrected file is worked on again") func files() throws {
        try inFolder { folder in
            let example = Self.package.appendingPathComponent("Examples/programs")
            try FileManager.default.copyItem(
                atPath: example.appendingPathComponent("pages").path, toPath: folder.path + "/pages")
            func lines() throws -> [Int?] {
                let run = try output(
                    of: "assay", ["run", example.appendingPathComponent("lines.yaml").path, "pages", "-o", "json"],
                    in: folder)
                #expect(run.status == 0, "\(run.text)")
                let report = try JSONSerialization.jsonObject(with: Data(run.text.utf8)) as? [String: Any]
                return (report?["outcomes"] as? [[String: Any]] ?? []).map {
                    ($0["output"] as? [String: Any])?["lines"] as? Int
                }
            }
            #expect(try lines() == [2, 3])
            // As long as before, with a line less.
            try Data("one two\n".utf8).write(to: folder.appendingPathComponent("pages/first.txt"))
            #expect(try lines() == [1, 3])
        }
    }

    @Test("what assay init writes runs as it stands, the processor in Python too") func initialFiles() throws {
        try inFolder { folder in
            #expect(try output(of: "assay", ["init"], in: folder).status == 0)
            let (outputs, _, total, avoided) = try report(of: "program.yaml", over: "documents.jsonl", in: folder)
            #expect(
                outputs.map { $0["text"] as? String } == [
                    "hello, Ada Lovelace", "hello, Grace Hopper", "hello, Ada Lovelace",
                ])
            #expect(total == 0.5)
            #expect(avoided == 0.25)
        }
    }
}
