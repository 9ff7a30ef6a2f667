import Assay
import AssayTesting
@preconcurrency import Foundation
import Logging

// A program for tests of worker processes: a worker that may misbehave, or the parent of such workers.

WorkerProcess.serveIfAsked { name, _ in
    switch name {
    case "steps": return try RegisteredProcessor(StepProcessor())
    case "misbehaving": return try RegisteredProcessor(Misbehaving())
    case "billed": return try RegisteredProcessor(Billed())
    default: return try (RunnerRule.processors() + CostLaw.processors()).first { $0.name.text == name }
    }
}

// As a parent whose descriptors run out: says what becomes of an item, then of the same with descriptors.
if CommandLine.arguments.last == "starved" {
    func work() async throws -> String {
        var options = RunOptions()
        options.runner = try ProcessRunner(maxWorkers: 1)
        let report = try await Engine().run(
            RegisteredProcessor(Misbehaving()), over: [Item("a", "fine")], options: options)
        return report.outcomes[0].error.map { "\($0.code.rawValue) \($0.retryable)" } ?? "succeeded"
    }
    // What the program needs for itself is open from here on.
    _ = try await work()
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    let usual = limit.rlim_cur
    for count in [3, usual] {
        limit.rlim_cur = count
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        print(try await work())
    }
    exit(0)
}

if let count = CrashRig.wanted {
    try await CrashRig.lose(count)
    exit(0)
}

// As a parent: works until it is killed, having said who its workers are.
setvbuf(stdout, nil, Int32(_IOLBF), 0)
var options = RunOptions()
options.runner = try ProcessRunner(maxWorkers: 2) { print($0) }
_ = try await Engine().run(
    RegisteredProcessor(Misbehaving()), over: ["escape", "spin"].map { Item($0, $0) }, options: options)

/// Does what its input says.
struct Misbehaving: Processor {
    let name = "misbehaving"

    func extract(_ input: String, in context: Context) async throws -> String {
        if input.hasPrefix("once ") {
            return context.attempt > 1 ? input : try await extract(String(input.dropFirst("once ".count)), in: context)
        }
        switch input {
        case "pid":
            usleep(100_000)
            return "\(getpid())"
        case "nap": usleep(7_000_000)
        case "trap": _ = try await context.step("processing") { [Int]()[Int(input) ?? 0] }
        case "exit": exit(3)
        case "segv": raise(SIGSEGV)
        case "kill": kill(getpid(), SIGKILL)
        case "once" where context.attempt == 1: kill(getpid(), SIGKILL)
        case "garbage": put(Array("HTTP/1.1 200 OK\r\n".utf8), on: 3)
        case "nothing": put([UInt8](repeating: 0, count: 48), on: 3)
        case "half": put(Array("ASYW".utf8) + [1, 5], on: 3); kill(getpid(), SIGSTOP)
        case "huge": put(Array("ASYW".utf8) + [1, 5, 0, 0, 0, 0, 0, 0x80] + [UInt8](repeating: 7, count: 36), on: 3)
        case "print": print("\u{1B}[2J\0 not a frame")
        case "stop": kill(getpid(), SIGSTOP)
        case "stubborn":
            signal(SIGTERM, SIG_IGN)
            try await context.emit(getpid())
            while true { sleep(600) }
        case "spin":
            print("worker \(getpid())")
            while true { _ = UInt64.random(in: 0 ... .max) }
        case "grandchild":
            try await context.emit(start("exec sleep 600"))
            exit(3)
        case "escape":
            print("worker \(start("exec setsid sleep 600"))")
            while true { sleep(600) }
        case "flood":
            let line = Array((String(repeating: "x", count: 1_023) + "\n").utf8)
            for _ in 0..<(100 << 10) { put(line, on: STDERR_FILENO) }
        default: break
        }
        try await overflow(input, in: context)
        if input.hasPrefix("large ") { return String(input.dropFirst("large ".count)) }
        if input.hasPrefix("grow "), let size = Int(input.dropFirst("grow ".count)) {
            return String(repeating: "x", count: size)
        }
        return input
    }

    /// Asks for something with 17 MiB in it.
    private func overflow(_ input: String, in context: Context) async throws {
        let much = JSONValue.string(String(repeating: "x", count: 17 << 20))
        switch input {
        case "charge much": try await context.charge("s", "o", metadata: ["much": much])
        case "ask much": _ = try await context.call("s", "o", key: much) { _ in 1 }
        case "settle much":
            _ = try await context.call("s", "o", maximumCost: Money(3)) { call in
                call.settle(try Money(2), metadata: ["much": much])
                return 1
            }
        case "log much": context.logger.info("much", metadata: ["much": "\(much)"])
        case "throw much": throw ProcessingError(.api, much.string ?? "")
        default: break
        }
    }

    private func put(_ bytes: [UInt8], on descriptor: Int32) { _ = write(descriptor, bytes, bytes.count) }

    /// Starts a grandchild that holds all descriptors.
    private func start(_ script: String) -> pid_t {
        var id = pid_t()
        let arguments: [String] = ["/bin/sh", "-c", script]
        var words = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        posix_spawn(&id, "/bin/sh", nil, nil, &words, environ)
        return id
    }
}

/// Charges and makes a paid call in each of two steps.
struct Billed: Processor {
    let name = "billed"

    func extract(_ input: Int, in context: Context) async throws -> [Int] {
        try await context.charge("desk", "open", key: "open")
        let read = try await context.step("read") {
            try await context.charge("ocr", "page", quantity: Number(input % 3 + 1))
            return try await context.call("vision", "read", key: .number(Number(input))) { _ in
                usleep(500)
                return input * 10
            }
        }
        let found = try await context.step("search") {
            async let left = context.call("clear", "search", key: .string("\(input) left")) { _ in read + 1 }
            async let right = context.call("clear", "search", key: .string("\(input) right")) { _ in read + 2 }
            return try await [left, right]
        }
        return found
    }
}
