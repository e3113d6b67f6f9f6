# `make help` lists what there is. Needs bash, make, Swift 6.2 or later and Debian's packages, which are installed where they are missing.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# What the server is built from.
BUILD_PACKAGES := libdeflate-dev libfmt-dev libopenblas-dev libsimdjson-dev libssl-dev libyaml-dev zlib1g-dev
# Seconds for each target of `make fuzz`.
SECONDS ?= 60
# Long suites whose threads and memory do what those of shorter ones do: without them under the sanitizers.
NUMERIC_SUITES := ArchitecturePropertyTests DualGoldenTests FiniteWidthIdentityTests KnownSpectraCurveTests GoldenKernelTests HostileRegressionTests KernelPropertyTests MonteCarloTests \
                 NetworkLimitTests NumericCasesTests SampledEnsembleTests
# What one thread computes, or many as in other suites: without them under the thread sanitizer.
ONE_THREAD_SUITES := CholeskyTests CosineTests ElementwiseOperatorTests FiniteNetworkTests FurtherOperatorTests HostileGraphTests HostileModelTests \
                     LinearOperatorTests MatrixTilesTests ModelGoldenTests ReferenceNetworkTests ShapeOperatorTests SingularSystemTests
# Random requests in `make hostile-campaign`, or seconds: HOSTILE='--seconds 60'.
COUNT ?= 1000000
HOSTILE ?= --count $(COUNT)
# Of each kind in `make kill-test`.
KILLS ?= 20
# In `make fault-test`, `make stop-test` and `make flip-test`.
FAULTS ?= 1000
STOPS ?= 50
FLIPS ?= 2000

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: packages
packages:
	@.ci/check-swift
	@.ci/install-packages $(BUILD_PACKAGES) curl python3-venv

.PHONY: build
build: packages ## Build the release binary, .build/release/ntk-server
	swift build -c release

.PHONY: demo
demo: build ## Start a server, recognise handwritten digits, stop it
	Examples/digits.sh .build/release/ntk-server

.PHONY: test
test: openapi-test swift-test ## Run all tests

.venv-tests/complete: Tests/requirements.txt | packages
	rm -rf .venv-tests
	python3 -m venv .venv-tests
	.venv-tests/bin/pip install --quiet --disable-pip-version-check -r Tests/requirements.txt
	touch $@

.PHONY: openapi-test
openapi-test: packages .venv-tests/complete ## Test openapi.yaml and a running server against each other
	swift build
	NTK_SERVER=.build/debug/ntk-server .venv-tests/bin/pytest --quiet Tests/OpenAPI
	.venv-tests/bin/python Tests/Differential/llhttp.py --count 3000

.PHONY: numeric-campaign
numeric-campaign: packages .venv-tests/complete ## Compare random architectures with arbitrary precision, SECONDS=60 (seed printed)
	swift build
	.venv-tests/bin/python Tests/Reference/campaign.py --server .build/debug/ntk-server --seconds $(SECONDS)

.PHONY: finite-width-campaign
finite-width-campaign: build ## Compare the order 1/width with 20,000 networks of each width and activation (minutes)
	Tests/FiniteWidth/sampled_networks.py --server .build/release/ntk-server --networks 20000

.PHONY: regression-test
regression-test: packages .venv-tests/complete ## Compare random hostile regression problems with 150 digits for half a minute (seed printed)
	swift build
	.venv-tests/bin/python Tests/Reference/regression_campaign.py --server .build/debug/ntk-server --seconds 25

.PHONY: regression-campaign
regression-campaign: build .venv-tests/complete ## The same with 100,000 problems
	.venv-tests/bin/python Tests/Reference/regression_campaign.py --server .build/release/ntk-server --problems 100000

.PHONY: end-to-end-test
end-to-end-test: packages .venv-tests/complete ## Test real servers over TLS, with slow clients, with bombs and smuggled messages, and at their end
	@.ci/install-packages gcc
	swift build
	NTK_SERVER=.build/debug/ntk-server .venv-tests/bin/pytest --quiet Tests/EndToEnd

.venv-page/complete: Tests/Page/requirements.txt | packages
	rm -rf .venv-page
	python3 -m venv .venv-page
	.venv-page/bin/pip install --quiet --disable-pip-version-check -r Tests/Page/requirements.txt
	touch $@

