/// The part of a store that holds money: charges, paid calls and prices.
///
/// The rules of ``Store`` hold for each of its functions.
public protocol LedgerBook: Sendable {
    /// The currency of all its amounts, three letters.
    var currency: String { get }

    /// Records charges, except those whose key is already on record.
    ///
    /// - Returns: the charges that were recorded now.
    func record(_ charges: [Charge]) async throws -> [Charge]

    /// Returns the charges that match `filter`, in order of recording.
    func charges(matching filter: ChargeFilter) async throws -> [Charge]

    /// Returns the number of entries in the ledger. An entry keeps its position forever.
    func ledgerPosition() async throws -> Int

    /// Returns the sum of the charges that match `filter`, however large.
    func total(matching filter: ChargeFilter) async throws -> MoneySum

    /// Returns those of `keys` under which charges are on record.
    func recordedKeys(among keys: [String]) async throws -> Set<String>

    /// Records the intent or the outcome of a paid call, its charge and its value in one transaction.
    ///
    /// A `settled` call never changes, and a `released` one can only become `settled`, so a late answer casts no doubt
    /// on a known outcome. Only an intent moves a call to another run or attempt, and only the attempt that
    /// opened a call can say that it was not made or that its outcome is unknown. When a record is refused, its charge and cached
    /// value are not written either, with one exception: the charge of a `settled` record that has a key is recorded
    /// unless the key is on record.
    ///
    /// - Returns: whether the call was recorded, and whether `charge` was recorded now.
    @discardableResult
    func file(
        _ call: CallRecord, charge: Charge?, cached: CacheEntry?
    ) async throws -> (isFiled: Bool, isCharged: Bool)

    /// Makes the bill of `run` list a call in doubt that the run has met. Does nothing when the call is no longer in
    /// doubt.
    func note(doubt callID: String, metBy run: Run.ID, of execution: Execution.ID) async throws

    /// Returns the calls that match `filter`, in order of their intents.
    func calls(matching filter: CallFilter) async throws -> [CallRecord]

    /// Adds a price. Prices are never changed.
    func add(_ price: Price, for subject: PriceSubject, at moment: Timestamp) async throws

    /// Returns all prices that were added.
    func prices() async throws -> PriceList
}
