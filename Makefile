# What a newcomer types. Each target works as the first command on a fresh Debian 12 with Rust.
# Caches outlive the checkout: PILAKE_CACHE, by default ~/.cache/pilake.
.PHONY: build demo test bench bench-live live-day live-week tidy lint fuzz chaos year test-spark bench-spark wheel wheels test-wheels packages test-packages bundle test-strangers test-company nightly docs deps clean help

build: ## the binary, build/release/pilake
	@tools/deps.sh build
	@tools/build.sh release pilake

demo: build ## a simulated plant lands in a Delta table
	@build/release/pilake demo

test: ## unit tests, then whole runs whose tables delta-rs compares with the truth
	@tools/deps.sh build
	@tools/test.sh

bench: ## speed end to end and stage by stage
	@tools/deps.sh build
	@tools/bench.sh

bench-live: build ## how far a stream is behind the plant, in a burst and after kills too; LIVE=--long for half an hour each
	@tools/python.sh bench/live.py $(LIVE)

live-day: build ## a simulated day beside a stream, with an outage each hour, and how many files it leaves
	@PILAKE_LIVE_HOURS=24 tools/python.sh -m pytest -q tests/e2e/test_stream.py -k 'outage_each_hour or as_few_files'

live-week: build ## a simulated week beside a stream: memory, open files and log stay bounded
	@PILAKE_LIVE_HOURS=168 tools/python.sh -m pytest -q -s tests/e2e/test_stream.py -k stay_as_they_are

tidy: ## clang-tidy on what changed since it was last clean
	@tools/deps.sh check
	@tools/tidy.sh

lint: ## format, shell, Rust, rooms, licences
	@tools/deps.sh check
	@tools/lint.sh

fuzz: ## FUZZ_SECONDS (default 20) on every fuzz target
	@tools/deps.sh check
	@tools/fuzz.sh

chaos: build ## SEEDS (default 20) storms of faults, kills and changes behind the table's back
	@tools/python.sh tests/chaos/chaos.py --seeds $(or $(SEEDS),20) $(if $(SEEDS),--each-kind $(shell expr $(SEEDS) / 5),)

year: ## a year in which a thousand events came late, were edited, deleted: found and repaired
	@tools/deps.sh build
	@tools/year.sh

test-spark: ## Spark reads, streams and writes through the Python package, and equals the truth
	@tools/deps.sh check
	@tools/spark.sh tests/spark/test_source.py

bench-spark: ## how fast Python and Spark read, beside the binary
	@tools/deps.sh check
	@tools/spark.sh bench/spark.py

wheel: ## the Python package, build/wheels/
	@tools/deps.sh build
	@tools/wheel.sh

wheels: ## portable wheels for Python 3.11, and for 3.12 and later, build/packages/; for root alone
	@tools/deps.sh packages
	@tools/wheels.sh

test-wheels: wheels ## those in bare systems, with every pyarrow of two years; for root alone
	@tools/python.sh -m pytest tests/packages/test_wheels.py -q

bundle: ## the wheel for Databricks, databricks/dist/, as `databricks bundle deploy` builds it
	@tools/deps.sh build
	@tools/bundle.sh

packages: ## what is handed out, build/packages/; ARCH="x86_64 aarch64" for other machines than this one
	@tools/deps.sh build
	@tools/package.sh $(or $(ARCH),$(shell uname -m))

test-packages: packages ## tarball, Debian package and container in bare systems, for root alone
	@tools/deps.sh packages
	@tools/test_packages.sh

test-strangers: ## Spark does to the table what strangers do, and pilake finds it out
	@tools/deps.sh check
	@PILAKE_STRANGERS=all tools/spark.sh tests/spark -k strangers

test-company: ## what a company has: stores, a catalog, sign-on (servers are built once); PILAKE_COMPANY=long takes its time
	@tools/company.sh

nightly: ## the long proofs; results go to docs/proof/
	@tools/deps.sh check
	@tools/nightly.sh

docs: ## writes anew what is made from tables in the code
	@tools/deps.sh build
	@tools/build.sh dev config_test pi_test pipeline_test plan_test
	@PILAKE_WRITE_DOCS=1 build/dev/config_test --gtest_brief=1 --gtest_filter='ConfigurationPage.*'
	@PILAKE_WRITE_DOCS=1 build/dev/pi_test --gtest_brief=1 --gtest_filter='RequestsPage.*'
	@PILAKE_WRITE_DOCS=1 build/dev/pipeline_test --gtest_brief=1 --gtest_filter='CheckPage.*'
	@PILAKE_WRITE_DOCS=1 build/dev/plan_test --gtest_brief=1 --gtest_filter='NextStep.IsWhatTheAdministratorWasTold'
	@python3 tools/check_licences.py --write

deps: ## Debian packages for all of the above
	@tools/deps.sh check

clean: ## removes build/; the caches stay
	@rm -rf build

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' Makefile
