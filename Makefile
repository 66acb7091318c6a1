# Two commands: `make demo` and `make test`. Each does all its own set-up on a machine that has Rust, Python 3,
# a C compiler and Debian's package manager.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
PY := $(VENV)/bin/python
CORE_FEATURES := alloc getrandom passphrase documents refusal-texts seal vault secrecy
PIP := $(PY) -m pip --quiet --disable-pip-version-check
# Everything that the Python package is made of.
PACKAGE_SOURCES := Cargo.toml Cargo.lock $(shell find core/src core/Cargo.toml core/host/src core/host/Cargo.toml \
	python/src python/pysrc python/packaging/backend.py python/Cargo.toml python/pyproject.toml python/README.md -type f -not -name '*.pyc')

.PHONY: help
help: ## What there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

.PHONY: demo
demo: $(VENV)/.installed ## Build, then one whole story in a temporary folder: policy, rotation, kills, reveal, audit
	@$(VENV)/bin/laps demo

# What compiles into one target folder is in one list, since Cargo lets one build at a time into it. The Rust tests, which can use
# all that is left when the other list is done, come late. What only checks has a folder of its own: builds use nothing of it.
.PHONY: test
test: set-up ## The gate: everything that must hold at every commit; two lists of stages side by side
	@MAKE="$(MAKE)" lint/lanes.sh "c-tests sdist-test rust seal-test bench-build" "lint docs windows python-test c-sizes"
	@echo "all green"

.PHONY: set-up
set-up: packages $(VENV)/.tools ## All that the stages would install, before they run side by side
	ffi/tests/run.sh packages
	ffi/tests/windows.sh packages

lint docs: export CARGO_TARGET_DIR := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)/check

.PHONY: lint
lint: ## rustfmt, clippy, no retired name, no circle of modules, no wide line
	cargo fmt --all --check
	python3 lint/retired_names.py
	python3 lint/circles.py
	python3 lint/columns.py
	cargo clippy -q --workspace --all-features --all-targets -- -D warnings
	cargo clippy -q -p laps-core --no-default-features -- -D warnings
	cargo clippy -q -p laps-host --no-default-features -- -D warnings
	cargo clippy -q -p laps-host --no-default-features --features sqlite -- -D warnings
	cargo clippy -q -p laps-host --no-default-features --features agent -- -D warnings
	cargo clippy -q -p laps-ffi --no-default-features -- -D warnings

# Each feature of the core alone. What does not compute much costs more when it is optimised. Long tests are not repeated where
# another feature has shown the same: the generator sees nothing of documents, seal and vault but alloc; vault has all of seal
# in it; fleets are large, and live once, with everything on.
UNOPTIMISED := --config profile.dev.package.laps-core.opt-level=0
.PHONY: rust
rust: packages ## Rust tests: everything on, then each feature of the core alone
	cargo test -q --all-features
	cargo test -q $(UNOPTIMISED) -p laps-core --no-default-features
	@for feature in $(CORE_FEATURES); do \
		echo "laps-core with $$feature alone"; \
		skip=() how="$(UNOPTIMISED)"; \
		case $$feature in documents | seal | vault) skip+=(--skip generate::tests::) how= ;; esac; \
		[ $$feature != vault ] || skip+=(--skip failures:: --skip keyfiles:: --skip fleet::); \
		cargo test -q $$how -p laps-core --no-default-features --features $$feature -- "$${skip[@]}"; \
	done

.PHONY: docs
docs: ## rustdoc without a warning
	RUSTDOCFLAGS="-D warnings" cargo doc -q --no-deps --all-features -p laps-core -p laps-host

.PHONY: c
c: c-tests c-sizes ## The C ABI: both below

.PHONY: c-tests
c-tests: packages ## The C ABI: all languages and compilers, plain, under valgrind and sanitizers
	ffi/tests/run.sh

.PHONY: c-sizes
c-sizes: packages ## The C libraries as shipped: below their limits, and the C tests hold for them
	ffi/tests/sizes.sh

