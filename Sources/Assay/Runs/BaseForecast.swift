import Crypto

/// What base prices per input come to: each charge counts once, as in the ledger, however many inputs there are.
struct BaseForecast {
    /// What is certainly charged.
    private(set) var certain = Money.zero
    /// What is charged each time, if it is.
    private var repeated = Money.zero
    private var counted: Set<ShortDigest> = []
    /// What may be charged, by key.
    private var possible: [ShortDigest: Money] = [:]

    /// Adds the charges of an input, of which those on record are not made again.
    mutating func add(_ charges: [Charge], isCertain: Bool, in store: any Store) async throws {
        let known = try await store.recordedKeys(among: charges.compactMap(\.key))
        for charge in charges {
            guard let key = charge.key else {
                if isCertain {
                    certain = try certain.adding(charge.cost)
                } else {
                    repeated = try repeated.adding(charge.cost)
                }
                continue
            }
            let name = ShortDigest(of: key)
            guard !known.contains(key), !counted.contains(name) else { continue }
            guard isCertain else {
                possible[name] = charge.cost
                continue
            }
            counted.insert(name)
            possible[name] = nil
            certain = try certain.adding(charge.cost)
        }
    }

    /// What may be charged besides.
    var further: Money {
        get throws { try possible.values.reduce(repeated) { try $0.adding($1) } }
    }
}

/// Half of the SHA-256 of a text, by which a plan tells some hundred thousand of them apart in little memory.
struct ShortDigest: Hashable {
    private let high: UInt64
    private let low: UInt64

    init(of text: String) {
        var (text, hash) = (text, SHA256())
        text.withUTF8 { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        (high, low) = hash.finalize().withUnsafeBytes { bytes in
            (bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
    }
}
