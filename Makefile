# One build. `make` builds the programs into build/bin (release) or build-VARIANT/bin.
#   make setup | up | test | check | bench | fuzz | tour | install | clean      (see README.md)
#   BUILD=release|asan|tsan|cov   CC=clang-19|gcc
# A room is a folder under src/ with a line in src/LAYERS; files are found by name:
#   *_test.c  tests (one runner a room)      *_fuzz.c   fuzz target      *_bench.c  benchmark
#   main.c    the room's program             everything else: the room's library

BUILD ?= release
OUT   := $(if $(filter release,$(BUILD)),build,build-$(BUILD))

ifeq ($(origin CC),default)
  CC := $(shell command -v clang-19 || command -v clang || echo gcc)
endif
IS_CLANG := $(shell $(CC) --version 2>/dev/null | grep -qi clang && echo 1)
AR := $(if $(IS_CLANG),$(or $(shell command -v llvm-ar-19),llvm-ar),gcc-ar)

ARCH := $(shell uname -m)
CPPFLAGS := -iquote src -D_GNU_SOURCE
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wno-missing-field-initializers
CFLAGS_ALL := -std=c17 -g -fvisibility=hidden -fno-strict-aliasing -pthread -MMD -MP $(WARN) \
              $(if $(filter x86_64,$(ARCH)),-march=x86-64-v2) $(if $(CI),-Werror)
LD := $(if $(IS_CLANG),-fuse-ld=lld)
LTO := $(if $(IS_CLANG),-flto=thin -ffat-lto-objects,-flto=auto -ffat-lto-objects)

# What has not changed is not optimised again when linking.
LTO_CACHE := $(if $(IS_CLANG),-Xlinker --thinlto-cache-dir=$(OUT)/lto)

# Sanitizers and coverage open files and trace, which the sandbox forbids.
ifeq ($(BUILD),asan)
  VARIANT := -DSANDBOX_OFF -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
  LTO :=
else ifeq ($(BUILD),tsan)
  VARIANT := -DSANDBOX_OFF -O1 -fno-omit-frame-pointer -fsanitize=thread
  LTO :=
else ifeq ($(BUILD),cov)
  VARIANT := -DSANDBOX_OFF -O1 $(if $(IS_CLANG),-fprofile-instr-generate -fcoverage-mapping,--coverage)
  LTO :=
else ifeq ($(BUILD),fuzz)
  VARIANT := -DSANDBOX_OFF -O1 -fno-omit-frame-pointer -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all
  LTO :=
else
  VARIANT := -O3
endif
CFLAGS ?=

# --- rooms ------------------------------------------------------------------------------------
ROOMS    := $(shell sed -n 's/^\([a-z0-9]*\):.*/\1/p' src/LAYERS)
below     = $(shell sed -n 's/^$(1):\(.*\)/\1/p' src/LAYERS)
SPECIAL  := %_test.c %_fuzz.c %_bench.c %/main.c %/test_main.c
sources   = $(sort $(wildcard src/$(1)/*.c src/$(1)/*/*.c))
lib_c     = $(filter-out $(SPECIAL),$(call sources,$(1)))
test_c    = $(filter %_test.c,$(call sources,$(1)))
fuzz_c    = $(filter %_fuzz.c,$(call sources,$(1)))
bench_c   = $(filter %_bench.c,$(call sources,$(1)))
obj       = $(patsubst src/%.c,$(OUT)/obj/%.o,$(1))

# A program is named after its room.
PROGRAM_cli    := ashlar
PROGRAM_node   := ashlar-node
PROGRAM_evmcli := ashlar-evm
PROGRAM_ROOMS  := $(foreach r,$(ROOMS),$(if $(wildcard src/$(r)/main.c),$(r)))
PROGRAMS       := $(foreach r,$(PROGRAM_ROOMS),$(OUT)/bin/$(PROGRAM_$(r)))

# --- libraries from outside ---------------------------------------------------------------------
KZG_DIR  := node_modules/c-kzg/deps/c-kzg
BLST_DIR := node_modules/c-kzg/deps/blst
KZG_LIB  := $(OUT)/lib/libkzg.a
CPPFLAGS += -isystem $(KZG_DIR) -isystem $(BLST_DIR)/bindings
# Debian's static archives, of which only what is used is linked (docs/decisions/0004-static-libraries.md). Builds for
# finding faults, and systems without these archives, take the shared libraries.
ARCHIVES := $(if $(filter-out asan tsan cov fuzz,$(BUILD)),$(dir $(shell $(CC) -print-file-name=libgmp.a)))
archive_or_shared = $(or $(if $(ARCHIVES),$(wildcard $(ARCHIVES)$(1))),$(2))
LIBS_crypto := $(KZG_LIB) $(call archive_or_shared,libsecp256k1.a,-lsecp256k1) \
               $(call archive_or_shared,libcrypto.a,-lcrypto) $(call archive_or_shared,libgmp.a,-lgmp)
