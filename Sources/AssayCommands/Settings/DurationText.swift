import Assay

extension Duration {
    /// Parses `text` as a duration with its unit: `250ms`, `30s`, `10m`, `2h`, `7d`; `nil` for anything else.
    package init?(text: String) {
        let units: [(suffix: String, milliseconds: Int64)] = [
            ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
        ]
        guard let unit = units.first(where: { text.hasSuffix($0.suffix) }),
            let number = Number(String(text.dropLast(unit.suffix.count))), number > 0,
            let seconds = Double(number.description), seconds * Double(unit.milliseconds) <= 36_500 * 86_400_000
        else { return nil }
        self = .milliseconds(seconds * Double(unit.milliseconds))
    }

    /// The duration in few letters, for people: `350ms`, `4.2s`, `1m 10s`, `2h 5m`, `3d 4h`.
    package var brief: String {
        let milliseconds = max(0, milliseconds)
        let seconds = milliseconds / 1_000
        switch seconds {
        case 0: return "\(milliseconds)ms"
        case ..<10: return "\(seconds).\(milliseconds % 1_000 / 100)s"
        case ..<60: return "\(seconds)s"
        case ..<3_600: return "\(seconds / 60)m \(seconds % 60)s"
        case ..<86_400: return "\(seconds / 3_600)h \(seconds % 3_600 / 60)m"
        default: return "\(seconds / 86_400)d \(seconds % 86_400 / 3_600)h"
        }
    }
}
