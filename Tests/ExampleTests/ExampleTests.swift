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
}
