import AssayStatements
import Foundation
import Testing

@Suite("Hostile files") struct HostileTests {
    @Test(
        "of XML are refused",
        arguments: [
            "<Document>" + String(repeating: "<a>", count: 100_000),
            "<Document><BkToCstmrStmt><Stmt>" + String(repeating: "<a>", count: 70)
                + String(repeating: "</a>", count: 70) + "</Stmt></BkToCstmrStmt></Document>",
            "<?xml version='1.0'?><!DOCTYPE l [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;&a;'>]><Document><Stmt>&b;</Stmt></Document>",
            "<Document><Stmt><Ntry><Amt>&undefined;</Amt></Ntry></Stmt></Document>", "<Document><Stmt>",
        ])
    func xml(text: String) { #expect(refusal(text, format: .camt)?.code == .malformed) }

    @Test("with an encoding that could hide markup are refused")
    func encoding() {
        #expect(refusal("<?xml version='1.0' encoding='UTF-7'?><Document/>")?.code == .unsupported)
    }

    @Test("with an endless line are refused", arguments: StatementFormat.allCases.filter { $0 != .pdf })
    func endlessLine(format: StatementFormat) {
        #expect(refusal([UInt8](repeating: UInt8(ascii: "a"), count: 3 << 20), format: format) != nil)
    }

    @Test("of zeros are refused", arguments: StatementFormat.allCases.filter { $0 != .pdf })
    func zeros(format: StatementFormat) {
        #expect(refusal([UInt8](repeating: 0, count: 10_000), format: format) != nil)
    }

    @Test("beyond 256 MiB are refused unread")
    func tooLarge() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("statement-\(UUID().uuidString).csv")
        try Data().write(to: url)
        defer { try? FileManager.default.removeItem(at: url) }
        let file = try FileHandle(forWritingTo: url)
        try file.truncate(atOffset: UInt64(StatementReader.largestFile) + 1)
        try file.close()
        let error = #expect(throws: StatementError.self) { try StatementReader().read(path: url.path) }
        #expect(error?.code == .tooLarge)
    }

    @Test("that are no files are refused", arguments: ["/", "/dev/zero", "/no/such/file"])
    func noFile(path: String) {
        let error = #expect(throws: StatementError.self) { try StatementReader().read(path: path) }
        #expect(error?.code == .unsupported)
    }

    @Test("cut a text at 1 KiB, between characters")
    func longText() throws {
        let text = "Date,Description,Amount\n2025-03-01,\(String(repeating: "é", count: 5000)),-1.00\n"
        #expect(try read(text).statements[0].entries[0].text == String(repeating: "é", count: 512))
    }

    @Test("with very many entries are read")
    func manyEntries() throws {
        var text = "Date,Description,Amount\n"
        for index in 0..<20_000 {
            text += "2025-03-\(index % 28 + 10 > 31 ? 31 : index % 22 + 10),PAYER \(index),-1.01\n"
        }
        let report = try read(text).report()
        #expect(report.summary.debits == Amount("20200"))
    }

    @Test("with a day of equal payments and returns are counted in time")
    func equalReturns() throws {
        var text = "Date,Description,Amount\n"
        for _ in 0..<3000 { text += "2025-03-13,KAPITUS,-5.00\n2025-03-13,RETURN OF POSTED ITEM KAPITUS,5.00\n" }
        let factors = try read(text).report().statements[0].factors.total
        #expect(factors.mcaPaymentsCount == 0)
        #expect(factors.nsfCount == 3000)
    }

    @Test(
        "do not get through stored reports",
        arguments: [
            ("\"scale\":2", "\"scale\":99"), ("\"text\":[0", "\"text\":[7"), ("\"days\":[0", "\"days\":[9999999"),
        ])
    func storedReports(original: String, damaged: String) throws {
        let report = try read("Date,Description,Amount\n2025-03-01,A,-1.00\n").report()
        let stored = String(decoding: try JSONEncoder().encode(report), as: UTF8.self)
        let changed = stored.replacingOccurrences(of: original, with: damaged)
        #expect(changed != stored)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(StatementReport.self, from: Data(changed.utf8)) }
    }

    @Test("made by changing bytes of good ones are read or refused, and always answered", arguments: 0..<10)
    func mutations(seed: UInt64) throws {
        var numbers = SeededNumbers(state: seed)
        let names = Samples.files.filter { !$0.hasPrefix("pdf/") }
        let originals = try names.map { try Samples.bytes($0) }.filter { !$0.isEmpty && $0.count < 5000 }
        for _ in 0..<1000 {
            guard var bytes = originals.randomElement(using: &numbers) else { return }
            for _ in 0..<Int.random(in: 1...4, using: &numbers) where !bytes.isEmpty {
                let place = Int.random(in: bytes.indices, using: &numbers)
                switch UInt8.random(in: 0...4, using: &numbers) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &numbers)
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(UInt8.random(in: 0x20...0x3F, using: &numbers), at: place)
                case 3: bytes.removeLast(bytes.count - place)
                default: bytes.insert(contentsOf: bytes[place..<min(place + 200, bytes.count)], at: place)
                }
            }
            guard let file = try? StatementReader().read(bytes), file.format != .pdf else { continue }
            let report = file.report(includeTransactions: true)
            #expect(AccountReport.reports(of: [report, report]).count <= report.statements.count)
        }
    }
}
