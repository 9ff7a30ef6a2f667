import Foundation
import Testing

@testable import Assay

@Suite("A child process") struct ChildProcessTests {
    @Test(
        "ends with what it says", arguments: [("exit 0", "exited with status 0"), ("exit 3", "exited with status 3")])
    func exits(script: String, text: String) async throws {
        #expect(await (try shell(script)).waitForExit().description == text)
    }

    @Test("names the signal that it died of", arguments: [(SIGSEGV, "11 (SIGSEGV)"), (SIGKILL, "9 (SIGKILL)")])
    func signals(signal: Int32, text: String) async throws {
        #expect(await (try shell("kill -\(signal) $$")).waitForExit().description == "crashed with signal \(text)")
    }

    @Test("has the arguments, environment, folder and descriptors that it was given, and no others") func launch()
        async throws
    {
        let (read, write) = try Descriptor.pipe()
        let (other, _) = try Descriptor.pipe()
        var launch = ChildProcess.Launch(
            "/bin/sh",
            [
                "-c",
                #"echo "$0 $1 $COLOUR $HOME $PWD" >&4; for n in $(seq 0 63); do [ -e /proc/$$/fd/$n ] && echo $n >&4; done"#,
                "a b", "*",
            ],
            environment: ["COLOUR": "dark red", "PATH": "/usr/bin:/bin"], folder: "/usr")
        launch.descriptors = [nil, nil, nil, nil, write]
        let child = try ChildProcess(launch)
        write.close()
        await child.waitForExit()
        #expect(text(from: read) == "a b * dark red  /usr\n0\n1\n2\n3\n4\n")
        other.close()
    }

    @Test("gets descriptors whose numbers are each other's") func crossedDescriptors() async throws {
        let (read, write) = try Descriptor.pipe()
        let child = try ChildProcess(
            .init(
                "/bin/sh", ["-c", "cat <&0 >&1"], descriptors: [Descriptor(open("/dev/null", O_RDONLY)), write, write]))
        write.close()
        #expect(await child.waitForExit() == .exited(0))
        #expect(text(from: read) == "")
    }

    @Test("that cannot be started is an error of its own") func missing() throws {
        let error = #expect(throws: ProcessingError.self) { try ChildProcess(.init("/nowhere/at-all")) }
        #expect(error?.code == .runnerUnavailable)
        #expect(error?.message == "cannot start '/nowhere/at-all': No such file or directory")
        #expect(error?.retryable == false)
    }

    @Test("takes what it leaves in its group with it, though that holds its pipes") func leftBehind() async throws {
        let (read, write) = try Descriptor.pipe()
        let child = try ChildProcess(
            .init("/bin/sh", ["-c", "sleep 600 & echo $!"], descriptors: [nil, write], environmentPath: true))
        write.close()
        #expect(await child.waitForExit() == .exited(0))
        // The end of the pipe is reached only when the grandchild is gone, too.
        let grandchild = try #require(pid_t(text(from: read).trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(!isAlive(grandchild))
    }

    @Test("that ignores SIGTERM is killed after the grace") func stubborn() async throws {
        let (read, write) = try Descriptor.pipe()
        let child = try ChildProcess(
            .init(
                "/bin/sh", ["-c", "trap '' TERM; echo ready; while :; do sleep 600; done"], descriptors: [nil, write],
                environmentPath: true))
        #expect(firstLine(from: read) == "ready")
        #expect(await child.end(grace: .milliseconds(50)) == .signalled(SIGKILL))
        #expect(child.exit == .signalled(SIGKILL))
    }

    @Test("may be asked to end after it has ended") func endedTwice() async throws {
        let child = try shell("exit 7")
        #expect(await child.waitForExit() == .exited(7))
        #expect(await child.end() == .exited(7))
    }

    @Test("carries the leash, and a sweep finds what escaped from its session") func sweep() async throws {
        let (read, write) = try Descriptor.pipe()
        let token = "test-\(UInt64.random(in: 0 ... .max))"
        let launch = ChildProcess.Launch(
            "/bin/sh", ["-c", "setsid sh -c 'echo $ASSAY_LEASH >&2; exec sleep 600' & sleep 600"],
            environment: ["PATH": "/usr/bin:/bin", Leash.variable: "above,\(token)"], descriptors: [nil, nil, write])
        let child = try ChildProcess(unleashed: launch)
        write.close()
        #expect(firstLine(from: read) == "above,\(token)")
        await child.end()
        #expect(Leash.sweep(token: token) == 1)
        #expect(text(from: read) == "")
    }

    private func shell(_ script: String) throws -> ChildProcess {
        try ChildProcess(.init("/bin/sh", ["-c", script], environmentPath: true))
    }

    private func isAlive(_ process: pid_t) -> Bool {
        guard let stat = ProcessTable.file("stat", of: process) else { return false }
        return !String(decoding: stat, as: UTF8.self).contains(") Z ")
    }

    private func text(from descriptor: Descriptor) -> String {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while read(descriptor.number, &byte, 1) == 1 { bytes.append(byte) }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func firstLine(from descriptor: Descriptor) -> String {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while read(descriptor.number, &byte, 1) == 1, byte != UInt8(ascii: "\n") { bytes.append(byte) }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension ChildProcess.Launch {
    fileprivate init(
        _ executable: String, _ arguments: [String], descriptors: [Descriptor?] = [], environmentPath: Bool
    ) {
        self.init(executable, arguments, environment: ["PATH": "/usr/bin:/bin"], descriptors: descriptors)
    }
}
