import AssayTesting
import Foundation
import Testing

@Suite("Files that nobody would write") struct PipelineFuzzTests {
    /// What the program beside the tests says of so many changed files, and how it ends.
    private static func fuzz(_ arguments: String...) async throws -> (text: String, status: Int32) {
        let folder = try TemporaryFolder()
        let told = try folder.write("", to: "told")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appendingPathComponent("PipelineFuzz")
        process.arguments = arguments
        process.standardOutput = FileHandle(forWritingAtPath: told)
        let (ends, end) = AsyncStream.makeStream(of: Void.self)
        process.terminationHandler = { _ in end.finish() }
        try process.run()
        for await _ in ends {}
        let status = process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
        return (try String(contentsOfFile: told, encoding: .utf8), status)
    }

    // In a program of its own, which may crash without taking the other tests along.
    @Test("are accepted or refused with findings, whatever was done to them")
    func short() async throws {
        let (text, status) = try await Self.fuzz("--count", "200", "--small")
        #expect(status == 0, "\(text)")
        #expect(text.contains(" 0 wrong"))
    }
}
