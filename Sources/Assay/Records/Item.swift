/// One identified input, with the scope it claims and, when it returns after a failure, the point to continue from.
///
/// Nothing is checked here: the prevalidation of a run checks the whole list and reports errors by name and place.
public struct Item: Sendable {
    /// The input's name: 1 byte to 1 KiB without control characters, unique in its run.
    public var id: String
    /// The input itself; the engine never changes it.
    public var data: Payload
    /// The parts that most items lack, kept apart so that a million plain items stay small.
    private var extras: Extras?

    private final class Extras: Sendable {
        let accountID, underwritingID, executionID, slot: String?
        let payload: JSONValue?
        let file: InputFile?
        let isFileAlone: Bool

        init(
            _ accountID: String?, _ underwritingID: String?, _ executionID: String?, _ slot: String?,
            _ payload: JSONValue?, _ file: InputFile?, isFileAlone: Bool
        ) {
            (self.accountID, self.underwritingID, self.executionID) = (accountID, underwritingID, executionID)
            (self.slot, self.payload, self.file, self.isFileAlone) = (slot, payload, file, isFileAlone)
        }
    }

    /// The account it belongs to; compared with the run's when that is set.
    public var accountID: String? { extras?.accountID }
    /// The underwriting it belongs to; compared with the run's when that is set.
    public var underwritingID: String? { extras?.underwritingID }
    /// The execution it belongs to; compared with the run's when that is set.
    public var executionID: String? { extras?.executionID }
    /// The slot it belongs to, which determines the size of its batch.
    public var slot: String? { extras?.slot }
    /// The `payload` of a failure record, passed back in to continue at the failed step.
    public var payload: JSONValue? { extras?.payload }
    /// The file that it stands for, or that it has in addition to its data.
    public var file: InputFile? { extras?.file }
    /// Whether it has data of its own; otherwise its data names the file that it stands for.
    public var hasOwnData: Bool { extras?.isFileAlone != true }

    /// Creates an item named `id` with a typed value.
    public init(
        _ id: String, _ data: some Codable & Sendable, accountID: String? = nil, underwritingID: String? = nil,
        executionID: String? = nil, slot: String? = nil, payload: JSONValue? = nil
    ) {
        self.init(
            id, payload: Payload(data), accountID: accountID, underwritingID: underwritingID,
            executionID: executionID, slot: slot, resumePoint: payload)
    }

    /// Creates an item with a value in either form, as a store returns it.
    public init(
        _ id: String, payload data: Payload, file: InputFile? = nil, accountID: String? = nil,
        underwritingID: String? = nil, executionID: String? = nil, slot: String? = nil, resumePoint: JSONValue? = nil
    ) {
        self.id = id
        self.data = data
        if accountID != nil || underwritingID != nil || executionID != nil || slot != nil || resumePoint != nil
            || file != nil
        {
            extras = Extras(
                accountID, underwritingID, executionID, slot, resumePoint, file, isFileAlone: false)
        }
    }

    /// Creates an item that stands for a file; its data names the file.
    public init(
        _ id: String, file: InputFile, accountID: String? = nil, underwritingID: String? = nil,
        executionID: String? = nil, slot: String? = nil, payload: JSONValue? = nil
    ) {
        self.id = id
        data = Payload(json: file.jsonValue)
        extras = Extras(accountID, underwritingID, executionID, slot, payload, file, isFileAlone: true)
    }

    /// Returns the item with `file` in place of its own.
    func with(_ file: InputFile) -> Item {
        guard hasOwnData else {
            return Item(
                id, file: file, accountID: accountID, underwritingID: underwritingID, executionID: executionID,
                slot: slot, payload: payload)
        }
        return Item(
            id, payload: data, file: file, accountID: accountID, underwritingID: underwritingID,
            executionID: executionID, slot: slot, resumePoint: payload)
    }

    /// Returns the item with the parts of `scope` that the item does not set itself.
    package func filled(by scope: Scope) -> Item {
        guard scope != Scope() else { return self }
        var item = self
        item.extras = Extras(
            accountID ?? scope.accountID?.text, underwritingID ?? scope.underwritingID?.text,
            executionID ?? scope.executionID?.text, slot, payload, file, isFileAlone: !hasOwnData)
        return item
    }