.PHONY: python-test
python-test: $(VENV)/.tools $(VENV)/.installed ## pytest, mypy, stubtest, the command line, the API reference
	cd python && ../$(PY) -m pytest -q
	cd python && ../$(PY) -m mypy --strict pysrc tests packaging
	cd python && ../$(PY) -m mypy.stubtest laps._laps
	$(PY) python/packaging/reference.py target/reference

.PHONY: sdist-test
sdist-test: $(VENV)/.tools ## The source distribution builds elsewhere; its wheel has what it should and names no folder
	$(PY) python/tests/check_sdist.py target/sdist

.PHONY: reference
reference: $(VENV)/.tools $(VENV)/.installed ## The API reference of the Python package, into target/reference
	$(PY) python/packaging/reference.py target/reference

.PHONY: seal-test
seal-test: $(VENV)/.tools ## Sealed records against a second implementation, both ways, in both suites
	$(PY) -m mypy --strict core/tests/seal/independent/*.py
	$(PY) core/tests/seal/independent check core/tests/seal/vectors
	rm -rf target/seal-exchange
	cargo run -q --all-features --example seal_vectors -- make target/seal-exchange/ours $$RANDOM
	$(PY) core/tests/seal/independent check target/seal-exchange/ours
	$(PY) core/tests/seal/independent make target/seal-exchange/theirs
	cargo run -q --all-features --example seal_vectors -- check target/seal-exchange/theirs

.PHONY: bench-build
bench-build: ## Benchmarks are built and linked; not optimised, which costs two minutes and shows nothing more
	cargo build -q --all-features --bench '*' --examples

.PHONY: bench
bench: ## Benchmarks run
	ffi/build.sh full target/bench-library
	LAPS_LIBRARY=$(CURDIR)/target/bench-library/liblaps.so cargo bench -p laps-benches

.PHONY: csharp
csharp: ## Laps.cs and its example agent under Mono, against the Linux library
	ffi/tests/csharp.sh

.PHONY: bench-python
bench-python: $(VENV)/.installed ## The Python package: start-up, one password, many, beside Rust and the secrets module
	$(PY) benches/python.py

.PHONY: install
install: ## Install the C library: make install PREFIX=/usr/local [BUILD=agent] [DESTDIR=…]
	BUILD="$(BUILD)" DESTDIR="$(DESTDIR)" ffi/install.sh "$(or $(PREFIX),/usr/local)"

.PHONY: proofs
proofs: packages ## The long ones: millions of states, hundreds of kills (hours)
	cargo test --release -p laps-core --all-features --test constant_time
	LAPS_PROOFS=1 cargo test --release -p laps-core --all-features --lib rotation::exploration -- --nocapture
	$(MAKE) proofs-administration
	$(MAKE) proofs-dice
	LAPS_PROOFS=1 cargo test --release -p laps-core --all-features --test rotation walk -- --nocapture
	LAPS_PROOFS=1 LAPS_FLEET_CSV=$(CURDIR)/target/fleet.csv \
		cargo test --release -p laps-core --all-features --test rotation fleet -- --nocapture
	LAPS_KILLS=500 cargo test -p laps-host --all-features --test kill -- spread
	LAPS_KILLS=500 LAPS_FAULTS=all cargo test -p laps-host --all-features --test processes
	LAPS_FAULTS=all cargo test -p laps-host --all-features --test power
	$(MAKE) proofs-turns
	LAPS_FLEET=full cargo bench -p laps-benches --bench vault
	ffi/tests/fuzz.sh 1000000
	LAPS_PROOFS=1 ffi/tests/sizes.sh
	$(MAKE) csharp
	$(MAKE) report-view
	$(MAKE) frozen

.PHONY: proofs-administration
proofs-administration: ## The exploration of administrations; PART=parts::orders_and_clocks takes one of its parts
	LAPS_PROOFS=1 cargo test --release -p laps-core --all-features --lib rotation::administration::$(PART) -- --nocapture

.PHONY: proofs-turns
proofs-turns: packages ## Sixteen processes on one vault for three minutes: nobody is told "busy"; prints p50, p99 and throughput
	LAPS_PROOFS=1 cargo test --release -p laps-host --all-features --test processes -- take_turns

.PHONY: proofs-dice
proofs-dice: $(VENV)/.tools $(VENV)/.installed ## 200 agents, ten thousand acts and kills; SEED=… walks that way again, PART=6:150 with fewer
	rm -rf target/dice && mkdir -p target/dice
	LAPS_DICE=$(or $(PART),200:10000) $(if $(SEED),LAPS_DICE_SEED=$(SEED)) LAPS_DICE_KEEP=$(CURDIR)/target/dice \
		cargo test -p laps-host --all-features --test dice
	cd python && ../$(PY) -m tests.agreement ../target/dice

.PHONY: report-view
report-view: $(VENV)/.tools $(VENV)/.installed ## Reports about 5, 3 000 and 100 000 devices in headless Chromium; look at the pictures
	@command -v chromium >/dev/null || { echo "installing the Debian package chromium"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; }
	rm -rf target/report-view
	$(PY) python/tests/view_report.py target/report-view

.PHONY: frozen
frozen: $(VENV)/.tools $(VENV)/.installed ## A program that PyInstaller froze has all that it needs: it makes a policy and tells the whole story
	rm -rf target/frozen && mkdir -p target/frozen
	python3 -m venv target/frozen/venv
	target/frozen/venv/bin/python -m pip --quiet --disable-pip-version-check install 'pyinstaller>=6.16,<7'
	printf '%s/lib/python%s/site-packages\n' "$(CURDIR)/$(VENV)" "$$($(PY) -c 'import sys; print("%d.%d" % sys.version_info[:2])')" \
		> "$$(target/frozen/venv/bin/python -c 'import site; print(site.getsitepackages()[0])')/laps.pth"
	echo 'from laps.cli import main; main()' > target/frozen/program.py
	cd target/frozen && venv/bin/pyinstaller --noconfirm --log-level ERROR --name laps program.py
	target/frozen/dist/laps/laps policy new target/frozen/policy.json
	target/frozen/dist/laps/laps demo

.PHONY: fleet-plot
fleet-plot: $(VENV)/.tools ## Draw the load of a fleet from what make proofs wrote
	$(PY) core/tests/rotation/fleet_plot.py target/fleet.csv core/src/rotation/fleet.svg

.PHONY: windows
windows: ## Cross-build the Windows DLLs into a zip; C and C++ tests, kills and the account store under Wine
	ffi/tests/windows.sh
	core/host/tests/windows.sh

.PHONY: packages
packages: ## Debian packages that the tests need
	@missing=(); \
	command -v valgrind >/dev/null || missing+=(valgrind); \
	command -v strace >/dev/null || missing+=(strace); \
	command -v useradd >/dev/null || missing+=(passwd); \
	command -v g++ >/dev/null || missing+=(g++); \
	[ -e /usr/aarch64-linux-gnu/include/utmp.h ] || missing+=(libc6-dev-arm64-cross); \
	if [ $${#missing[@]} -gt 0 ]; then \
		echo "installing Debian packages: $${missing[*]}"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$${missing[@]}" >/dev/null; \
	fi

$(VENV)/.created:
	@echo "making a virtual environment in $(VENV)"
	@python3 -m venv $(VENV) 2>/dev/null || { \
		echo "installing the Debian package python3-venv"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null; \
		python3 -m venv $(VENV); }
	@touch $@

# What the tests need beside the package.
$(VENV)/.tools: $(VENV)/.created python/requirements-dev.txt
	@echo "installing python/requirements-dev.txt into $(VENV)"
	@$(PIP) install --no-compile -r python/requirements-dev.txt # what is imported is compiled then
	@touch $@

$(VENV)/.installed: $(VENV)/.created $(PACKAGE_SOURCES)
	@echo "building the Python package into $(VENV) (an optimised build; a few minutes when nothing is built yet)"
	@$(PIP) install ./python
	@touch $@
