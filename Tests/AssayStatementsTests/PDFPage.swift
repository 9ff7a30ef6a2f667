import Foundation

/// A page of text as a PDF, in letters of one width.
func pdf(_ text: String) -> [UInt8] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
        let escaped = line.replacing("(", with: "\\(").replacing(")", with: "\\)")
        return "(\(escaped)) Tj T*"
    }
    let content = "BT /F1 9 Tf 12 TL 40 750 Td\n\(lines.joined(separator: "\n"))\nET"
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        "<</Length \(content.utf8.count)>>stream\n\(content)\nendstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Courier>>",
    ]
    let body = objects.enumerated().map { "\($0.offset + 1) 0 obj\($0.element)endobj\n" }.joined()
    return [UInt8]("%PDF-1.4\n\(body)trailer<</Root 1 0 R>>\n%%EOF\n".utf8)
}

/// Whether the program that takes text from PDFs is installed.
let hasPDFProgram = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"].contains {
    FileManager.default.isExecutableFile(atPath: $0 + "/pdftotext")
}