    /// Creates the item of a bare value, named by its position from 0.
    init(position: Int, input: some Codable & Sendable, scope: Scope) {
        self.init(
            "item_\(position + 1)", input, accountID: scope.accountID?.text,
            underwritingID: scope.underwritingID?.text, executionID: scope.executionID?.text)
    }

    /// Creates the item that a JSON line writes:
    /// `{input_id?, account_id?, underwriting_id?, execution_id?, slot?, payload?, data, file}`, with `data` or `file`
    /// or both.
    ///
    /// `file` is the path of a file, which is read when the item is taken in, or a map as ``InputFile/jsonValue`` makes
    /// it.
    ///
    /// - Parameter position: its place in the list from 1, which names it when it has neither an `input_id` nor a file.
    /// - Throws: ``ProcessingError`` with code `prevalidation` for another shape, naming the position.
    public init(json: JSONValue, position: Int) throws(ProcessingError) {
        try self.init(json: json, position: position, file: InputFile.init(json:))
    }

    /// Creates an item as ``init(json:position:)`` does.
    ///
    /// - Parameters:
    ///   - file: makes the file from the value under `file`; returns `nil` if the value is not a file.
    ///   - name: names an item that has a file and no `input_id`.
    package init(
        json: JSONValue, position: Int, file: (JSONValue) -> InputFile?, name: (InputFile) -> String = { $0.path }
    ) throws(ProcessingError) {
        guard let object = json.object else {
            throw ProcessingError(
                .prevalidation, "item \(position) must be a map with a key 'data' or 'file', found \(json.kind)")
        }
        let known = ["account_id", "data", "execution_id", "file", "input_id", "payload", "slot", "underwriting_id"]
        if let unknown = object.keys.first(where: { !known.contains($0) }) {
            throw ProcessingError(
                .prevalidation,
                "item \(position) has the unknown key \(unknown.quoted); known: \(known.joined(separator: ", "))")
        }
        let named: InputFile?
        switch object["file"] {
        case nil, .null: named = nil
        case let value?:
            guard let found = file(value) else {
                throw ProcessingError(
                    .prevalidation, "file of item \(position) must be the path of a file, found \(value.json)")
            }
            named = found
        }
        guard object["data"] != nil || named != nil else {
            throw ProcessingError(.prevalidation, "item \(position) has neither 'data' nor 'file'")
        }
        func text(_ key: String) throws(ProcessingError) -> String? {
            switch object[key] {
            case nil, .null: return nil
            case .string(let text): return text
            case let other?:
                throw ProcessingError(.prevalidation, "\(key) of item \(position) must be text, found \(other.kind)")
            }
        }
        let id = try text("input_id") ?? named.map(name) ?? "item_\(position)"
        let (account, underwriting) = (try text("account_id"), try text("underwriting_id"))
        let (execution, slot) = (try text("execution_id"), try text("slot"))
        let point = object["payload"] == .null ? nil : object["payload"]
        if let named, object["data"] == nil {
            self.init(
                id, file: named, accountID: account, underwritingID: underwriting, executionID: execution, slot: slot,
                payload: point)
        } else {
            self.init(
                id, payload: Payload(json: object["data"] ?? .null), file: named, accountID: account,
                underwritingID: underwriting, executionID: execution, slot: slot, resumePoint: point)
        }
    }
}

/// The account, underwriting and execution that a run works for; each may be set or not.
public struct Scope: Hashable, Sendable {
    /// The account.
    public var accountID: ExternalID?
    /// The underwriting.
    public var underwritingID: ExternalID?
    /// The execution that items must name; `nil` when the execution is named only to continue it.
    public var executionID: Identifier?

    /// Creates a scope from the given parts.
    public init(accountID: ExternalID? = nil, underwritingID: ExternalID? = nil, executionID: Identifier? = nil) {
        self.accountID = accountID
        self.underwritingID = underwritingID
        self.executionID = executionID
    }
}
