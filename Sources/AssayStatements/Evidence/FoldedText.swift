internal import Foundation

/// Text made comparable over languages: lower case letters without accents, marks as single blanks.
enum FoldedText {
    static func of(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return ascii(text.utf8) }
        var folded: [UInt8] = []
        for scalar in text.decomposedStringWithCanonicalMapping.lowercased().unicodeScalars {
            switch scalar {
            case "ß": folded += "ss".utf8
            case "ø", "ö": folded += "o".utf8
            case "æ": folded += "ae".utf8
            case "œ": folded += "oe".utf8
            case "ł": folded += "l".utf8
            case "đ", "ð": folded += "d".utf8
            case "þ": folded += "th".utf8
            case "ı": folded += "i".utf8
            default:
                if scalar.value < 0x80 {
                    folded.append(UInt8(scalar.value))
                } else if scalar.properties.canonicalCombiningClass == .notReordered {
                    // Letters of other scripts stay; signs become blanks.
                    if scalar.properties.isAlphabetic {
                        folded += String(scalar).utf8
                    } else {
                        folded.append(0x20)
                    }
                }
            }
        }
        return ascii(folded)
    }

    private static func ascii(_ bytes: some Sequence<UInt8>) -> String {
        var result: [UInt8] = []
        for byte in bytes {
            switch byte {
            case 0x41...0x5A: result.append(byte + 0x20)
            case 0x61...0x7A, 0x30...0x39, 0x80...: result.append(byte)
            default: if let last = result.last, last != 0x20 { result.append(0x20) }
            }
        }
        while result.last == 0x20 { result.removeLast() }
        return String(decoding: result, as: UTF8.self)
    }
}
