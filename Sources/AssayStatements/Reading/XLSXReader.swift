/// A reader of the sheets of an XLSX workbook as tables.
///
/// Cells of a workbook have types: a date is a number with a date's format, an amount is a number. They are written as
/// a
/// table in which neither can be read in two ways (days as `2025-03-01`, decimals after a point), and read as any
/// other.
struct XLSXReader {
    /// Returns the statements of all sheets that hold a table of entries.
    static func read(_ bytes: Bytes, profiles: CSVProfiles?, file: String?) throws(StatementError) -> [Statement] {
        let tables = try tables(of: bytes)
        guard let first = tables.first else {
            throw StatementError(.empty, "no sheet of the workbook has rows; export the account with its entries")
        }
        var statements: [Statement] = []
        for table in tables where tables.count == 1 || holdsEntries(table.csv) {
            statements += try read(table.csv, profiles, file)
        }
        return statements.isEmpty ? try read(first.csv, profiles, file) : statements
    }

    private static func read(
        _ csv: [UInt8], _ profiles: CSVProfiles?, _ file: String?
    ) throws(StatementError) -> [Statement] {
        try csv.withUnsafeBufferPointer { buffer throws(StatementError) in
            try CSVReader.read(FileBytes(Bytes(buffer)), profiles: profiles, file: file)
        }
    }

    /// Returns whether a table names a date and an amount.
    static func holdsEntries(_ csv: [UInt8]) -> Bool {
        csv.withUnsafeBufferPointer { CSVTable.find(in: Reading(Bytes($0))) != nil }
    }

    /// Returns the tables of a workbook as CSV, one for each sheet that has rows.
    static func tables(of bytes: Bytes) throws(StatementError) -> [(name: String, csv: [UInt8])] {
        try Archive.with(bytes) { archive throws(StatementError) in
            guard let workbook = try archive.member("xl/workbook.xml") else {
                throw StatementError(
                    .unsupported, "a ZIP archive that is no workbook; give the files inside")
            }
            let book = try XLSXBook(workbook)
            let links = try XLSXBook.links(archive.member("xl/_rels/workbook.xml.rels") ?? [])
            let texts = try XLSXBook.sharedTexts(archive.member("xl/sharedStrings.xml") ?? [])
            let formats = try XLSXBook.dateFormats(archive.member("xl/styles.xml") ?? [])
            var tables: [(name: String, csv: [UInt8])] = []
            for sheet in book.sheets.prefix(50) where !sheet.isHidden {
                guard let target = links[sheet.link] else { continue }
                let path = target.hasPrefix("/") ? String(target.dropFirst()) : "xl/" + target
                guard !path.contains(where: { "*?[]\\".contains($0) }), let content = try archive.member(path) else {
                    continue
                }
                var reader = XLSXSheet(texts: texts, dateFormats: formats, has1904: book.has1904)
                try reader.read(content)
                if !reader.csv.isEmpty { tables.append((sheet.name, reader.csv)) }
            }
            return tables
        }
    }
}

/// The sheets, texts and formats of a workbook.
struct XLSXBook {
    struct Sheet {
        var name: String
        var link: String
        var isHidden: Bool
    }

    private(set) var sheets: [Sheet] = []
    private(set) var has1904 = false

    init(_ content: [UInt8]) throws(StatementError) {
        var (sheets, has1904) = ([Sheet](), false)
        try XLSXBook.elements(of: content) { name, attributes in
            if name == "workbookPr", let value = attributes.attribute("date1904")?.text {
                has1904 = value == "1" || value == "true"
            }
            guard name == "sheet", let link = attributes.attribute("r:id")?.text else { return }
            let state = attributes.attribute("state")?.text ?? "visible"
            sheets.append(
                Sheet(
                    name: attributes.attribute("name").map { XMLText.decoded($0) } ?? "", link: link,
                    isHidden: state != "visible"))
        }
        (self.sheets, self.has1904) = (sheets, has1904)
    }

