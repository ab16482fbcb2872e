# make demo     the legacy system and the same work on the rungs of the ladder, in one table
# make test     every test
# make bench    the benchmarks behind PROMISES.md; make bench FLAGS=--quick for a first look
# make build    the executables: .build/release/forkless, forkless-keeper
# make check    format and imports, without running anything
# make format   formats every Swift file
# make install  copies the executables to $(PREFIX)/bin; DESTDIR is honoured
# make clean    removes what the others made
#
# Every target does its own set-up: on a Debian machine with Swift there is nothing to do before.

PREFIX ?= /usr/local
FLAGS ?=

EXECUTABLES = forkless forkless-keeper
EXAMPLES = $(CURDIR)/.build/examples
BENCH = $(CURDIR)/.build/bench
SHIM = $(CURDIR)/.build/shim

# One file that runs on any Linux of the same processor: no Swift runtime and no C library to install beside it.
# Sections are dropped that nothing refers to, and symbols, which nobody would read. lld comes with Swift; which
# other linkers a machine has differs.
RELEASE = -c release -Xswiftc -static-executable -Xswiftc -use-ld=lld -Xlinker -s
# Without this an import of a target that is not declared builds by luck.
CHECKED = --explicit-target-dependency-import-check error
SWIFT_FILES = Package.swift Sources Tests Benchmarks/Package.swift Benchmarks/Sources

# What images are read with, as archives to link into one file, and what those need in turn.
LIBRARY_NEEDS = /usr/include/archive.h=libarchive-dev /usr/include/zlib.h=zlib1g-dev /usr/include/zstd.h=libzstd-dev \
    /usr/include/sys/acl.h=libacl1-dev /usr/include/nettle/md5.h=nettle-dev /usr/include/lzma.h=liblzma-dev \
    /usr/include/lz4.h=liblz4-dev /usr/include/bzlib.h=libbz2-dev /usr/include/libxml2/libxml/parser.h=libxml2-dev \
    /usr/include/sqlite3.h=libsqlite3-dev
BUILD_NEEDS = ld=binutils cc=gcc /usr/include/stdio.h=libc6-dev git=git $(LIBRARY_NEEDS)
TEST_NEEDS = $(BUILD_NEEDS) /usr/include/seccomp.h=libseccomp-dev runc=runc jq=jq ledger=ledger \
    docker-registry=docker-registry xmllint=libxml2-utils python3=python3 perl=perl strace=strace ps=procps nft=nftables ip=iproute2 \
    ping=iputils-ping dig=bind9-dnsutils nsenter=util-linux busybox=busybox-static skopeo=skopeo podman=podman \
    dockerd=docker.io docker=docker.io unshare=util-linux openssl=openssl curl=curl zstd=zstd \
    /usr/share/doc/python3-venv=python3-venv make=make /usr/sbin/cron=cron /usr/sbin/xinetd=xinetd \
    wrk=wrk /usr/lib/postgresql=postgresql /usr/lib/python3/dist-packages/yaml=python3-yaml
BENCH_NEEDS = $(BUILD_NEEDS) runc=runc jq=jq python3=python3 dockerd=docker.io docker=docker.io unshare=util-linux nft=nftables \
    ip=iproute2 nginx=nginx /usr/sbin/fcgiwrap=fcgiwrap wrk=wrk ab=apache2-utils curl=curl \
    /usr/lib/python3/dist-packages/yaml=python3-yaml

all: build

demo: build examples shim
	@.ci/packages pgrep=procps awk=mawk curl=curl nft=nftables /usr/bin/python3=python3 /usr/share/doc/python3-venv=python3-venv
	@sh Examples/demo.sh

build: swift shim
	@.ci/packages $(BUILD_NEEDS)
	@for name in $(EXECUTABLES); do swift build $(RELEASE) --product $$name || exit 1; done
	@cp $(SHIM)/forkless-shim .build/release/forkless-shim
	@cd .build/release && ls -sh $(EXECUTABLES) forkless-shim

test: swift
	@.ci/packages $(TEST_NEEDS)
	@$(MAKE) --no-print-directory examples shim
	@cd Examples/legacy-risk && OUT=$(EXAMPLES) sh ./check.sh
	swift build --build-tests $(CHECKED)
	swift test --skip-build --no-parallel

