# daisychain: build, check, test, install.
#
#   make            build every program (release) into target/bin
#   make check      the quick gate: format, lints, unit tests, man pages
#   make test       everything, black-box tests included; installs what it needs
#   make install    programs, man pages, service directories below $(DESTDIR)$(PREFIX)
#   make run        the main job: a server on 127.0.0.1:1143 with an example account
#   make stop       ends what `make run` started
#   make bench      figures, side by side with Debian's Courier

PREFIX  = /usr/local/daisychain
DESTDIR =

CARGO ?= cargo
CARGO_TARGET_DIR ?= $(CURDIR)/target
export CARGO_TARGET_DIR
PYTHON = /usr/bin/python3

# Programs that run once a login or hold a session start fastest on musl, those that no stranger talks to at fixed
# addresses: a dozen page faults less a login. Those that follow nsswitch or need the system's crypt(3) stay dynamic.
MUSL_PACKAGES  = tcpd imaplogin userdb maildirmake conf2env
FIXED_PACKAGES = authuserdb authcheckpassword imapd
GNU_PACKAGES   = authpwd authshadow cryptcheck

MUSL = x86_64-unknown-linux-musl
GNU  = x86_64-unknown-linux-gnu
BIN  = $(CARGO_TARGET_DIR)/bin

BUILD_PACKAGES = gcc libc6-dev libcrypt-dev make
CHECK_PACKAGES = $(BUILD_PACKAGES) mandoc
TEST_PACKAGES  = $(CHECK_PACKAGES) \
	python3 python3-gdbm python3-pytest python3-pytest-timeout python3-pytest-xdist \
	ucspi-tcp daemontools runit s6 ipsvd strace procps \
	courier-imap courier-pop courier-authdaemon courier-authlib-userdb gamin \
	curl mutt isync offlineimap3

# Black-box tests wait more than they work.
TEST_JOBS = 4

.PHONY: all build check test test-packages install run stop bench clean

all: build

build:
	@.ci/packages $(BUILD_PACKAGES)
	@.ci/build '$(MUSL)' '$(GNU)' '$(BIN)' '$(MUSL_PACKAGES)' '$(FIXED_PACKAGES)' '$(GNU_PACKAGES)'

check:
	@.ci/packages $(CHECK_PACKAGES)
	$(CARGO) fmt --all -- --check
	$(CARGO) clippy --workspace --all-targets --quiet -- -D warnings
	$(CARGO) test --workspace --quiet
	@.ci/lint-man man/*.[1578]

test-packages:
	@.ci/packages $(TEST_PACKAGES)

test: test-packages check build
	DAISYCHAIN_BIN='$(BIN)' $(PYTHON) -m pytest tests -n $(TEST_JOBS)

bench: test-packages build
	DAISYCHAIN_BIN='$(BIN)' $(PYTHON) tests/bench/logins.py

install: build
	@.ci/install '$(BIN)' '$(DESTDIR)$(PREFIX)'

run: build
	@services/example/start '$(BIN)'

stop:
	@services/example/stop

clean:
	rm -rf '$(CARGO_TARGET_DIR)'
