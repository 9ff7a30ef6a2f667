import AssayTesting
import Foundation
import Testing

@Suite("Programs one after another, under a low limit of descriptors", .timeLimit(.minutes(60))) struct ProgramRigTests
{
    /// How many programs end after each answer: some here, many where there is time for it.
    private static let programs = Rig.isLong ? 10_000 : 300
    private static let crashes = Rig.isLong ? 1_000 : 50

    /// Runs `assay run p.yaml` over so many inputs with 256 descriptors, and returns how many inputs succeeded.
    private func run(_ shell: TestShell, inputs: Int) throws -> Int {
        try shell.write((1...inputs).map { "{\"data\":\($0)}\n" }.joined(), to: "in.jsonl")
        let assay = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent("assay").path
        try FileManager.default.createDirectory(atPath: shell.folder + "/tmp", withIntermediateDirectories: true)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "ulimit -n 256; exec \"$0\" run p.yaml --inputs in.jsonl -o json", assay]
        process.currentDirectoryURL = URL(fileURLWithPath: shell.folder)
        process.environment = ["PATH": "/usr/bin:/bin", "TMPDIR": shell.folder + "/tmp", "HOME": shell.folder]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let report = try JSONSerialization.jsonObject(with: text) as? [String: Any]
        return (report?["counts"] as? [String: Any])?["succeeded"] as? Int ?? -1
    }

    /// What is left of programs: folders, and processes that know of the folder of the test.
    private func leftovers(_ shell: TestShell) throws -> [String] {
        let folders = try FileManager.default.contentsOfDirectory(atPath: shell.folder + "/tmp")
        let processes = try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { name in
            guard Int(name) != nil, let text = FileManager.default.contents(atPath: "/proc/\(name)/environ") else {
                return false
            }
            return String(decoding: text, as: UTF8.self).contains("RIG=\(shell.folder)\0")
        }
        return folders + processes
    }

    private func shell(_ script: String, node: String = "") throws -> TestShell {
        let shell = try TestShell()
        try shell.write(script, to: "one.sh")
        try shell.write(
            """
            run_as: processor
            runner: {type: thread, max_workers: 2}
            processors:
              - processor_id: c
                processor_type: command
            \(node)
                parameters: {command: [/bin/sh, ./one.sh], environment: {RIG: "\(shell.folder)"}}
            """, to: "p.yaml")
        return shell
    }

    @Test("programs that end after each answer need no more descriptors the more there were") func shortLived() throws {
        let shell = try shell(
            #"""
            read -r line; id=${line#*\"id\":\"}; id=${id%%\"*}; printf '{"id":"%s","output":1}\n' "$id"
            """#)
        #expect(try run(shell, inputs: Self.programs) == Self.programs)
        #expect(try leftovers(shell) == [])
    }

    @Test("programs that crash leave no descriptor, process or folder behind") func crashes() throws {
        let shell = try shell(
            #"""
            while read -r line; do
                id=${line#*\"id\":\"}; id=${id%%\"*}
                input=${line#*\"input_id\":\"}; input=${input%%\"*}
                sleep 600 &
                touch here
                [ -e "$RIG/seen-$input" ] || { touch "$RIG/seen-$input"; kill -9 $$; }
                printf '{"id":"%s","output":1}\n' "$id"
            done
            """#)
        #expect(try run(shell, inputs: Self.crashes) == Self.crashes)
        let seen = try FileManager.default.contentsOfDirectory(atPath: shell.folder).count { $0.hasPrefix("seen-") }
        #expect(seen == Self.crashes)
        #expect(try leftovers(shell) == [])
    }
}
