import Assay
import AssayPipelines

extension ConfigurationDocument {
    /// `text` as the contents of a file called `p`.
    init(_ text: String, as format: Format = .yaml) throws(ProcessingError) {
        try self.init(Array(text.utf8), as: format, file: "p")
    }
}

/// The findings of reading `text` and then `schema`, as they are shown, without the name of the file.
func findings(
    of text: String, as format: ConfigurationDocument.Format = .yaml, schema: (MapReader) -> Void = { _ in }
) -> [String] {
    do {
        let document = try ConfigurationDocument(text, as: format)
        if let map = document.value.map() { schema(map) }
        try document.findings.check()
        return []
    } catch {
        return error.message.split(separator: "\n").map { $0.hasPrefix("p:") ? String($0.dropFirst(2)) : String($0) }
    }
}
