/// A known export of a bank: its header, and the facts that the header does not tell.
public struct BuiltInProfile: Sendable {
    /// Its names; several banks may share an export.
    public var names: [String]
    /// The country of the banks as an ISO 3166 code, where it is one.
    public var country: String?
    /// The header as the bank writes it, `…` for any further columns; empty if the export has none.
    public var header: [String]
    /// Its settings, as evidence of the fourth rank.
    public var profile: CSVProfile

    /// All of them.
    public static let all: [BuiltInProfile] = BuiltInList.text.split(separator: "\n").compactMap {
        BuiltInProfile(line: $0)
    }

    /// Returns the one called `name`; of several exports of one name the first.
    public static func named(_ name: String) -> BuiltInProfile? { all.first { $0.names.contains(name) } }

    /// The names of all of them, in alphabetical order.
    public static var names: [String] { Array(Set(all.flatMap(\.names))).sorted() }

    /// Returns the one whose header a file has; `nil` if there is none, or if several fit.
    static func fitting(_ header: [String]) -> BuiltInProfile? {
        guard let first = header.first, let known = byFirstName[FoldedText.of(first)] else { return nil }
        let names = header.map { FoldedText.of($0) }
        let candidates = known.filter { patterns[$0].matches(names) }
        return candidates.count == 1 ? all[candidates[0]] : nil
    }

    /// The header of each, in the same order.
    private static let patterns = all.map { HeaderPattern($0.header) }

    /// The places of those whose first column may have a name.
    private static let byFirstName: [String: [Int]] = {
        var result: [String: [Int]] = [:]
        for place in all.indices where !all[place].header.isEmpty {
            for name in patterns[place].firstNames { result[name, default: []].append(place) }
        }
        return result
    }()

    private init?(line: Substring) {
        let parts = line.split(separator: "|", maxSplits: 2).map { $0.trimming() }
        guard parts.count == 3 else { return nil }
        names = parts[0].split(separator: ",").map { $0.trimming() }
        header =
            parts[1] == "-"
            ? [] : parts[1].split(separator: ",", omittingEmptySubsequences: false).map { $0.trimming() }
        var profile = CSVProfile()
        profile.name = names[0]
        for setting in parts[2].split(separator: " ") {
            let pair = setting.split(separator: "=", maxSplits: 1).map { String($0).replacing("_", with: " ") }
            guard pair.count == 2 else { return nil }
            switch pair[0] {
            case "country": country = pair[1]
            case "delimiter": profile.delimiter = pair[1] == "tab" ? "\t" : pair[1]
            case "date order": profile.dateOrder = DateOrder(rawValue: pair[1])
            case "account type": profile.accountType = AccountType(rawValue: pair[1])
            case "amount sign": profile.amountSign = AmountSign(rawValue: pair[1])
            case "account":
                profile.account = pair[1] == "none" ? CSVProfile.Account.none : .column(Self.column(pair[1]))
            case "fee": profile.fee = .column(Self.column(pair[1]))
            case "date": profile.date = Self.column(pair[1])
            case "amount": profile.amount = Self.column(pair[1])
            case "debit": profile.debit = Self.column(pair[1])
            case "credit": profile.credit = Self.column(pair[1])
            case "balance": profile.balance = Self.column(pair[1])
            case "description": profile.description = Self.column(pair[1])
            default: return nil
            }
        }
        // An export without a header begins with its first entry.
        if header.isEmpty { profile.skipRows = 0 }
        self.profile = profile
    }

    private static func column(_ text: String) -> CSVProfile.Column { Int(text).map { .index($0) } ?? .name(text) }
}

/// The names of a header, some of which may be missing or be any.
struct HeaderPattern {
    private enum Part {
        case name(String)
        case optional(String)
        case any
    }

    private let parts: [Part]

    init(_ header: [String]) {
        parts = header.map { name in
            if name == "…" { return .any }
            if name.hasPrefix("["), name.hasSuffix("]") {
                return .optional(FoldedText.of(String(name.dropFirst().dropLast())))
            }
            return .name(FoldedText.of(name))
        }
    }

    /// The names that the first column may have.
    var firstNames: Set<String> {
        var names = Set<String>()
        for part in parts {
            switch part {
            case .name(let name): return names.union([name])
            case .optional(let name): names.insert(name)
            case .any: return names
            }
        }
        return names
    }

    /// Returns whether a header, made comparable, is this one.
    func matches(_ names: [String]) -> Bool { matches(names[...], parts[...]) }

    private func matches(_ names: ArraySlice<String>, _ parts: ArraySlice<Part>) -> Bool {
        guard let part = parts.first else { return names.isEmpty }
        switch part {
        case .name(let name): return names.first == name && matches(names.dropFirst(), parts.dropFirst())
        case .optional(let name):
            return names.first == name && matches(names.dropFirst(), parts.dropFirst())
                || matches(names, parts.dropFirst())
        case .any:
            return (0...names.count).contains { matches(names.dropFirst($0), parts.dropFirst()) }
        }
    }
}

extension StringProtocol {
    /// Returns the text without blanks around it.
    func trimming() -> String {
        var text = self[...]
        while let first = text.first, first.isWhitespace { text = text.dropFirst() }
        while let last = text.last, last.isWhitespace { text = text.dropLast() }
        return String(text)
    }
}
