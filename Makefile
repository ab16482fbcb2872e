# make demo     the legacy system and the same work on the rungs of the ladder, in one table
# make test     every test
# make bench    the benchmarks behind PROMISES.md; make bench FLAGS=--quick for a first look
# make build    the executables: .build/release/forkless, forkless-keeper, forkless-oci
# make order    the order of the OCI runtime's functions in its file, from a run of it
# make check    format and imports, without running anything
# make format   formats every Swift file
# make install  copies the executables to $(PREFIX)/bin; DESTDIR is honoured
# make clean    removes what the others made
#
# Every target does its own set-up: on a Debian machine with Swift there is nothing to do before.

PREFIX ?= /usr/local
FLAGS ?=

EXECUTABLES = forkless forkless-keeper forkless-oci
EXAMPLES = $(CURDIR)/.build/examples
BENCH = $(CURDIR)/.build/bench
SHIM = $(CURDIR)/.build/shim
TESTS = $(CURDIR)/.build/tests.log

# One file that runs on any Linux of the same processor: no Swift runtime and no C library to install beside it.
# Sections are dropped that nothing refers to, and symbols, which nobody would read. lld comes with Swift; which
# other linkers a machine has differs.
RELEASE = $(WITH_SYMBOLS) -Xlinker -s
WITH_SYMBOLS = -c release -Xswiftc -static-executable -Xswiftc -use-ld=lld $(COLD)
# Programs that run for milliseconds: the first use of a generic type calls its accessor instead of reading its name and
# looking its conformances up, and every function has a section of its own, which the linker can place or drop.
COLD = -Xswiftc -Xfrontend -Xswiftc -disable-concrete-type-metadata-mangled-name-accessors \
    -Xswiftc -Xfrontend -Xswiftc -function-sections
# The OCI runtime starts for every container: what it runs through stands together in the file, so that few pages of the
# eight megabytes of Swift's library are touched. Names that are gone do no harm; `make order` writes the list anew. In one
# segment with the code its constants share the parts that the kernel maps at a time: half a megabyte less is resident.
ORDER_forkless-oci = -Xlinker --no-rosegment -Xlinker --symbol-ordering-file=$(CURDIR)/Sources/Edge/forkless-oci/link-order.txt \
    -Xlinker --no-warn-symbol-ordering
# Without this an import of a target that is not declared builds by luck.
CHECKED = --explicit-target-dependency-import-check error
SWIFT_FILES = Package.swift Sources Tests Benchmarks/Package.swift Benchmarks/Sources

# What images are read with, as archives to link into one file, and what those need in turn.
LIBRARY_NEEDS = /usr/include/archive.h=libarchive-dev /usr/include/zlib.h=zlib1g-dev /usr/include/zstd.h=libzstd-dev \
    /usr/include/sys/acl.h=libacl1-dev /usr/include/nettle/md5.h=nettle-dev /usr/include/lzma.h=liblzma-dev \
    /usr/include/lz4.h=liblz4-dev /usr/include/bzlib.h=libbz2-dev /usr/include/libxml2/libxml/parser.h=libxml2-dev \
    /usr/include/sqlite3.h=libsqlite3-dev
BUILD_NEEDS = ld=binutils cc=gcc /usr/include/stdio.h=libc6-dev git=git $(LIBRARY_NEEDS)
TEST_NEEDS = $(BUILD_NEEDS) awk=mawk /usr/include/seccomp.h=libseccomp-dev runc=runc jq=jq ledger=ledger \
    docker-registry=docker-registry xmllint=libxml2-utils python3=python3 perl=perl strace=strace ps=procps nft=nftables ip=iproute2 \
    ping=iputils-ping dig=bind9-dnsutils nsenter=util-linux busybox=busybox-static skopeo=skopeo podman=podman \
    dockerd=docker.io docker=docker.io containerd=containerd unshare=util-linux openssl=openssl curl=curl zstd=zstd \
    /usr/share/doc/python3-venv=python3-venv make=make /usr/sbin/cron=cron /usr/sbin/xinetd=xinetd \
    dbus-daemon=dbus-daemon /usr/lib/python3/dist-packages/jeepney=python3-jeepney conmon=conmon \
    wrk=wrk /usr/lib/postgresql=postgresql /usr/lib/python3/dist-packages/yaml=python3-yaml \
    chromium=chromium chromedriver=chromium-driver prometheus=prometheus promtool=prometheus
BENCH_NEEDS = $(BUILD_NEEDS) runc=runc crun=crun jq=jq python3=python3 dockerd=docker.io docker=docker.io unshare=util-linux \
    nsenter=util-linux nft=nftables ip=iproute2 nginx=nginx /usr/sbin/fcgiwrap=fcgiwrap wrk=wrk ab=apache2-utils curl=curl \
    /usr/lib/python3/dist-packages/yaml=python3-yaml /usr/share/doc/python3-venv=python3-venv chromium=chromium \
    chromedriver=chromium-driver

all: build

demo: build examples shim
	@.ci/packages pgrep=procps awk=mawk curl=curl nft=nftables /usr/bin/python3=python3 /usr/share/doc/python3-venv=python3-venv
	@sh Examples/demo.sh

build: swift shim
	@.ci/packages $(BUILD_NEEDS)
	@for name in $(EXECUTABLES); do $(MAKE) --no-print-directory product-$$name || exit 1; done
	@cp $(SHIM)/forkless-shim .build/release/forkless-shim
	@cd .build/release && ls -sh $(EXECUTABLES) forkless-shim

product-%:
	@swift build $(RELEASE) $(ORDER_$*) --product $*

test: swift
	@.ci/packages $(TEST_NEEDS)
	@$(MAKE) --no-print-directory examples shim
	@cd Examples/legacy-risk && OUT=$(EXAMPLES) sh ./check.sh
	swift build --build-tests $(CHECKED)
	@.ci/tests $(TESTS)

bench: swift
	@.ci/packages $(BENCH_NEEDS)
	@$(MAKE) --no-print-directory build examples
	@swift build $(RELEASE) --product forkless-load
	@swift build -c release --package-path Benchmarks
	@cc -O2 -nostdlib -static -o $(EXAMPLES)/waiting Benchmarks/Programs/waiting.c
	@cc -O2 -Wall -Wextra -o $(EXAMPLES)/steady Benchmarks/Programs/steady.c
	@cc -O2 -Wall -Wextra -static -o $(EXAMPLES)/timed Benchmarks/Programs/timed.c
	@Benchmarks/.build/release/bench --programs .build/release --examples $(EXAMPLES) --output $(BENCH) $(FLAGS)

# Steps the OCI runtime through the life of a container, instruction by instruction: minutes, or most of an hour in a slow
# virtual machine.
order: swift
	@.ci/packages $(BUILD_NEEDS) jq=jq
	@$(MAKE) --no-print-directory examples
	@swift build $(WITH_SYMBOLS) $(ORDER_forkless-oci) --product forkless-oci
	@cc -O2 -nostdlib -static -o $(EXAMPLES)/waiting Benchmarks/Programs/waiting.c
	@cc -O2 -Wall -Wextra -o $(EXAMPLES)/first-run Benchmarks/Programs/first-run.c
	@sh Benchmarks/Programs/order.sh .build/release/forkless-oci $(EXAMPLES) > $(EXAMPLES)/link-order.txt
	@mv $(EXAMPLES)/link-order.txt Sources/Edge/forkless-oci/link-order.txt

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

.PHONY: all demo build test bench order check format install clean examples shim swift
