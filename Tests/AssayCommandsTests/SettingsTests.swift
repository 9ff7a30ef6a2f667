import AssayCommands
import Foundation
import Testing

@Suite("Settings") struct SettingsTests {
    @Test("come from flags, then the environment, then the file, then defaults")
    func order() throws {
        let shell = try TestShell(environment: ["ASSAY_WORKERS": "3", "ASSAY_RUNNER": "thread", "ASSAY_ACCOUNT": ""])
        try shell.write("workers: 2\nrunner: sequential\naccount: acc_file\nquiet: true\n", to: "assay.yaml")
        let settings = try Settings(flags: [.workers: "4", .runner: nil], in: shell.value)
        #expect(settings[.workers]?.text == "4" && settings[.workers]?.origin == .flag("--workers"))
        #expect(settings[.runner]?.text == "thread" && settings[.runner]?.origin == .environment("ASSAY_RUNNER"))
        #expect(settings[.account]?.origin == .file("assay.yaml:3:10"))
        #expect(settings[.store]?.origin == .standard && settings[.timeout] == nil)
        #expect(try settings.quiet())
    }

    @Test(
        "are refused with their origin",
        arguments: [
            ("worker: 2\n", [:], 65, "assay.yaml:1:1: unknown key 'worker'; did you mean 'workers'?"),
            ("workers: [2]\n", [:], 65, "assay.yaml:1:10: workers must be text, a number, true or false, found a list"),
            ("color: pink\n", [:], 65, "assay.yaml:1:8: color must be auto, always or never, found 'pink'"),
            ("", ["ASSAY_OUTPUT": "xml"], 64, "ASSAY_OUTPUT must be one of table, json, jsonl, none, found 'xml'"),
        ] as [(String, [String: String], Int32, String)])
    func refused(file: String, environment: [String: String], code: Int32, message: String) async throws {
        let shell = try TestShell(environment: environment)
        try shell.write(file, to: "assay.yaml")
        #expect(await shell.assay("config", "show") == code)
        #expect(shell.messages.text.contains(message))
    }

    @Test("are not taken from a folder or file that others can write", arguments: ["", "/assay.yaml"])
    func distrust(path: String) async throws {
        let shell = try TestShell()
        try shell.write("color: never\n", to: "assay.yaml")
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: shell.folder + path)
        #expect(await shell.assay("config", "show", "--origin") == 0)
        #expect(shell.messages.text.contains("assay.yaml is not used"))
        #expect(!shell.output.text.contains("never"))
    }
}
