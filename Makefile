# daisychain: build, check, test, install.
#
#   make            build every program (release)
#   make check      the quick gate: format, lints, unit tests, man pages
#   make test       everything, black-box tests included; installs what it needs
#   make install    programs, man pages, service directories below $(DESTDIR)$(PREFIX)
#   make run        the main job: a server on 127.0.0.1:1143 with an example account
#   make bench      figures, side by side with Debian's Courier

PREFIX  = /usr/local/daisychain
DESTDIR =

CARGO ?= cargo
CARGO_TARGET_DIR ?= $(CURDIR)/target
export CARGO_TARGET_DIR

# Programs that run once a login or hold a session start fastest on musl.
# Those that follow nsswitch or need the system's crypt(3) stay dynamic.
MUSL_PACKAGES = tcpd imaplogin authuserdb authcheckpassword imapd userdb maildirmake conf2env
GNU_PACKAGES  = authpwd authshadow cryptcheck

MUSL = x86_64-unknown-linux-musl
GNU  = x86_64-unknown-linux-gnu
BIN  = $(CARGO_TARGET_DIR)/bin

.PHONY: all build check test install run bench clean

all: build

build:
	@.ci/build '$(MUSL)' '$(GNU)' '$(BIN)' '$(MUSL_PACKAGES)' '$(GNU_PACKAGES)'

check:
	$(CARGO) fmt --all -- --check
	$(CARGO) clippy --workspace --all-targets --quiet -- -D warnings
	$(CARGO) test --workspace --quiet
	@.ci/lint-man man/*.[1578]

clean:
	rm -rf '$(CARGO_TARGET_DIR)'
