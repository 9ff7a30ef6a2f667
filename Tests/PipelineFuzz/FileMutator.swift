/// Changes a file: single bytes, words of the format, lines, blocks.
struct FileMutator {
    /// The file as it is now.
    private(set) var bytes: [UInt8]
    private let words: [[UInt8]]
    private let maximumBytes: Int

    init(bytes: [UInt8], words: [[UInt8]], maximumBytes: Int) {
        self.bytes = bytes
        self.words = words
        self.maximumBytes = maximumBytes
    }

    private static let signs = Array("{}[],:&*!|>'\"%#-?@`\\~<\n\r\t 0e.+$\u{0}\u{7F}".utf8) + [0x85, 0xC2, 0xE2, 0xFF]

    /// Makes one change; `other` is a file of the same format to take from.
    mutating func change(with other: [UInt8], using chance: inout some RandomNumberGenerator) {
        guard !bytes.isEmpty else { return bytes = other }
        let place = Int.random(in: bytes.indices, using: &chance)
        switch Int.random(in: 0..<100, using: &chance) {
        case 0..<8: bytes[place] = UInt8.random(in: 0...255, using: &chance)
        case 8..<16: bytes.insert(Self.signs.randomElement(using: &chance)!, at: place)
        case 16..<22: bytes.remove(at: place)
        case 22..<50: replaceWord(at: place, using: &chance)
        case 50..<62: insertLine(of: other, at: place, using: &chance)
        case 62..<72: bytes.removeSubrange(line(around: place))
        case 72..<80: repeatLines(at: place, using: &chance)
        case 80..<85: indent(at: place, using: &chance)
        case 85..<92: splice(other, at: place, using: &chance)
        case 92..<96: nest(at: place, using: &chance)
        case 96..<98:
            bytes.replaceSubrange(
                0..<0, with: [[0xEF, 0xBB, 0xBF], [0xFF, 0xFE], Array("---\n".utf8)].randomElement(using: &chance)!)
        default: breakLines()
        }
        if bytes.count > maximumBytes { bytes.removeLast(bytes.count - maximumBytes) }
    }

    private mutating func replaceWord(at place: Int, using chance: inout some RandomNumberGenerator) {
        func isOfWord(_ byte: UInt8) -> Bool {
            byte == 0x5F || byte == 0x2E || byte &- 48 < 10 || (byte | 0x20) &- 97 < 26
        }
        let start = bytes[..<place].lastIndex { !isOfWord($0) }.map { $0 + 1 } ?? 0
        let end = bytes[place...].firstIndex { !isOfWord($0) } ?? bytes.count
        bytes.replaceSubrange(min(start, end)..<end, with: words.randomElement(using: &chance)!)
    }

    private mutating func insertLine(of other: [UInt8], at place: Int, using chance: inout some RandomNumberGenerator) {
        guard let there = other.indices.randomElement(using: &chance) else { return }
        let source = Bool.random(using: &chance) ? other : bytes
        let line = Self.line(around: min(there, source.count - 1), in: source)
        bytes.insert(contentsOf: source[line], at: self.line(around: place).lowerBound)
    }

    /// Repeats a few lines, seldom very often.
    private mutating func repeatLines(at place: Int, using chance: inout some RandomNumberGenerator) {
        let start = line(around: place).lowerBound
        let end = line(around: min(bytes.count - 1, start + Int.random(in: 0..<400, using: &chance))).upperBound
        let block = Array(bytes[start..<end])
        guard !block.isEmpty else { return }
        let most = Int.random(in: 0..<20, using: &chance) == 0 ? maximumBytes : 4_096
        let times = Int.random(in: 1...max(1, (most - min(most, bytes.count)) / block.count), using: &chance)
        var more: [UInt8] = []
        more.reserveCapacity(block.count * times)
        for _ in 0..<times { more += block }
        bytes.insert(contentsOf: more, at: end)
    }

    private mutating func indent(at place: Int, using chance: inout some RandomNumberGenerator) {
        let start = line(around: place).lowerBound
        if bytes[start] == 0x20, Bool.random(using: &chance) {
            bytes.remove(at: start)
        } else {
            bytes.insert(contentsOf: repeatElement(0x20, count: Int.random(in: 1...8, using: &chance)), at: start)
        }
    }

    private mutating func splice(_ other: [UInt8], at place: Int, using chance: inout some RandomNumberGenerator) {
        guard let there = other.indices.randomElement(using: &chance) else { return }
        bytes =
            Array(bytes[..<line(around: place).lowerBound]) + other[Self.line(around: there, in: other).lowerBound...]
    }

    private mutating func nest(at place: Int, using chance: inout some RandomNumberGenerator) {
        let depth = [1, 2, 62, 63, 64, 65, 500].randomElement(using: &chance)!
        let open = Array((Bool.random(using: &chance) ? "[" : "{a: ").utf8)
        var more: [UInt8] = []
        for _ in 0..<depth { more += open }
        let close: UInt8 = open.count == 1 ? 0x5D : 0x7D
        more += Bool.random(using: &chance) ? Array(repeating: close, count: depth) : []
        bytes.insert(contentsOf: more, at: place)
    }

    private mutating func breakLines() {
        bytes = bytes.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] }
    }

    private func line(around place: Int) -> Range<Int> { Self.line(around: place, in: bytes) }

    private static func line(around place: Int, in bytes: [UInt8]) -> Range<Int> {
        guard !bytes.isEmpty else { return 0..<0 }
        let start = bytes[..<place].lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        let end = bytes[place...].firstIndex(of: 0x0A).map { $0 + 1 } ?? bytes.count
        return start..<end
    }
}