.PHONY: page-test
page-test: packages .venv-page/complete ## Test the page and the reference in Debian's chromium
	@.ci/install-packages chromium fonts-dejavu-core
	swift build
	NTK_SERVER=.build/debug/ntk-server .venv-page/bin/pytest --quiet --numprocesses 2 Tests/Page

# Not in parallel: the numeric tests would take the threads that the tests of deadlines wait for.
.PHONY: swift-test
swift-test: packages ## Run the Swift tests
	@.ci/install-packages openssl
	swift test --no-parallel

.venv-client/complete: Clients/python/requirements.txt Clients/python/pyproject.toml | packages
	rm -rf .venv-client
	python3 -m venv .venv-client
	.venv-client/bin/pip install --quiet --disable-pip-version-check -r Clients/python/requirements.txt
	.venv-client/bin/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable Clients/python
	touch $@

.PHONY: client-test
client-test: build .venv-client/complete ## Test the Python client and the examples against a running server
	cd Clients/python; for check in "ruff format --check --quiet ." "ruff check --quiet ." mypy "pytest --quiet"; do \
	    NTK_SERVER=$(CURDIR)/.build/release/ntk-server $(CURDIR)/.venv-client/bin/$$check; done

.PHONY: client-torch-test
client-torch-test: build .venv-client/complete ## Test the Python client's networks of PyTorch, which is installed for it (200 MB)
	.venv-client/bin/pip install --quiet --disable-pip-version-check -r Clients/python/requirements-torch.txt
	cd Clients/python; NTK_SERVER=$(CURDIR)/.build/release/ntk-server $(CURDIR)/.venv-client/bin/pytest --quiet tests/networks

.venv-generators/complete: Tests/Generators/requirements.txt | packages
	rm -rf .venv-generators
	python3 -m venv .venv-generators
	.venv-generators/bin/pip install --quiet --disable-pip-version-check -r Tests/Generators/requirements.txt
	touch $@

.PHONY: client-generators-test
client-generators-test: packages .venv-generators/complete ## Make Python clients of openapi.yaml with two generators, and ask a server with them
	swift build --product ntk-server
	Tests/Generators/run .venv-generators .build/debug/ntk-server python

.PHONY: client-languages-test
client-languages-test: packages .venv-generators/complete ## The same with clients in Go, Java, TypeScript and R, with Debian's compilers
	@.ci/install-packages default-jdk-headless golang-go golang-gopkg-validator.v2-dev node-typescript nodejs r-base-core r-cran-base64enc r-cran-httr r-cran-jsonlite r-cran-r6 r-cran-stringr
	swift build --product ntk-server
	Tests/Generators/run .venv-generators .build/debug/ntk-server go java typescript r

.venv-conformance/complete: Tests/Conformance/requirements.txt | packages
	rm -rf .venv-conformance
	python3 -m venv .venv-conformance
	.venv-conformance/bin/pip install --quiet --disable-pip-version-check -r Tests/Conformance/requirements.txt
	touch $@

.PHONY: schemathesis
schemathesis: packages .venv-conformance/complete ## Run all checks of schemathesis against a server, SECONDS=60 of fuzzing and stateful tests
	swift build
	SCHEMATHESIS=.venv-conformance/bin/schemathesis Tests/Conformance/schemathesis $(SECONDS)

.PHONY: redbot
redbot: packages .venv-conformance/complete ## Ask redbot and httplint what they find bad in the answers
	swift build
	Tests/Conformance/redbot .venv-conformance/bin/redbot

.PHONY: kill-test
kill-test: build ## Kill servers KILLS=20 times while they fit, and as often while they work on jobs: nothing is lost, no bit differs
	Tests/EndToEnd/kill_during_fits.py --server .build/release/ntk-server --kills $(KILLS)
	Tests/EndToEnd/kill_during_jobs.py --server .build/release/ntk-server --kills $(KILLS)

.PHONY: fault-test
fault-test: build ## Make FAULTS=1000 calls on the file system fail, one after another, under a server: nothing is lost, nothing half there
	@.ci/install-packages gcc
	Tests/EndToEnd/fault_injection.py --server .build/release/ntk-server --faults $(FAULTS)

.PHONY: stop-test
stop-test: build ## Stop servers STOPS=50 times while they work on as many jobs, and let them go on: no result differs by a bit
	Tests/EndToEnd/stop_during_jobs.py --server .build/release/ntk-server --stops $(STOPS) --jobs $(STOPS)