bench: swift
	@.ci/packages $(BENCH_NEEDS)
	@$(MAKE) --no-print-directory build examples
	@swift build $(RELEASE) --product forkless-load
	@swift build -c release --package-path Benchmarks
	@cc -O2 -nostdlib -static -o $(EXAMPLES)/waiting Benchmarks/Programs/waiting.c
	@Benchmarks/.build/release/bench --programs .build/release --examples $(EXAMPLES) --output $(BENCH) $(FLAGS)

check: swift
	@swift format lint --strict --parallel --recursive $(SWIFT_FILES)
	@.ci/packages $(BUILD_NEEDS)
	swift build $(CHECKED)

format: swift
	@swift format --in-place --parallel --recursive $(SWIFT_FILES)

install: build
	@for name in $(EXECUTABLES) forkless-shim; do \
	    install -D -m 755 .build/release/$$name $(DESTDIR)$(PREFIX)/bin/$$name || exit 1; \
	    echo "$(DESTDIR)$(PREFIX)/bin/$$name"; \
	done
	@install -D -m 644 $(SHIM)/libforkless-spawn.so $(DESTDIR)$(PREFIX)/lib/libforkless-spawn.so
	@echo "$(DESTDIR)$(PREFIX)/lib/libforkless-spawn.so"

clean:
	@rm -rf .build Benchmarks/.build
	@$(MAKE) --no-print-directory -C Examples/legacy-risk clean
	@$(MAKE) --no-print-directory -C Examples/noop clean
	@$(MAKE) --no-print-directory -C Examples/functions clean
	@$(MAKE) --no-print-directory -C Examples/service clean

# The legacy system and the smallest programs, which demonstration, tests and benchmarks run.
examples: swift
	@.ci/packages cc=gcc /usr/include/stdio.h=libc6-dev
	@$(MAKE) --no-print-directory -s -C Examples/legacy-risk OUT=$(EXAMPLES)
	@$(MAKE) --no-print-directory -s -C Examples/noop OUT=$(EXAMPLES)
	@$(MAKE) --no-print-directory -s -C Examples/functions OUT=$(EXAMPLES)
	@$(MAKE) --no-print-directory -s -C Examples/service OUT=$(EXAMPLES)

# What takes a shifted program's place: Embedded Swift without a C library, which the package manager of Swift cannot
# build. Functions have sections of their own, so that the linker drops what of Swift's runtime is not reached.
SHIM_SOURCES = $(wildcard Sources/Shift/forkless-shim/*.swift)
shim: swift $(SHIM)/forkless-shim $(SHIM)/libforkless-spawn.so

$(SHIM)/forkless-shim: $(SHIM_SOURCES) Sources/Shift/forkless-shim/Start.S $(wildcard Sources/Kernel/CKernel/bare/*)
	@.ci/packages ld=binutils cc=gcc /usr/include/linux/un.h=linux-libc-dev
	@mkdir -p $(SHIM)
	@swiftc -swift-version 6 -enable-experimental-feature Embedded -enable-experimental-feature Extern -wmo -Osize \
	    -parse-as-library -Xfrontend -function-sections -Xfrontend -disable-stack-protector -Xcc -fno-stack-protector \
	    -module-name ForklessShim -I Sources/Kernel/CKernel/bare -c $(SHIM_SOURCES) -o $(SHIM)/shim.o
	@cc -c Sources/Shift/forkless-shim/Start.S -o $(SHIM)/start.o
	@ld -static -nostdlib --gc-sections -s -z noseparate-code -z norelro -z noexecstack --build-id=none \
	    $(SHIM)/start.o $(SHIM)/shim.o -o $@

# For LD_PRELOAD. It needs nothing but the C library that the program has anyway, and finds its doors without a stub.
SPAWN_LIBRARY = Sources/Kernel/CSpawn/preload
$(SHIM)/libforkless-spawn.so: $(wildcard $(SPAWN_LIBRARY)/*.c $(SPAWN_LIBRARY)/*.h)
	@.ci/packages cc=gcc /usr/include/stdio.h=libc6-dev
	@mkdir -p $(SHIM)
	@cc -O2 -std=c11 -Wall -Wextra -fPIC -fvisibility=hidden -fno-plt -shared -Wl,-z,now -Wl,--hash-style=gnu \
	    -Wl,-soname,libforkless-spawn.so -s -o $@ $(SPAWN_LIBRARY)/*.c

swift:
	@command -v swift >/dev/null 2>&1 || { \
	    echo "find swift: it is not in PATH. Install Swift 6.2 or later: https://www.swift.org/install/linux" >&2; exit 1; }

.PHONY: all demo build test bench check format install clean examples shim swift
