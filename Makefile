# GNU make.  `make` builds into build/; see README.md for the rest.
#
# What a command links is what it pays at every start, so each belongs to one
# link group and gets that group's libraries only (tests/0000-build.t checks).

CC ?= cc
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
B ?= build

WARN = -Wall -Wextra -Wshadow -Wformat=2 -Wstrict-prototypes \
	-Wmissing-prototypes -Wwrite-strings -Wvla -Wundef
HARDEN ?= -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
override CPPFLAGS += -D_GNU_SOURCE -Ilib -I$(B)/gen
override CFLAGS += -std=c11 $(WARN) $(WERROR) $(HARDEN) $(SAN)
override LDFLAGS += -Wl,-O1,--as-needed -pie -Wl,-z,relro,-z,now $(SAN)

# SQLite and nettle from the archives where Debian's -dev packages brought
# them: a quarter of a step's start (performance of a step is in make bench).
libdir := $(shell $(CC) -print-multiarch 2>/dev/null)
archive = $(firstword $(wildcard /usr/lib/$(libdir)/lib$(1).a /usr/lib/lib$(1).a))
SQLITE ?= $(or $(call archive,sqlite3),-lsqlite3) -lm
NETTLE ?= $(or $(call archive,nettle),-lnettle)

base := \
	tera-add \
	tera-audit \
	tera-call \
	tera-cancel \
	tera-claim \
	tera-context \
	tera-enqueue \
	tera-finish \
	tera-graph \
	tera-init \
	tera-json \
	tera-log \
	tera-ls \
	tera-move \
	tera-pr \
	tera-renew \
	tera-rm \
	tera-run \
	tera-set \
	tera-show \
	tera-sweep \
	tera-verify \
	tera-watch \
	tera-work
text := \
	tera-board \
	tera-direct \
	tera-prompt \
	tera-scan
net := \
	tera-ask
git := \
	tera-clone \
	tera-commit \
	tera-diff \
	tera-merge \
	tera-push
shell := \
	tera \
	tera-agent \
	tera-coordinate

libs_base := $(SQLITE) $(NETTLE)
libs_text := $(SQLITE) $(NETTLE) -ljq
libs_net := -lcurl -ljq $(SQLITE)
libs_git := -lgit2 -ljq $(SQLITE)

# Only what is there: a command comes with its source file.
have = $(filter $(basename $(notdir $(wildcard cmd/*.c))),$(1))
commands := $(foreach g,base text net git,$(call have,$($(g))))
scripts := $(filter $(notdir $(wildcard cmd/*)),$(shell))
bins := $(addprefix $(B)/bin/,$(commands) $(scripts))
lib_o := $(patsubst lib/%.c,$(B)/lib/%.o,$(wildcard lib/*.c)) $(B)/gen/sql.o
units := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/*.c))

all: $(bins)

$(B)/gen/sql.c: sql/embed.awk $(sort $(wildcard sql/*.sql sql/migrate/*.sql))
	@mkdir -p $(@D)
	awk -f sql/embed.awk $(filter-out $<,$^) >$@.tmp
	mv $@.tmp $@
$(B)/gen/sql.o: $(B)/gen/sql.c
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -c -o $@ $<
$(B)/lib/%.o: lib/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -c -o $@ $<
$(B)/cmd/%.o: cmd/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -c -o $@ $<
$(B)/libtera.a: $(lib_o)
	rm -f $@
	$(AR) rcs $@ $^

define group
$(addprefix $(B)/bin/,$(call have,$($(1)))): $(B)/bin/%: $(B)/cmd/%.o $(B)/libtera.a
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS) -o $$@ $$< $(B)/libtera.a $$(libs_$(1))
endef
$(foreach g,base text net git,$(eval $(call group,$(g))))
$(addprefix $(B)/bin/,$(scripts)): $(B)/bin/%: cmd/%
	@mkdir -p $(@D)
	install -m 755 $< $@

-include $(wildcard $(B)/lib/*.d $(B)/cmd/*.d $(B)/gen/*.d $(B)/unit/*.d)

clean:
	rm -rf build
.PHONY: all clean
.SECONDARY:
