/// The media types that file names suggest.
enum MediaType {
    /// Returns the media type for the suffix of `path`.
    static func named(by path: String) -> String {
        let name = path.split(separator: "/").last ?? ""
        guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return unknown }
        return bySuffix[name[name.index(after: dot)...].lowercased()] ?? unknown
    }

    private static let unknown = "application/octet-stream"

    private static let bySuffix = [
        "940": "application/x-mt940", "bai": "application/x-bai2", "bai2": "application/x-bai2", "csv": "text/csv",
        "gif": "image/gif", "htm": "text/html", "html": "text/html", "jpeg": "image/jpeg", "jpg": "image/jpeg",
        "json": "application/json", "jsonl": "application/jsonl", "md": "text/markdown",
        "mt940": "application/x-mt940", "ofx": "application/x-ofx", "pdf": "application/pdf", "png": "image/png",
        "qbo": "application/x-ofx", "qfx": "application/x-ofx", "qif": "application/x-qif",
        "sta": "application/x-mt940", "tif": "image/tiff", "tiff": "image/tiff", "tsv": "text/tab-separated-values",
        "txt": "text/plain", "xml": "application/xml", "yaml": "application/yaml", "yml": "application/yaml",
        "zip": "application/zip",
    ]
}
