import Assay
import Foundation

/// Tiny items through worker processes, and the pipes that they are measured by.
enum Processes {
    private static let increment = ClosureProcessor<Int, Int>("increment") { value, _ in value &+ 1 }
    private static let frameSize = 50

    /// Works for a parent, and does not return, if this program was started for that.
    static func serveIfAsked() {
        WorkerProcess.serveIfAsked { _, _ in try RegisteredProcessor(increment) }
        if CommandLine.arguments.dropFirst().first == "pipe-echo" { echo() }
    }

    /// No-op items through the process runner.
    static func engine(_ request: Request) async throws -> Measurement {
        var options = RunOptions()
        options.runner = try ProcessRunner(maxWorkers: request.workers)
        let engine = Engine()
        // Who starts programs first pays for finding out how.
        _ = try await engine.run(increment, over: 0..<request.workers, options: options)
        let cpu = Measurement.processorSeconds()
        var outputs: [Int] = []
        var measured = try await Measurement.of {
            outputs = try await engine.run(increment, over: 0..<request.count, options: options).outputs()
        }
        try check(outputs == Array(1...request.count), "outputs")
        // What children used is known when they have ended, which they do by themselves.
        try await Task.sleep(for: .milliseconds(500))
        measured.cpu = Measurement.processorSeconds() - cpu
        return measured
    }

    /// Frames of 50 numbers to one process a worker and back, one frame in flight.
    static func pipes(_ request: Request) async throws -> Measurement {
        let cpu = Measurement.processorSeconds()
        let share = request.count / request.workers
        var measured = try await Measurement.of {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<request.workers { group.addTask { try exchange(share) } }
                try await group.waitForAll()
            }
        }
        measured.cpu = Measurement.processorSeconds() - cpu
        return measured
    }

    private static func exchange(_ count: Int) throws {
        let process = Process()
        let (input, output) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
        process.arguments = ["pipe-echo"]
        (process.standardInput, process.standardOutput) = (input, output)
        try process.run()
        let (to, from) = (input.fileHandleForWriting.fileDescriptor, output.fileHandleForReading.fileDescriptor)
        var sum = 0
        for start in stride(from: 0, to: count, by: frameSize) {
            let numbers = Array(start..<min(start + frameSize, count))
            try numbers.withUnsafeBytes { bytes in
                try check(write(to, bytes.baseAddress, bytes.count) == bytes.count, "a pipe took less than a frame")
            }
            var answer = [Int](repeating: 0, count: numbers.count)
            try check(receive(&answer, from) == numbers.count, "a pipe ended")
            sum += answer.reduce(0, +)
        }
        try input.fileHandleForWriting.close()
        process.waitUntilExit()
        try check(sum == count * (count + 1) / 2, "sum")
    }

    private static func receive(_ numbers: inout [Int], _ descriptor: Int32) -> Int {
        numbers.withUnsafeMutableBytes { bytes in
            var filled = 0
            while filled < bytes.count {
                let count = read(descriptor, bytes.baseAddress?.advanced(by: filled), bytes.count - filled)
                guard count > 0 else { break }
                filled += count
            }
            return filled / MemoryLayout<Int>.size
        }
    }

    private static func echo() -> Never {
        var numbers = [Int](repeating: 0, count: frameSize)
        while true {
            // Whole frames only: what is written at once into a pipe of this size is read at once.
            let count = numbers.withUnsafeMutableBytes { read(STDIN_FILENO, $0.baseAddress, $0.count) }
            guard count > 0 else { exit(0) }
            for index in 0..<(count / MemoryLayout<Int>.size) { numbers[index] &+= 1 }
            _ = numbers.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, count) }
        }
    }
}
