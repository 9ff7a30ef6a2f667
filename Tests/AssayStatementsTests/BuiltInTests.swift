@testable import AssayStatements
import Assay
import Foundation
import Testing

/// Small exports as banks write them, each with 12.50 out on 5 March and 100.00 in on 7 March 2024.
private enum Exports {
    static let folder = Samples.path("exports")
    static let names = (try? FileManager.default.contentsOfDirectory(atPath: folder))?.sorted() ?? []
    /// Those without a header row, which are named by the profile that they are read with.
    static let headerless = BuiltInProfile.all.filter(\.header.isEmpty).map(\.names[0])
    /// Those whose header is shared by banks that write days and months in either order.
    static let withoutOrder = ["amex.csv", "payoneer.csv"]

    static func profile(of file: String) -> BuiltInProfile? {
        let stem = String(file.dropLast(4))
        return BuiltInProfile.named(stem) ?? BuiltInProfile.named(String(stem.dropLast(2)))
    }
}

@Suite("Exports that are known by their header") struct BuiltInTests {
    @Test("are those of more than sixty banks, each with a sample")
    func count() {
        #expect(BuiltInProfile.names.count > 100)
        #expect(
            BuiltInProfile.all.count(where: { !$0.header.isEmpty }) + Exports.headerless.count == Exports.names.count)
    }

    @Test("are read to the entry, with the type of account and the evidence that names them", arguments: Exports.names)
    func sample(file: String) throws {
        let builtIn = try #require(Exports.profile(of: file))
        var settings = JSONObject()
        if builtIn.header.isEmpty { settings["extends"] = .string(builtIn.names[0]) }
        if Exports.withoutOrder.contains(file) { settings["date_order"] = file == "amex.csv" ? "day" : "month" }
        let profile = settings.isEmpty ? nil : try CSVProfile(settings: .object(settings))
        let statements = try StatementReader(csv: profile).read(path: "\(Exports.folder)/\(file)").statements
        let statement = try #require(statements.first)
        #expect(statements.count == 1)
        #expect(statement.entries.map(\.amount) == [Amount("-12.50"), Amount("100.00")])
        #expect(statement.entries.map(\.day) == [Day("2024-03-05"), Day("2024-03-07")])
        if let type = builtIn.profile.accountType { #expect(statement.accountType == type) }
        if profile == nil { #expect(statement.evidence.first?.value == builtIn.names[0]) }
        #expect(!statement.contradictsTotals)
    }

    @Test("whose order of day and month banks do not share are refused with the key", arguments: Exports.withoutOrder)
    func noOrder(file: String) throws {
        let error = #expect(throws: StatementError.self) {
            try StatementReader().read(path: "\(Exports.folder)/\(file)")
        }
        #expect(error?.message.contains("csv.date_order: day or month") == true)
    }

    @Test("are not known by a header that differs in a name")
    func differs() {
        #expect(BuiltInProfile.fitting(["Trans. Date", "Post Date", "Description", "Amount", "Category"]) != nil)
        #expect(BuiltInProfile.fitting(["Trans. Date", "Post Date", "Description", "Amount", "Kind"]) == nil)
        #expect(BuiltInProfile.fitting(["Trans. Date", "Post Date", "Description", "Amount"]) == nil)
        #expect(BuiltInProfile.fitting([]) == nil)
    }

    @Test("yield to what a file proves, and the evidence says so")
    func contradicted() throws {
        let text = """
            Date,Description,Amount,Running Bal.
            25/03/2024,OFFICE,-10.00,990.00
            26/03/2024,SALE,50.00,1040.00

            """
        let statement = try StatementReader().read(Array(text.utf8), suffix: "csv").statements[0]
        #expect(statement.entries.map(\.day) == [Day("2024-03-25"), Day("2024-03-26")])
        #expect(statement.opening == Amount("1000"))
    }

    @Test(
        "of cards are refused where payments stand among the charges, or where nothing is a charge",
        arguments: [
            "03/05/2024,03/06/2024,PAYMENT RECEIVED,25.00,x", "03/05/2024,03/06/2024,SHOP,-25.00,x",
        ])
    func cards(row: String) {
        let text = "Trans. Date,Post Date,Description,Amount,Category\n\(row)\n"
        let error = #expect(throws: StatementError.self) { try StatementReader().read(Array(text.utf8), suffix: "csv") }
        #expect(error?.message.contains("csv.amount_sign: bank") == true)
    }

    @Test("keep their signs where a person settles only the order of dates")
    func settled() throws {
        var profile = CSVProfile()
        profile.dateOrder = .day
        let statement = try StatementReader(csv: profile).read(path: "\(Exports.folder)/amex.csv").statements[0]
        #expect(statement.entries.map(\.amount) == [Amount("-12.50"), Amount("100.00")])
        #expect(statement.accountType == .card)
    }

    @Test("have settings that are all understood")
    func settings() {
        #expect(BuiltInProfile.all.count == BuiltInList.text.split(separator: "\n").count)
    }
}

