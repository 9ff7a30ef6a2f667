.PHONY: demo test soak bench lint format setup

# The main job on real statements: factors, the bill, and a run to look at afterwards.
demo: setup
	swift build --product assay
	.build/debug/assay run Examples/underwriting/pipeline.yaml Examples/underwriting/statements
	.build/debug/assay graph show Examples/underwriting/decision.yaml
	.build/debug/assay run Examples/underwriting/decision.yaml Examples/underwriting/statements

# Every test in its short form.
test: setup
	scripts/test

# What breaks things on purpose, in its long form: thousands of kills, hundreds of power cuts, and pipeline files that
# nobody would write, each within 100 ms and 32 MiB.
soak: setup
	swift run -c release PipelineFuzz --count 200000 --measure $(if $(ASSAY_SEED),--seed $(ASSAY_SEED))
	ASSAY_SOAK=1 scripts/test

# Overhead per item and durable items per second beside their yardsticks.
bench: setup
	swift run --package-path Benchmarks -c release assay-bench all

lint:
	scripts/floors
	swift format lint --strict --recursive --parallel Sources Tests Examples Benchmarks/Sources Package.swift Benchmarks/Package.swift

format:
	swift format --in-place --recursive --parallel Sources Tests Examples Benchmarks/Sources Package.swift Benchmarks/Package.swift

setup:
	@scripts/setup
