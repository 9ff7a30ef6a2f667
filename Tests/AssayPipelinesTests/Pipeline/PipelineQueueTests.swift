import Assay
import AssayPipelines
import Testing

@Suite("The queue of a pipeline file") struct PipelineQueueTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("has the documented defaults")
    func defaults() throws {
        let text = PipelineText.top("queue: {queue_capacity: 10, capacity_refresh_time: 0.5}")
        let queue = try #require(try folder.load(text).queue)
        #expect(queue.configuration == (try QueueConfiguration(capacity: 10, refreshTime: .milliseconds(500))))
        #expect(queue.admission is AlwaysAdmission)
        #expect(try folder.load(PipelineText.top("")).queue == nil)
    }

    @Test("takes every key, times with a unit as well")
    func keys() throws {
        let keys = """
            queue: {queue_capacity: 1, capacity_refresh_time: 250ms, concurrency_limit: 2, max_queue_size: 3, \
            max_denials: 4, denial_delay: 5, max_denial_tracking: 6, on_denial: next, on_restart: fail, \
            max_recoveries: 0, name: invoices, admission: {type: rate, count: 7, seconds: 8, key: bureau}}
            """
        let queue = try #require(try folder.load(PipelineText.top(keys)).queue)
        #expect(
            queue.configuration
                == (try QueueConfiguration(
                    capacity: 1, refreshTime: .milliseconds(250), concurrencyLimit: 2, maxSize: 3, maxDenials: 4,
                    denialDelay: .seconds(5), maxDenialTracking: 6, onDenial: .next, onRestart: .fail,
                    maxRecoveries: 0, name: "invoices")))
        #expect(queue.admission is RateAdmission)
    }

    private static let refused = [
        ("{capacity_refresh_time: 1}", "3:8: queue needs 'queue_capacity'"),
        ("{queue_capacity: 1}", "3:8: queue needs 'capacity_refresh_time'"),
        (
            "{queue_capacity: 0, capacity_refresh_time: 1}",
            "3:25: queue_capacity must be between 1 and 10000, found 0"
        ),
        (
            "{queue_capacity: 1, capacity_refresh_time: 3601}",
            "3:51: capacity_refresh_time must be between 0.01 and 3600, found 3601"
        ),
        (
            "{queue_capacity: 1, capacity_refresh_time: 1, on_denial: nex}",
            "3:65: unknown on_denial 'nex'; did you mean 'next'?"
        ),
        (
            "{queue_capacity: 1, capacity_refresh_time: 1, admission: {type: rat}}",
            "3:72: unknown admission policy 'rat'; did you mean 'rate'?"
        ),
        (
            "{queue_capacity: 1, capacity_refresh_time: 1, admission: {type: rate, count: 1}}",
            "3:65: queue.admission needs 'seconds'"
        ),
        (
            "{queue_capacity: 1, capacity_refresh_time: 1, capacity: 1}",
            "3:54: unknown key 'capacity' in queue"
        ),
    ]

    @Test("says what is wrong with a key", arguments: refused)
    func findings(row: (text: String, finding: String)) throws {
        let found = try folder.findings(of: PipelineText.top("queue: \(row.text)"))
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix(row.finding) == true, "\(found)")
    }
}
