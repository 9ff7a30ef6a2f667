/// The subject of a price.
public enum PriceSubject: Hashable, Sendable {
    /// The base cost of a processor's run.
    case processor(String)
    /// One unit of a service's operation.
    case service(String, operation: String)
}

extension PriceSubject {
    /// The subject as a single string: `bank_statement`, `clear/business_search`.
    public var sortKey: String {
        switch self {
        case .processor(let name): name
        case .service(let service, let operation): "\(service)/\(operation)"
        }
    }
}

/// The place where a price was found, as charges name it.
public enum PriceOrigin: String, Codable, Sendable, CaseIterable {
    /// The pipeline file.
    case pipeline
    /// The prices of the store.
    case database
    /// The price file.
    case file
    /// No place: 0.00 is charged.
    case none
}