@Suite("Profiles") struct ProfileTests {
    @Test(
        "name the key that is wrong and what would be right",
        arguments: [
            (#"{"skip_row": 2}"#, "unknown key 'skip_row'; did you mean 'skip_rows'?", ["csv", "skip_row"]),
            (
                #"{"skip_rows": "two"}"#, "csv.skip_rows must be a whole number from 0 to 1000, found 'two'",
                ["csv", "skip_rows"]
            ),
            (
                #"{"date_format": "%Q"}"#, "csv.date_format: '%Q' is not known; use %Y %y %m %d %b %H %M %S",
                ["csv", "date_format"]
            ),
            (#"{"date": 0}"#, "csv names neither amount nor debit and credit", ["csv", "date"]),
            (#"{"amount": "A", "debit": "B"}"#, "csv.debit and csv.amount are both given; keep one", ["csv", "debit"]),
            (
                #"{"extends": "chase"}"#, "no built-in profile 'chase'; did you mean 'chase-bank' or 'chase-card'?",
                ["csv", "extends"]
            ),
            (
                #"{"date_order": "left"}"#, "csv.date_order must be day, month or year, found 'left'",
                ["csv", "date_order"]
            ),
            (#"{"amount_sign": true}"#, "csv.amount_sign must be bank or card, found true", ["csv", "amount_sign"]),
            (
                #"{"delimiter": ";;"}"#, "csv.delimiter must be one ASCII character, such as ';', found ';;'",
                ["csv", "delimiter"]
            ),
            (#"{"decimal": "x"}"#, "csv.decimal must be '.' or ',', found 'x'", ["csv", "decimal"]),
            (
                #"{"date": 1000, "amount": 1}"#,
                "csv.date must be a column's name, or its place from 0 to 999, found 1000", ["csv", "date"]
            ),
            (
                #"{"opening_balance": "much"}"#, "csv.opening_balance must be an amount such as -1234.56, found 'much'",
                ["csv", "opening_balance"]
            ),
            (
                #"{"credit_values": ["CR"]}"#,
                "csv.type_column is missing: it names the column that holds these values", ["csv", "credit_values"]
            ),
            (
                #"{"leave_out": [{"column": "S", "is": "x", "as": "gone"}]}"#,
                "csv.leave_out.0.as must be pending, refused, balance, total or text, found 'gone'",
                ["csv", "leave_out", "0", "as"]
            ),
            (#"{"match": {}}"#, "match needs a header or a file", ["csv", "match", "header"]),
            (#"{"profiles": []}"#, "csv.profiles must be a list of profiles, found a list", ["csv", "profiles"]),
            (
                #"{"profiles": [{"date_order": "day"}]}"#,
                "of several profiles each needs match: {header: […]} or {file: PATTERN}", ["csv", "profiles", "0"]
            ),
            ("7", "csv must be a map of keys, found 7", ["csv"]),
        ])
    func errors(settings: String, message: String, path: [String]) throws {
        let error = #expect(throws: SettingsError.self) { try CSVProfiles(settings: JSONValue(json: settings)) }
        #expect(error?.findings.first?.message == message)
        #expect(error?.findings.first?.path == path)
    }

    @Test("report all mistakes at once")
    func allMistakes() {
        let error = #expect(throws: SettingsError.self) {
            try CSVProfile(settings: ["skip_row": 1, "decimal": "x", "order": "up"])
        }
        #expect(error?.findings.count == 3)
    }

    @Test("extend what is known of an export, key by key")
    func extends() throws {
        let profile = try CSVProfile(settings: ["extends": "discover-card", "amount_sign": "bank"])
        #expect(profile.dateOrder == .month && profile.accountType == .card && profile.amountSign == .bank)
    }

    @Test("are taken by the header or the name of the file; two that fit are refused, and none is none")
    func match() throws {
        let profiles = try CSVProfiles(
            settings: [
                "profiles": [
                    ["name": "a", "date_order": "day", "match": ["header": ["Date", "…"]]],
                    ["name": "b", "date_order": "month", "match": ["file": "us-*.csv"]],
                ]
            ])
        #expect(try profiles.profile(header: ["Date", "Amount"], file: "eu.csv")?.name == "a")
        #expect(try profiles.profile(header: ["Day", "Amount"], file: "us-1.csv")?.name == "b")
        #expect(try profiles.profile(header: ["Day", "Amount"], file: "eu.csv") == nil)
        let error = #expect(throws: StatementError.self) {
            try profiles.profile(header: ["Date", "Amount"], file: "us-1.csv")
        }
        #expect(error?.message.contains("'a' and 'b' are both for this file") == true)
    }

    @Test(
        "that are proposed read the file as it was read",
        arguments: Samples.csvFiles + Exports.names.map { "exports/\($0)" })
    func proposals(file: String) throws {
        let content = try Array(Data(contentsOf: URL(fileURLWithPath: Samples.path(file))))
        guard let read = try? StatementReader(format: .csv).read(content) else { return }
        let proposal = try ProfileProposal(for: content, name: "x.csv")
        #expect(proposal.doubt == nil)
        let profile = try CSVProfile(settings: try #require(proposal.readings.first).settings)
        let again = try StatementReader(format: .csv, csv: profile).read(content)
        #expect(again.statements.map(\.entries) == read.statements.map(\.entries))
        #expect(again.statements.map(\.opening) == read.statements.map(\.opening))
    }

    @Test("are proposed for every table with a date and an amount, mostly with its columns")
    func proposedColumns() throws {
        let named = try Exports.names.filter { file in
            let content = try Array(Data(contentsOf: URL(fileURLWithPath: "\(Exports.folder)/\(file)")))
            return (try? ProfileProposal(for: content, name: file))?.readings.first?.keys.contains { $0.name == "date" }
                == true
        }
        #expect(named.count > 80)
    }

    @Test("are both proposed where a file leaves two readings open")
    func open() throws {
        let text = "Date,Description,Amount\n02/09/2024,A,-1.00\n03/09/2024,B,2.00\n"
        let proposal = try ProfileProposal(for: Array(text.utf8), name: "x.csv")
        #expect(proposal.doubt?.contains("csv.date_order") == true)
        #expect(proposal.readings.map(\.settings) == [["date_order": "day"], ["date_order": "month"]])
        for reading in proposal.readings {
            let profile = try CSVProfile(settings: reading.settings)
            let again = try StatementReader(csv: profile).read(Array(text.utf8), suffix: "csv")
            #expect(again.statements.map(\.entries) == reading.statements.map(\.entries))
        }
    }
}

@Suite("Workbooks") struct WorkbookTests {
    @Test(
        "are read with their cells' types, so that no day or decimal is in doubt",
        arguments: ["checking.xlsx", "checking-1904.xlsx"])
    func typed(file: String) throws {
        let found = try StatementReader().read(path: Samples.path("xlsx/\(file)"))
        #expect(found.format == .xlsx)
        let entries = found.statements[0].entries.prefix(2)
        #expect(entries.map(\.day) == [Day("2024-03-05"), Day("2024-03-07")])
        #expect(entries.map(\.amount) == [Amount("-12.50"), Amount("100")])
        #expect(found.statements[0].opening == Amount("1000"))
    }

    @Test("keep texts as they are, and whole numbers whole")
    func texts() throws {
        let entries = try StatementReader().read(path: Samples.path("xlsx/checking.xlsx")).statements[0].entries
        #expect(entries.map(\.text) == ["Rent, \"March\" & more", "Invoice <12>", "Thousand"])
        #expect(entries[2].amount == Amount("-1000"))
    }

    @Test("give the statements of every sheet with entries, without what binary numbers add")
    func sheets() throws {
        let statements = try StatementReader().read(path: Samples.path("xlsx/two-sheets.xlsx")).statements
        #expect(statements.count == 2)
        #expect(statements[1].entries.map(\.amount) == [Amount("-1.235"), Amount("0.3")])
        #expect(statements[1].closing == Amount("9.065"))
    }

    @Test(
        "know the formats of numbers that show a day",
        arguments: [
            ("dd/mm/yyyy;@", true), ("yyyy\\-mm\\-dd", true), ("[$-409]d\\-mmm\\-yy", true), ("#,##0.00", false),
            ("0.00", false),
            ("\"day\" 0", false), ("[Red]0.00", false), ("General", false), ("hh:mm", false),
        ])
    func formats(code: String, isDate: Bool) {
        #expect(XLSXBook.isDate(code) == isDate)
    }

    /// A ZIP archive with the file `a.txt`.
    private static let archive = bytes(
        "504b03041400000000000000215a8316dc8c010000000100000005000000612e74787478504b0102140314000000000000"
            + "00215a8316dc8c0100000001000000050000000000000000000000800100000000612e747874504b0506000000000100"
            + "010033000000240000000000")

    private static func bytes(_ hex: String) -> [UInt8] {
        stride(from: 0, to: hex.utf8.count, by: 2).compactMap { UInt8(hex.dropFirst($0).prefix(2), radix: 16) }
    }

    @Test(
        "of other kinds are refused with the way to one that is read",
        arguments: [
            (
                [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1] + Array(repeating: 7, count: 64),
                "soffice --headless --convert-to xlsx"
            ),
            (archive, "give the files inside"),
        ] as [([UInt8], String)])
    func others(bytes: [UInt8], remedy: String) {
        let error = #expect(throws: StatementError.self) {
            try StatementReader().read(bytes)
        }
        #expect(error?.code == .unsupported && error?.message.contains(remedy) == true)
    }

    @Test("that are cut off anywhere are refused, and nothing of them is read")
    func cut() throws {
        let whole = try Array(Data(contentsOf: URL(fileURLWithPath: Samples.path("xlsx/checking.xlsx"))))
        for length in stride(from: 8, to: whole.count, by: 211) {
            #expect(throws: StatementError.self) {
                try StatementReader(format: .xlsx).read(Array(whole.prefix(length)))
            }
        }
    }
}