.PHONY: flip-test
flip-test: build .venv-tests/complete ## Flip FLIPS=2000 bits of the files in a data directory: every answer is what it was, or names the damage
	Tests/EndToEnd/bit_flips.py --server .build/release/ntk-server --flips $(FLIPS)
	NTK_SERVER=.build/release/ntk-server .venv-tests/bin/pytest --quiet Tests/EndToEnd/large_results.py

.PHONY: hostile-campaign
hostile-campaign: build .venv-tests/complete ## Send COUNT=1000000 random requests with absurd numbers to a server, and see that it lives
	.venv-tests/bin/python Tests/EndToEnd/hostile_campaign.py --server .build/release/ntk-server $(HOSTILE)

.PHONY: peaks-test
peaks-test: build .venv-tests/complete ## Compare the estimate of memory with the peak of a process, layer by layer
	NTK_SERVER=.build/release/ntk-server .venv-tests/bin/pytest --quiet Tests/EndToEnd/peaks.py

.PHONY: tsan
tsan: packages ## Run the Swift tests under the thread sanitizer
	@.ci/install-packages openssl
	swift test --no-parallel --sanitize=thread --scratch-path .build-tsan $(addprefix --skip ,$(NUMERIC_SUITES) $(ONE_THREAD_SUITES))

.PHONY: asan
asan: packages ## Run the Swift tests under the address sanitizer
	@.ci/install-packages openssl
	ASAN_OPTIONS=detect_leaks=0 swift test --no-parallel --sanitize=address --scratch-path .build-asan $(addprefix --skip ,$(NUMERIC_SUITES))

.PHONY: load-test-sanitized
load-test-sanitized: packages ## Load servers with everything at once, under the thread and the address sanitizer, until a signal ends them
	for sanitizer in thread:.build-tsan address:.build-asan; do \
	    swift build --product ntk-server --sanitize="$${sanitizer%:*}" --scratch-path "$${sanitizer#*:}"; \
	    Tests/EndToEnd/load.py --server "$${sanitizer#*:}/debug/ntk-server" --seconds 20; done

.PHONY: estimate-test
estimate-test: build ## Ask what random requests will cost, make them, and compare; half a minute
	Tests/Estimates/campaign.py --server .build/release/ntk-server --count 60 --stride 3 --target 0.006 0.03 --limit 35

.PHONY: estimate-campaign
estimate-campaign: build ## The same with 500 requests of every activation, layer and endpoint
	Tests/Estimates/campaign.py --server .build/release/ntk-server --count 500

.PHONY: corpus-compare
corpus-compare: packages .venv-tests/complete ## Ask two servers 3,000 requests and compare their answers bit for bit: OLD=binary NEW=binary, built alike
	.venv-tests/bin/python Tests/Corpus/compare.py --old $(OLD) --new $(NEW)

.PHONY: instruction-sets-test
instruction-sets-test: packages .venv-tests/complete ## Test the C loops for each level of instructions that this machine has, compiled one by one
	.venv-tests/bin/pytest --quiet Tests/InstructionSets

.PHONY: deploy-test
deploy-test: packages ## Check Dockerfile, manifests, dashboard and unit offline
	swift build
	Deploy/validate .build/debug/ntk-server

.PHONY: image
image: ## Build the container image without an engine, on base images made here, and ask it a question
	Deploy/image/build --stand-ins ntk-server:latest
	Deploy/image/try ntk-server:latest

.PHONY: fuzz
fuzz: packages ## Fuzz each target of Tests/Fuzzing, SECONDS=60 each
	for build in Tests/Fuzzing/*/build.sh; do Tests/Fuzzing/run "$$(basename "$$(dirname "$$build")")" $(SECONDS); done

.PHONY: openapi
openapi: ## Write openapi.yaml from the files in API
	@.ci/install-packages python3
	API/bundle

.PHONY: lint
lint: ## Check the form of Swift sources and shell scripts, the length of files, openapi.yaml, and what the documents say of the tree
	@.ci/install-packages shellcheck python3
	.ci/check_documents.py
	.ci/check_lengths.py
	API/bundle --check
	.ci/check_rooms.py
	git ls-files -z --cached --others --exclude-standard -- '*.swift' | xargs -0 swift format lint --strict
	git grep -lz -E '^#!.*\b(ba)?sh$$' -- . ':!*.md' | xargs -0 shellcheck --external-sources

.PHONY: bench
bench: ## Measure against the peers; writes Benchmarks/RESULTS.md
	Benchmarks/run