LIBS_prim   := $(call archive_or_shared,libyajl_s.a,-lyajl)
LIBS_sys    := $(call archive_or_shared,libuv_a.a,-luv) $(call archive_or_shared,libz.a,-lz)
LIBS_db     := -l:liblmdb.a -l:libzstd.a
LIBS_args   := $(call archive_or_shared,libyaml.a,-lyaml)
LIBS_evmcli := $(LIBS_args)
LIBS_http   := $(LIBS_sys) $(call archive_or_shared,libhttp_parser.a,-lhttp_parser) \
               $(call archive_or_shared,libwslay.a,-lwslay)
libs_of = $(foreach r,$(1),$(LIBS_$(r)))

.DEFAULT_GOAL := all
.PHONY: all
all: $(PROGRAMS)

# What each program and runner links: its room's library, those of the rooms below in stair order, and
# what they take from outside. Tests, fuzz targets and benchmarks are linked without LTO: it is slow.
archives = $(foreach r,$(1) $(call below,$(1)),$(OUT)/lib/lib$(r).a)
outside  = $(if $(findstring crypto,$(1) $(call below,$(1))),$(KZG_LIB))
link     = mkdir -p $(@D); echo "  LINK $@"; $(CC) $(VARIANT) $(CFLAGS) $(LD) -pthread -o $@
linked   = $(call archives,$(1)) $(call libs_of,$(1) $(call below,$(1))) -lm

define room_rules
$(OUT)/lib/lib$(1).a: $(call obj,$(call lib_c,$(1)))
	@mkdir -p $$(@D); rm -f $$@; $(AR) rcs $$@ $$^
$(OUT)/test/$(1): $(call obj,$(call test_c,$(1)) src/base/test_main.c) $(call archives,$(1)) $(call outside,$(1))
	@$$(link) $(call obj,$(call test_c,$(1)) src/base/test_main.c) $(call linked,$(1))
.PHONY: lib-$(1) test-$(1)
lib-$(1): $(OUT)/lib/lib$(1).a
test-$(1): $(OUT)/test/$(1)
	$(OUT)/test/$(1)
TESTS   += $(if $(call test_c,$(1)),$(OUT)/test/$(1))
FUZZERS += $(patsubst %.c,$(OUT)/fuzz/%,$(notdir $(call fuzz_c,$(1))))
BENCHES += $(patsubst %.c,$(OUT)/bench/%,$(notdir $(call bench_c,$(1))))
$(foreach f,$(call fuzz_c,$(1)),$(eval $(call extra_rule,$(1),$(f),fuzz,-fsanitize=fuzzer)))
$(foreach f,$(call bench_c,$(1)),$(eval $(call extra_rule,$(1),$(f),bench,)))
endef

define extra_rule
$(OUT)/$(3)/$(basename $(notdir $(2))): $(call obj,$(2)) $(call archives,$(1)) $(call outside,$(1))
	@$$(link) $(4) $(call obj,$(2)) $(call linked,$(1))
endef
$(foreach r,$(ROOMS),$(eval $(call room_rules,$(r))))

define program_rules
$(OUT)/bin/$(PROGRAM_$(1)): $(call obj,src/$(1)/main.c) $(call archives,$(1)) $(call outside,$(1))
	@$$(link) $(LTO) $(if $(LTO),$(LTO_CACHE)) -Wl,--gc-sections -Wl,--as-needed -Wl,-z,relro,-z,now -Wl,-z,pack-relative-relocs -static-libgcc $(call obj,src/$(1)/main.c) $(call linked,$(1))
endef
$(foreach r,$(PROGRAM_ROOMS),$(eval $(call program_rules,$(r))))

# The maker of the import benchmark's chains reads transactions as evmcli does.
BENCHES += $(OUT)/bench/make_chain
$(OUT)/obj/make_chain.o: bench/import/make_chain.c $(OUT)/flags
	@mkdir -p $(@D); $(CC) $(CPPFLAGS) $(CFLAGS_ALL) $(VARIANT) $(LTO) $(CFLAGS) -c -o $@ $<
$(OUT)/bench/make_chain: $(OUT)/obj/make_chain.o $(call archives,evmcli) $(call outside,evmcli)
	@$(link) $(OUT)/obj/make_chain.o $(call linked,evmcli)

# The layer of faults that make torture puts under a node's files.
FAULTS := $(OUT)/lib/faults.so
$(FAULTS): tests/torture/faults.c $(OUT)/flags
	@mkdir -p $(@D); echo "  LINK $@"; $(CC) $(CPPFLAGS) $(CFLAGS_ALL) $(CFLAGS) -O1 -fPIC -shared -o $@ $<

