internal import Foundation

/// Character references in text: the five names of XML and numbers.
enum XMLText {
    /// Replaces the references in `text`; returns `nil` if one is not known.
    static func unescaped(_ text: String) -> String? {
        guard text.utf8.contains(UInt8(ascii: "&")) else { return text }
        var result = ""
        var rest = text[...]
        while let start = rest.firstIndex(of: "&") {
            result += rest[..<start]
            guard let end = rest[start...].firstIndex(of: ";"), let character = character(rest[start..<end].dropFirst())
            else {
                return nil
            }
            result.unicodeScalars.append(character)
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }

    /// Returns the text of `bytes` with its references replaced, as far as they are known.
    static func decoded(_ bytes: Bytes) -> String { unescaped(bytes.text) ?? bytes.text }

    private static func character(_ name: Substring) -> Unicode.Scalar? {
        switch name {
        case "lt": return "<"
        case "gt": return ">"
        case "amp": return "&"
        case "quot": return "\""
        case "apos": return "'"
        default:
            guard name.first == "#" else { return nil }
            let digits = name.dropFirst()
            let code = digits.first == "x" ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
            return code.flatMap(Unicode.Scalar.init)
        }
    }
}

/// The encodings that XML documents declare.
enum XMLEncoding {
    /// Returns the document as UTF-8, if it declares another encoding.
    ///
    /// - Throws: ``StatementError`` `unsupported` for an encoding that is not known, or that could hide markup.
    static func transcoded(_ bytes: Bytes) throws(StatementError) -> [UInt8]? {
        let head = bytes.part(0, 200)
        guard let start = head.firstRange(of: "encoding=") else { return nil }
        let quote = head[start + 9]
        let end = head.firstIndex(of: quote, from: start + 10) ?? start
        let name = head.part(start + 10, end)
        let text = name.text.lowercased()
        // Text of two-byte units has been read as such before.
        if ["utf-8", "utf8", "us-ascii", "ascii", "utf-16"].contains(text) { return nil }
        guard let encoding = TextEncoding.named(text) else {
            throw StatementError(.unsupported, "the encoding \(name.quoted); save the file as UTF-8", line: 1)
        }
        return TextEncoding.utf8(bytes, from: encoding)
    }
}

/// Encodings that extend ASCII, by the names that files and profiles give them.
enum TextEncoding {
    static func named(_ name: String) -> String.Encoding? {
        switch name.lowercased() {
        case "latin-1", "latin1", "iso-8859-1", "iso-8859-15", "windows-1252", "cp1252": .windowsCP1252
        case "latin-2", "latin2", "iso-8859-2": .isoLatin2
        case "windows-1250", "cp1250": .windowsCP1250
        case "windows-1251", "cp1251": .windowsCP1251
        case "windows-1253", "cp1253": .windowsCP1253
        case "windows-1254", "cp1254", "iso-8859-9": .windowsCP1254
        default: nil
        }
    }

    /// Returns the text as UTF-8; `nil` if it holds bytes that the encoding leaves open.
    static func utf8(_ bytes: Bytes, from encoding: String.Encoding) -> [UInt8]? {
        let data = bytes.withBuffer { Data(buffer: $0) }
        return String(data: data, encoding: encoding).map { Array($0.utf8) }
    }
}
