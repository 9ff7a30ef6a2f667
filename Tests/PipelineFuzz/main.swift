import Foundation

// PipelineFuzz --count N [--seed S] [--from I] [--measure] [--small]
//
// Reads N files that nobody would write, and says what became of them. Exits with 1 when one was neither accepted nor
// refused as it should be, or, measured, took more than it may. A crash ends it by its signal: `--from`, which is the
// last number it told, and `--count` find the file.
var arguments = CommandLine.arguments.dropFirst()
var request = FuzzRequest()
while let flag = arguments.popFirst() {
    switch flag {
    case "--measure": request.isMeasured = true
    case "--small": request.isSmall = true
    case "--count": request.count = arguments.popFirst().flatMap { Int($0) } ?? request.count
    case "--seed": request.seed = arguments.popFirst().flatMap { UInt64($0) } ?? request.seed
    case "--from": request.start = arguments.popFirst().flatMap { Int($0) } ?? request.start
    default:
        print("PipelineFuzz: unknown flag \(flag)")
        exit(64)
    }
}
do { exit(try Fuzzing(request).run() ? 0 : 1) } catch {
    print("PipelineFuzz: \(error)")
    exit(70)
}
