/// One identified input, with the scope it claims and, when it comes back after a failure, where to go on.
///
/// Nothing is checked here: the prevalidation of a run looks at the whole list and refuses it by name and place.
public struct Item: Sendable {
    /// The input's name, 1 byte to 1 KiB without control characters, unique in its run.
    public var id: String
    /// The input itself; the engine never changes it.
    public var data: Payload
    /// What most items do not have, kept apart so that a million plain items stay small.
    private var extras: Extras?

    private final class Extras: Sendable {
        let accountID, underwritingID, executionID, slot: String?
        let payload: JSONValue?

        init(
            _ accountID: String?, _ underwritingID: String?, _ executionID: String?, _ slot: String?,
            _ payload: JSONValue?
        ) {
            (self.accountID, self.underwritingID, self.executionID) = (accountID, underwritingID, executionID)
            (self.slot, self.payload) = (slot, payload)
        }
    }

    /// The account it belongs to; compared with the run's when that is set.
    public var accountID: String? { extras?.accountID }
    /// The underwriting it belongs to; compared with the run's when that is set.
    public var underwritingID: String? { extras?.underwritingID }
    /// The execution it belongs to; compared with the run's when that is set.
    public var executionID: String? { extras?.executionID }
    /// The slot it belongs to, from which the size of its batch follows.
    public var slot: String? { extras?.slot }
    /// The `payload` of a failure record, handed back to go on at the failed step.
    public var payload: JSONValue? { extras?.payload }

    /// An item named `id` with a typed value.
    public init(
        _ id: String, _ data: some Codable & Sendable, accountID: String? = nil, underwritingID: String? = nil,
        executionID: String? = nil, slot: String? = nil, payload: JSONValue? = nil
    ) {
        self.init(
            id, payload: Payload(data), accountID: accountID, underwritingID: underwritingID,
            executionID: executionID, slot: slot, resumePoint: payload)
    }

    /// An item of a value in either form, as a store gives it back.
    public init(
        _ id: String, payload data: Payload, accountID: String? = nil, underwritingID: String? = nil,
        executionID: String? = nil, slot: String? = nil, resumePoint: JSONValue? = nil
    ) {
        self.id = id
        self.data = data
        if accountID != nil || underwritingID != nil || executionID != nil || slot != nil || resumePoint != nil {
            extras = Extras(accountID, underwritingID, executionID, slot, resumePoint)
        }
    }

    /// The item of a bare value, named by its position from 0.
    init(position: Int, input: some Codable & Sendable, scope: Scope) {
        self.init(
            "item_\(position + 1)", input, accountID: scope.accountID?.text,
            underwritingID: scope.underwritingID?.text, executionID: scope.executionID?.text)
    }

    /// The item that a JSON line writes: `{input_id?, account_id?, underwriting_id?, execution_id?, slot?, payload?,
    /// data}`.
    ///
    /// - Parameter position: its place in the list from 1, which names it when `input_id` is missing.
    /// - Throws: ``ProcessingError`` with code `prevalidation` for another shape, naming the position.
    public init(json: JSONValue, position: Int) throws(ProcessingError) {
        guard let object = json.object else {
            throw ProcessingError(
                .prevalidation, "item \(position) must be a map with a key 'data', found \(json.kind)")
        }
        let known = ["account_id", "data", "execution_id", "input_id", "payload", "slot", "underwriting_id"]
        if let unknown = object.keys.first(where: { !known.contains($0) }) {
            throw ProcessingError(
                .prevalidation,
                "item \(position) has the unknown key \(unknown.quoted); known: \(known.joined(separator: ", "))")
        }
        guard let data = object["data"] else { throw ProcessingError(.prevalidation, "item \(position) has no 'data'") }
        func text(_ key: String) throws(ProcessingError) -> String? {
            switch object[key] {
            case nil, .null: return nil
            case .string(let text): return text
            case let other?:
                throw ProcessingError(.prevalidation, "\(key) of item \(position) must be text, found \(other.kind)")
            }
        }
        self.init(
            try text("input_id") ?? "item_\(position)", payload: Payload(json: data),
            accountID: try text("account_id"), underwritingID: try text("underwriting_id"),
            executionID: try text("execution_id"), slot: try text("slot"),
            resumePoint: object["payload"] == .null ? nil : object["payload"])
    }
}

/// For whom a run works; each part may be set or not.
public struct Scope: Hashable, Sendable {
    /// The account.
    public var accountID: ExternalID?
    /// The underwriting.
    public var underwritingID: ExternalID?
    /// The execution that items must name; `nil` when the execution is named only to go on with it.
    public var executionID: Identifier?

    /// A scope of the given parts.
    public init(accountID: ExternalID? = nil, underwritingID: ExternalID? = nil, executionID: Identifier? = nil) {
        self.accountID = accountID
        self.underwritingID = underwritingID
        self.executionID = executionID
    }
}
