import Assay
import AssayPipelines
import Foundation

/// The file `assay.yaml` of the working folder: a flat map of settings.
struct SettingsFile {
    static let name = "assay.yaml"

    /// The settings in the file.
    private(set) var values: [Settings.Key: Settings.Setting] = [:]
    /// The reasons why the file was skipped.
    private(set) var warnings: [String] = []

    /// Reads the file if it exists and no one else can have written it.
    init(in shell: Shell) throws(ProcessingError) {
        let path = shell.place(of: Self.name)
        var found = stat()
        guard lstat(path, &found) == 0 else { return }
        if let reason = Self.distrust(path, folder: shell.workingFolder ?? ".") {
            warnings.append("\(Self.name) is not used: \(reason)")
            return
        }
        let document = try ConfigurationDocument(path: path)
        if case .map(let entries) = document.root.value, entries.contains(where: { $0.key == "processors" }) {
            throw ProcessingError(
                .configuration,
                "\(Self.name) is the file of settings, and this one describes a pipeline; give the pipeline another name, "
                    + "such as pipeline.yaml")
        }
        if document.root.value != .null, let map = document.value.map() {
            for key in Settings.Key.allCases {
                guard let value = map[key.rawValue], let text = Self.text(value) else { continue }
                let place = "\(Self.name):\(value.node.position.line):\(value.node.position.column)"
                values[key] = Settings.Setting(text: text, origin: .file(place))
            }
            map.finish()
        }
        try document.findings.check()
    }

    private static func text(_ value: ValueReader) -> String? {
        switch value.node.value {
        case .text(let text): return text
        case .number(let number): return number.description
        case .bool(let flag): return flag ? "true" : "false"
        default:
            value.expected("text, a number, true or false")
            return nil
        }
    }

    /// Returns why another user could have written a file; `nil` if none could.
    private static func distrust(_ path: String, folder: String) -> String? {
        for (name, what) in [(folder, "its folder"), (path, "it")] {
            var found = stat()
            guard stat(name, &found) == 0 else { return "\(what) cannot be looked at" }
            if found.st_uid != geteuid() { return "\(what) belongs to another user" }
            if found.st_mode & S_IWOTH != 0 { return "\(what) may be changed by other users" }
        }
        return nil
    }
}
