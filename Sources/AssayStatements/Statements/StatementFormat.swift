/// The formats bank statements come in.
public enum StatementFormat: String, Codable, CaseIterable, Sendable {
    case ofx, qif, csv, mt940, camt, bai2, pdf, xlsx

    /// Returns the format of a file, told by its content and, where that leaves a doubt, by its name's suffix.
    ///
    /// - Throws: ``StatementError`` `unsupported` for content that is none of them, such as a web page.
    static func detect(_ bytes: Bytes, suffix: String?) throws(StatementError) -> StatementFormat {
        var head = bytes.part(0, 4096)
        if head.hasPrefix("\u{FEFF}") { head = head.dropping(3) }
        head = head.trimmed()
        if head.hasPrefix("%PDF-") { return .pdf }
        if head.hasPrefixIgnoringCase("<!DOCTYPE HTML") || head.hasPrefixIgnoringCase("<HTML") {
            throw StatementError(.unsupported, "a web page, not a bank statement; download the statement again")
        }
        if head.hasPrefix("PK\u{3}\u{4}") {
            if bytes.contains("xl/workbook.xml") { return .xlsx }
            throw StatementError(.unsupported, "a ZIP archive; give the files inside")
        }
        if head[0] == 0x1F, head[1] == 0x8B {
            throw StatementError(.unsupported, "a compressed file; unpack it and give the statements inside")
        }
        if head[0] == 0xD0, head[1] == 0xCF, head[2] == 0x11, head[3] == 0xE0 {
            throw StatementError(
                .unsupported,
                "an Excel workbook of 1997–2003; soffice --headless --convert-to xlsx FILE keeps the values, then give the .xlsx"
            )
        }
        if head.hasPrefixIgnoringCase("OFXHEADER:") || head.contains("<OFX>") || head.contains("<?OFX")
            || head.contains("<ofx>")
        {
            return .ofx
        }
        if head.hasPrefix("<") {
            guard head.contains("Document") || head.contains("camt.05") || head.contains("BkToCstmr") else {
                throw StatementError(.unsupported, "XML that is neither OFX nor camt; export one of these")
            }
            return .camt
        }
        if head.hasPrefix("{1:") || hasFields(head) { return .mt940 }
        if head.hasPrefix("01,"), !head.part(0, 40).contains(";") { return .bai2 }
        if head.hasPrefixIgnoringCase("!Type:") || head.hasPrefixIgnoringCase("!Account")
            || head.hasPrefixIgnoringCase("!Option:") || head.contains("\n!Type:")
        {
            return .qif
        }
        return bySuffix(suffix) ?? .csv
    }

    /// Returns whether fields of MT940 begin lines.
    private static func hasFields(_ head: Bytes) -> Bool {
        func begins(_ tag: StaticString) -> Bool {
            var place = head.firstRange(of: tag)
            while let found = place {
                if found == 0 || head[found - 1] == 0x0A || head[found - 1] == 0x0D { return true }
                place = head.firstRange(of: tag, from: found + 1)
            }
            return false
        }
        if begins(":20:") { return begins(":25") || begins(":61:") || begins(":60") }
        return begins(":25:") && (begins(":60F:") || begins(":60M:") || begins(":61:"))
    }

    private static func bySuffix(_ suffix: String?) -> StatementFormat? {
        switch suffix?.lowercased() {
        case "ofx", "qfx": .ofx
        case "qif": .qif
        case "sta", "mt940", "940", "942", "mt942", "swi": .mt940
        case "bai", "bai2": .bai2
        case "pdf": .pdf
        default: nil
        }
    }
}
