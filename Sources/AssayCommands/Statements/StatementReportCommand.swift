import ArgumentParser
import Assay
import AssayStatements
import Foundation

/// `assay statements report`: a page about an applicant, to be read or printed.
struct StatementReportCommand: ShellCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Write a page about an account or an applicant, whole in itself, to be read or printed.",
        discussion: """
            An applicant is the underwriting, else the account, that items were run for; without either it is all of \
            the run. Of several applicants each gets a page beside FILE, which then lists them.
            """)

    @OptionGroup var choice: StatementChoice

    @Option(help: "Only this applicant.")
    var applicant: String?

    @Option(help: ArgumentHelp("Where the page goes; standard output by default.", valueName: "file.html"))
    var out: String?

    @Flag(help: "Show only the last four characters of account numbers, and of long numbers in texts.")
    var mask = false

    @OptionGroup var store: StoreFlags

    func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings, in: shell)
        let statements = try await RunStatements.read(choice.run, console, in: shell)
        let groups = try chosen(statements)
        let bill = statements.bill
        let madeOn = String("\(shell.world.time.now())".prefix(16)).replacingOccurrences(of: "T", with: " ") + " UTC"
        let pages = groups.map { name, accounts in
            var page = ReportPage(
                applicant: name ?? "All accounts", accounts: accounts, madeOn: madeOn, runID: statements.run.id.text)
            (page.costs, page.costCurrency, page.isMasked) = (Self.lines(of: bill), bill.currency, mask)
            return page
        }
        try write(pages, console, in: shell)
        return .success
    }

    private func chosen(_ statements: RunStatements) throws -> [(name: String?, accounts: [AccountHistory])] {
        if let account = choice.account {
            let found = try statements.accounts(called: account)
            return [(found.count == 1 ? found[0].label : account, found)]
        }
        let groups = statements.byApplicant()
        guard let applicant else { return groups }
        guard let found = groups.first(where: { $0.name == applicant }) else {
            let known = groups.compactMap(\.name)
            throw CommandFailure(
                .notFound,
                known.isEmpty
                    ? "the items of the run name no applicant; leave --applicant out"
                    : "no applicant '\(applicant)'" + Nearest.ending(for: applicant, among: known))
        }
        return [found]
    }

    private func write(_ pages: [ReportPage], _ console: Console, in shell: Shell) throws {
        guard let out else {
            guard let page = pages.first, pages.count == 1 else {
                throw CommandFailure.usage(
                    "the run has \(pages.count) applicants; say --applicant NAME or --out FILE.html")
            }
            return try console.write(text: page.html)
        }
        guard pages.count > 1 else {
            for page in pages { try Self.write(page.html, to: shell.place(of: out)) }
            return console.note("the page is \(out.safe)")
        }
        let stem = out.hasSuffix(".html") ? String(out.dropLast(5)) : out
        var listed: [(page: ReportPage, file: String)] = []
        for (number, page) in pages.enumerated() {
            let path = "\(stem)-\(number + 1).html"
            try Self.write(page.html, to: shell.place(of: path))
            listed.append((page, path.fileName))
        }
        try Self.write(ReportPage.index(listed), to: shell.place(of: out))
        console.note("\(pages.count.grouped) pages, listed in \(out.safe)")
    }

    /// Bank data is for its owner's eyes.
    private static func write(_ page: String, to path: String) throws {
        let manager = FileManager.default
        guard manager.createFile(atPath: path, contents: Data(page.utf8), attributes: [.posixPermissions: 0o600]) else {
            throw CommandFailure(
                .inputOutput, "cannot write \(path); check that its folder is there and may be written")
        }
    }

    private static func lines(of bill: Bill) -> [ReportPage.CostLine] {
        var lines = [
            ReportPage.CostLine(name: "base", count: 1, cached: 0, total: "\(bill.baseCost)", avoided: "")
        ]
        for (service, operations) in bill.byService.sorted(by: { $0.key < $1.key }) {
            for (operation, line) in operations.sorted(by: { $0.key < $1.key }) {
                lines.append(
                    ReportPage.CostLine(
                        name: "\(service) \(operation)", count: line.count, cached: line.cacheHits,
                        total: "\(line.total)", avoided: "\(line.avoided)"))
            }
        }
        lines.append(
            ReportPage.CostLine(
                name: "total", count: lines.reduce(0) { $0 + $1.count }, cached: lines.reduce(0) { $0 + $1.cached },
                total: "\(bill.totalCost)", avoided: "\(bill.avoidedCost)"))
        return lines
    }
}