# A flag file: objects are rebuilt when compiler or flags change.
FLAGS_NOW := $(CC) $(CPPFLAGS) $(CFLAGS_ALL) $(VARIANT) $(LTO) $(CFLAGS)
$(OUT)/flags: force
	@mkdir -p $(@D); echo '$(FLAGS_NOW)' | cmp -s - $@ || echo '$(FLAGS_NOW)' > $@
.PHONY: force
force:

# Only version.c knows the commit. A source tree that is not a repository of its own has none.
COMMIT := $(shell [ "$$(git rev-parse --show-toplevel 2>/dev/null)" = "$$(pwd -P)" ] && \
            git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
$(OUT)/commit: force
	@mkdir -p $(@D); echo '$(COMMIT)' | cmp -s - $@ || echo '$(COMMIT)' > $@
$(OUT)/obj/args/version.o: $(OUT)/commit
$(OUT)/obj/args/version.o: CPPFLAGS += -DASHLAR_COMMIT='"$(COMMIT)"'

$(OUT)/obj/%.o: src/%.c $(OUT)/flags
	@mkdir -p $(@D)
	@echo "  CC   $<"; $(CC) $(CPPFLAGS) $(CFLAGS_ALL) -ffunction-sections -fdata-sections $(VARIANT) $(LTO) $(CFLAGS) -c -o $@ $<

# blst and c-kzg-4844 come as C source inside the npm package that package-lock.json pins.
node_modules/c-kzg/package.json: package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund
	@touch $@
KZG_FLAGS := -O2 -g -w -D__BLST_PORTABLE__ $(if $(filter x86_64,$(ARCH)),-D__ADX__)
$(KZG_LIB): node_modules/c-kzg/package.json
	@mkdir -p $(OUT)/obj/kzg $(@D)
	@echo "  CC   blst, c-kzg-4844"
	@$(CC) $(KZG_FLAGS) -c -o $(OUT)/obj/kzg/blst.o $(BLST_DIR)/src/server.c
	@$(CC) $(KZG_FLAGS) -c -o $(OUT)/obj/kzg/assembly.o $(BLST_DIR)/build/assembly.S
	@$(CC) $(KZG_FLAGS) -I$(BLST_DIR)/bindings -I$(KZG_DIR) -c -o $(OUT)/obj/kzg/ckzg.o $(KZG_DIR)/ckzg.c
	@rm -f $@; $(AR) rcs $@ $(OUT)/obj/kzg/*.o

# --- words ------------------------------------------------------------------------------------
PREFIX ?= /usr/local
.PHONY: torture faults soak flood setup up test tests check bench benches fuzz fuzzers tour install clean
setup:
	@scripts/setup
up: setup
	@$(MAKE) --no-print-directory all
	@scripts/up
test:
	@scripts/setup --test
	@scripts/test
tests: $(TESTS)
check:
	@scripts/setup --test
	@scripts/check
bench: setup
	@$(MAKE) --no-print-directory all benches
	@bench/run $(BENCH)
benches: $(BENCHES)
fuzz:
	@scripts/setup --test
	@scripts/fuzz
fuzzers: $(FUZZERS)
torture: setup
	@$(MAKE) --no-print-directory all faults
	@tests/torture/run $(TORTURE)
faults: $(FAULTS)
soak: setup
	@$(MAKE) --no-print-directory all
	@node tests/soak/soak.mjs $(SOAK)
# Ten million worthless transactions.
flood: $(OUT)/bench/flood_bench
	@$(OUT)/bench/flood_bench $(FLOOD)
tour:
	@scripts/tour
# Manual pages and completions are made of what the programs say about themselves.
SHARE := $(DESTDIR)$(PREFIX)/share
install: all
	packaging/generate $(OUT)/bin $(OUT)/share
	install -d $(DESTDIR)$(PREFIX)/bin $(SHARE)/man/man1 $(SHARE)/bash-completion/completions \
	    $(SHARE)/zsh/site-functions $(SHARE)/fish/vendor_completions.d $(DESTDIR)$(PREFIX)/lib/systemd/system
	install -m 755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(OUT)/share/man/*.1 $(SHARE)/man/man1
	install -m 644 $(OUT)/share/completions/ashlar-node.bash $(SHARE)/bash-completion/completions/ashlar-node
	ln -sf ashlar-node $(SHARE)/bash-completion/completions/ashlar
	install -m 644 $(OUT)/share/completions/_ashlar-node $(SHARE)/zsh/site-functions
	install -m 644 $(OUT)/share/completions/ashlar-node.fish $(SHARE)/fish/vendor_completions.d
	sed 's|/usr/local/|$(PREFIX)/|' packaging/ashlar-node.service >$(OUT)/share/ashlar-node.service
	install -m 644 $(OUT)/share/ashlar-node.service $(DESTDIR)$(PREFIX)/lib/systemd/system
clean:
	rm -rf build build-*

-include $(shell find $(OUT)/obj -name '*.d' 2>/dev/null)
