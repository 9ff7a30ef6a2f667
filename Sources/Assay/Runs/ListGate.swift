/// A check of the list of a run as a whole, item by item as they come: names, scope, resume points.
struct ListGate {
    private let scope: Scope
    private let previousRunID: Run.ID?
    private let runID: Run.ID
    private var places: [ExternalID: Int32] = [:]
    /// The number of items at the beginning that are named by their place, which keeps names apart without a list of
    /// them.
    private var numbered = 0
    /// The first violation.
    private(set) var violation: GateFailure?

    init(_ options: RunOptions, runID: Run.ID) {
        scope = options.scope
        previousRunID = options.previousRunID
        self.runID = runID
    }

    /// Returns the first violation since the last call, and clears it.
    mutating func takeViolation() -> GateFailure? {
        defer { violation = nil }
        return violation
    }

    mutating func check(_ item: Item, at index: Int) {
        // Names are recorded whatever was found before: later items must not share them either.
        guard let message = finding(item, index), violation == nil else { return }
        violation = GateFailure(
            ProcessingError(.prevalidation, message), stage: .prevalidation, index: index,
            item: item.named(within: 1_024),
            attempt: 1, data: item.data, digest: nil, runID: runID)
    }

    /// Records a name.
    ///
    /// - Returns: the place of the item that had it before.
    private mutating func note(_ id: ExternalID, at index: Int) -> Int? {
        if index == numbered, id.text == "item_\(index + 1)" {
            numbered += 1
            return nil
        }
        if numbered > 0, id.text.hasPrefix("item_"), let number = Int(id.text.dropFirst(5)),
            (1...numbered).contains(number), id.text == "item_\(number)"
        {
            return number - 1
        }
        return places.updateValue(Int32(index), forKey: id).map { Int($0) }
    }

    private mutating func finding(_ item: Item, _ index: Int) -> String? {
        guard let id = ExternalID(item.id) else {
            return item.id.isEmpty
                ? "item \(index + 1) has no input_id"
                : "input_id of item \(index + 1) must be 1 byte to 1 KiB of text without control characters"
        }
        if let first = note(id, at: index) {
            return "input_id '\(id)' is used by items \(first + 1) and \(index + 1)"
        }
        for (name, expected, found) in [
            ("account_id", scope.accountID?.text, item.accountID),
            ("underwriting_id", scope.underwritingID?.text, item.underwritingID),
            ("execution_id", scope.executionID?.text, item.executionID),
        ] {
            if let found, name == "execution_id" ? Identifier(found) == nil : ExternalID(found) == nil {
                return "\(name) of '\(id)' is not an identifier"
            }
            guard let expected, found.map({ !$0.equalsInBytes(expected) }) ?? true else { continue }
            return "\(name) of '\(id)' must be '\(expected)', found \(found.map { "'\($0)'" } ?? "none")"
        }
        guard let payload = item.payload else { return nil }
        guard let point = payload.object else { return "payload of '\(id)' must be a map, found \(payload.kind)" }
        if let previousRunID, let named = point["run_id"]?.string, named != previousRunID.text {
            return "payload of '\(id)' is of run '\(named)', but the previous run is '\(previousRunID)'"
        }
        return nil
    }
}

/// The failure that stopped a run before anything was extracted.
struct GateFailure: Error {
    /// The recorded failure; `nil` when nothing failed and the run was stopped.
    let record: FailureRecord?
    /// The place of the item at fault, if there is one.
    let index: Int?

    /// The run was stopped.
    static let stopped = GateFailure()

    private init() { (record, index) = (nil, nil) }

    init(
        _ error: ProcessingError, stage: Stage, index: Int?, item: Item? = nil, attempt: Int = 0, data: Payload? = nil,
        digest: Digest? = nil, runID: Run.ID? = nil
    ) {
        self.index = index
        var record = FailureRecord(error, stage: stage, item: item?.id, attempt: attempt)
        if item != nil {
            var point = ResumePoint()
            point.step = stage.rawValue
            point.data = try? data?.json()
            point.runID = runID?.text
            point.inputDigest = digest
            point.saved = []
            point.exception = record.exception
            point.message = record.message
            record.resumePoint = point
        }
        self.record = record
    }
}

extension FailureRecord {
    /// Creates the record of `error`, which ended `item` in `stage` unless a step says otherwise.
    init(_ error: ProcessingError, stage: Stage, step: String? = nil, item: String?, attempt: Int) {
        self.init(
            inputID: item, step: error.step ?? step ?? stage.rawValue, exception: error.exception,
            message: error.message, code: error.code, phase: error.phase ?? stage.phase, attempt: attempt,
            retryable: error.retryable)
    }
}

extension Item {
    /// Returns the item with only the beginning of a name that is longer than `limit` bytes. The item is refused, and
    /// its name is kept only for people to read.
    func named(within limit: Int) -> Item {
        guard id.utf8.count > limit else { return self }
        var item = self
        item.id = String(id.prefix(64)) + "…"
        return item
    }
}