    /// Returns the paths of the parts of a workbook, by their names in it.
    static func links(_ content: [UInt8]) throws(StatementError) -> [String: String] {
        var links: [String: String] = [:]
        try elements(of: content) { name, attributes in
            guard name == "Relationship", let id = attributes.attribute("Id")?.text,
                let target = attributes.attribute("Target")
            else { return }
            links[id] = XMLText.decoded(target)
        }
        return links
    }

    /// Returns the texts that cells refer to by number.
    static func sharedTexts(_ content: [UInt8]) throws(StatementError) -> [String] {
        guard !content.isEmpty else { return [] }
        return try content.withUnsafeBufferPointer { buffer throws(StatementError) in
            var scanner = XMLScanner(Reading(Bytes(buffer)))
            var (texts, open, current) = ([String](), [Bytes](), "")
            while true {
                switch try scanner.next() {
                case .open(let name, _): open.append(name.localName)
                case .text(let text):
                    // What is said about how a text is pronounced is no part of it.
                    if open.last.map({ $0 == "t" }) == true, !open.contains(where: { $0 == "rPh" }) {
                        current += XMLText.decoded(text)
                    }
                case .close:
                    if let name = open.popLast(), name == "si" {
                        texts.append(current)
                        current = ""
                    }
                case .end: return texts
                }
            }
        }
    }

    /// Returns for each cell format whether it shows a day.
    static func dateFormats(_ content: [UInt8]) throws(StatementError) -> [Bool] {
        guard !content.isEmpty else { return [] }
        var own: [String: Bool] = [:]
        var formats: [Bool] = []
        try content.withUnsafeBufferPointer { buffer throws(StatementError) in
            var scanner = XMLScanner(Reading(Bytes(buffer)))
            var open: [Bytes] = []
            while true {
                switch try scanner.next() {
                case .open(let name, let attributes):
                    let parent = open.last
                    open.append(name.localName)
                    if name.localName == "numFmt", let id = attributes.attribute("numFmtId")?.text,
                        let code = attributes.attribute("formatCode")
                    {
                        own[id] = isDate(XMLText.decoded(code))
                    }
                    if name.localName == "xf", parent.map({ $0 == "cellXfs" }) == true {
                        let id = attributes.attribute("numFmtId")?.text ?? "0"
                        let number = Int(id) ?? 0
                        formats.append(own[id] ?? ((14...17).contains(number) || number == 22))
                    }
                case .close: _ = open.popLast()
                case .text: break
                case .end: return
                }
            }
        }
        return formats
    }

    /// Returns whether a format of numbers writes years, months and days.
    static func isDate(_ code: String) -> Bool {
        var (letters, isQuoted, isSkipped, isBracket) = ("", false, false, false)
        for character in code.lowercased() {
            if isSkipped {
                isSkipped = false
            } else if character == "\\" || character == "_" || character == "*" {
                isSkipped = true
            } else if character == "\"" {
                isQuoted.toggle()
            } else if character == "[" || character == "]" {
                isBracket = character == "["
            } else if !isQuoted, !isBracket {
                letters.append(character)
            }
        }
        guard !letters.contains("0"), !letters.contains("#") || letters.contains("y") else { return false }
        return letters.contains("d") || letters.contains("y")
    }

    private static func elements(
        of content: [UInt8], _ body: (_ name: Bytes, _ attributes: Bytes) -> Void
    ) throws(StatementError) {
        guard !content.isEmpty else { return }
        try content.withUnsafeBufferPointer { buffer throws(StatementError) in
            var scanner = XMLScanner(Reading(Bytes(buffer)))
            while true {
                switch try scanner.next() {
                case .open(let name, let attributes): body(name.localName, attributes)
                case .text, .close: break
                case .end: return
                }
            }
        }
    }
}

extension Bytes {
    /// The name of an element without the prefix of its namespace.
    var localName: Bytes { firstIndex(of: UInt8(ascii: ":")).map { dropping($0 + 1) } ?? self }
}
