import Assay
import AssayPipelines
import Testing

@Suite("The key batch of a pipeline file") struct PipelineBatchTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("has the defaults of the policy, and without it there are no batches")
    func defaults() throws {
        #expect(try folder.load(PipelineText.top("")).options.batching == nil)
        let batching = try #require(try folder.load(PipelineText.top("batch: {}")).options.batching)
        #expect(batching.policy == .standard)
        #expect(batching.size == nil && batching.slot == nil && !batching.isParallel)
    }

    @Test("sets every part")
    func parts() throws {
        let text = """
            batch: {default_batch_size: 12, max_batch_size: 30, min_batch_size: 2, error_threshold: 0.25, \
            threshold_rule: reaches, max_retries: 7, backoff_base_seconds: 0.5, backoff_max_seconds: 2m, \
            retry: whole_batch, retry_on: all, max_concurrent_batches: 9, enable_streaming: false, \
            enable_instrumentation: false, complexity: simple, slots: {A: complex}, sizes: {simple: 3}, size: 8, \
            slot: A, parallel: true}
            """
        let batching = try #require(try folder.load(PipelineText.top(text)).options.batching)
        #expect(
            batching.policy
                == (try BatchPolicy(
                    defaultBatchSize: 12, maxBatchSize: 30, minBatchSize: 2,
                    errorThreshold: #require(Number("0.25")), thresholdRule: .reaches, maxRetries: 7, backoffBase: 0.5,
                    backoffMax: 120, retry: .wholeBatch, retryOn: .all, maxConcurrentBatches: 9, enableStreaming: false,
                    enableInstrumentation: false, complexity: .simple, slots: ["A": .complex], sizes: [.simple: 3])))
        #expect(batching.size == 8 && batching.slot == "A" && batching.isParallel)
    }

    @Test("leaves the size to slot, complexity and policy when that is auto")
    func automatic() throws {
        let pipeline = try folder.load(PipelineText.node("complexity: very_complex") + "\nbatch: {size: auto}")
        let batching = try #require(pipeline.options.batching)
        #expect(batching.size == nil)
        #expect(pipeline.processor?.complexity == .veryComplex)
    }

    @Test(
        "is refused where it is wrong",
        arguments: [
            ("true", "3:8: batch must be a map, found boolean true"),
            (
                "{min_batch_size: 5, default_batch_size: 3}",
                "3:8: invalid batch sizes: min 5, default 3, max 100 (1 ≤ min ≤ default ≤ max)"
            ),
            ("{error_threshold: 1.5}", "3:26: error_threshold must be between 0 and 1, found 1.5"),
            ("{threshold_rule: exceed}", "3:25: unknown threshold rule 'exceed'; did you mean 'exceeds'?"),
            ("{max_retries: -1}", "3:22: max_retries must be between 0 and 1000, found -1"),
            ("{backoff_base_seconds: -1}", "3:31: backoff_base_seconds must be at least 0, found -1"),
            ("{retry: failed}", "3:16: unknown retry 'failed'; known: failed_items, whole_batch"),
            ("{max_concurrent_batches: 0}", "3:33: max_concurrent_batches must be at least 1, found 0"),
            ("{complexity: simpel}", "3:21: unknown complexity 'simpel'; did you mean 'simple'?"),
            ("{slots: {A: hard}}", "3:20: unknown complexity 'hard'; known: simple, moderate, complex, very_complex"),
            ("{sizes: {simple: 0}}", "3:25: simple must be at least 1, found 0"),
            ("{sizes: {simpel: 5}}", "3:17: unknown key 'simpel' in batch.sizes; did you mean 'simple'?"),
            ("{size: 0}", "3:15: size must be at least 1, found 0"),
            ("{paralel: true}", "3:9: unknown key 'paralel' in batch; did you mean 'parallel'?"),
        ])
    func wrong(value: String, finding: String) throws {
        #expect(try folder.findings(of: PipelineText.top("batch: \(value)")) == [finding])
    }
}
