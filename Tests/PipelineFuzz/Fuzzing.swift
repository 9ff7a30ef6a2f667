import Assay
import AssayTesting
import Foundation

/// Reads hostile and changed pipeline files one after another.
struct Fuzzing {
    /// What reading one file may take at most.
    private static let maximumTime = 0.1
    private static let maximumKilobytes = 32 << 10

    private let request: FuzzRequest
    private let reader: FuzzedReader

    init(_ request: FuzzRequest) throws {
        self.request = request
        reader = try FuzzedReader()
    }

    /// Reads all of them; `false` when one was not taken as it should be.
    func run() throws -> Bool {
        var tally = FuzzTally()
        for file in HostileFiles.all(isSmall: request.isSmall) where request.start == 0 {
            try read(file.name, file.bytes, as: file.format, &tally)
        }
        let corpus = try FuzzCorpus()
        for number in request.start..<(request.start + request.count) {
            // Each by itself, so that any of them can be made again without those before.
            var chance = SeededNumbers(seed: request.seed &+ UInt64(number) &* 0x1000_0001)
            let (bytes, format) = corpus.file(maximumBytes: request.maximumBytes, using: &chance)
            try read("\(number)", bytes, as: format, &tally)
            if number % 1_000 == 999 { say("\(number + 1)") }
        }
        say(tally.told(isMeasured: request.isMeasured))
        if !tally.isClean { say("seed \(request.seed)") }
        return tally.isClean
    }

    private func read(_ name: String, _ bytes: [UInt8], as format: String, _ tally: inout FuzzTally) throws {
        let path = try reader.write(bytes, as: format)
        let usage = request.isMeasured ? try Usage() : nil
        let result = reader.read(path)
        if let (seconds, kilobytes) = try usage?.since() {
            tally.note(name, bytes.count, seconds, kilobytes)
            if seconds > Self.maximumTime { tally.fail(name, "took \(seconds) s of the processor") }
            if kilobytes > Self.maximumKilobytes { tally.fail(name, "took \(kilobytes) KiB") }
        }
        switch reader.verdict(on: result, from: path) {
        case .accepted: tally.accepted += 1
        case .refused: tally.refused += 1
        case .wrong(let what): tally.fail(name, what)
        }
    }
}

/// What became of the files.
struct FuzzTally {
    var accepted = 0
    var refused = 0
    private var failed = 0
    private var slowest = (name: "-", bytes: 0, seconds: 0.0)
    private var largest = (name: "-", bytes: 0, kilobytes: 0)

    /// Whether every file was accepted or refused as it should be.
    var isClean: Bool { failed == 0 }

    mutating func note(_ name: String, _ bytes: Int, _ seconds: Double, _ kilobytes: Int) {
        if seconds > slowest.seconds { slowest = (name, bytes, seconds) }
        if kilobytes > largest.kilobytes { largest = (name, bytes, kilobytes) }
    }

    mutating func fail(_ name: String, _ what: String) {
        failed += 1
        if failed <= 20 { say("file \(name): \(what)") }
    }

    func told(isMeasured: Bool) -> String {
        let counts = "\(accepted + refused + failed) files: \(accepted) accepted, \(refused) refused, \(failed) wrong"
        guard isMeasured else { return counts }
        return """
            \(counts)
            slowest \(String(format: "%.1f", slowest.seconds * 1_000)) ms (\(slowest.name), \(slowest.bytes) bytes), \
            most memory \(largest.kilobytes) KiB (\(largest.name), \(largest.bytes) bytes)
            """
    }
}

/// Writes a line at once, so that it is there when the program crashes after it.
func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
