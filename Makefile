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
override LDFLAGS += -Wl,-O1,--as-needed -Wl,-z,relro,-z,now $(SAN)

# SQLite and nettle from the archives where Debian's -dev packages brought
# them: a quarter of a step's start (performance of a step is in make bench).
comma := ,
libdir := $(shell $(CC) -print-multiarch 2>/dev/null)
archive = $(firstword $(wildcard /usr/lib/$(libdir)/lib$(1).a /usr/lib/lib$(1).a))
SQLITE ?= $(or $(call archive,sqlite3),-lsqlite3) -lm
NETTLE ?= $(or $(call archive,nettle),-lnettle)
# libgit2 too: shared it brings twelve libraries of TLS, ssh and Kerberos that
# nothing here calls, four fifths of the start of a tera-clone.  lib/repo.c
# stands in for its network by name, so it must be the version we know.
git2_known := $(shell grep -qs 'LIBGIT2_VERSION *"1[.]5[.]' /usr/include/git2/version.h && echo yes)
git2_needs := git2 pcre2-8 z mbedcrypto
git2_all = $(foreach l,$(git2_needs),$(call archive,$(l)))
GIT2 ?= $(or $(if $(SAN),,$(if $(git2_known),$(if $(filter 4,$(words $(git2_all))),$(git2_all)))),-lgit2)
# The base group links no shared library at all where the archives are there:
# nothing to find, map and bind at a start.  STATIC= links them as the others.
# SQLite's archive knows dlopen, which no command lets it call.
ld_quiet := $(if $(findstring --no-warnings,$(shell ld --help 2>/dev/null)),-Wl$(comma)--no-warnings)
STATIC ?= $(if $(SAN),,$(and $(filter %.a,$(SQLITE)),$(filter %.a,$(NETTLE)),$(call archive,c),-static-pie $(ld_quiet)))

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
	tera-hold \
	tera-import \
	tera-init \
	tera-json \
	tera-log \
	tera-ls \
	tera-move \
	tera-pr \
	tera-renew \
	tera-rm \
	tera-run \
	tera-serve \
	tera-set \
	tera-show \
	tera-sweep \
	tera-talk \
	tera-token \
	tera-verify \
	tera-watch \
	tera-work
text := \
	tera-board \
	tera-direct \
	tera-prompt \
	tera-scan
net := \
	tera-ask \
	tera-http
listen := \
	tera-listen
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

pie_base := $(or $(STATIC),-pie)
pie_text := -pie
pie_net := -pie
pie_git := $(or $(if $(filter %.a,$(GIT2)),$(STATIC)),-pie)
pie_listen := -pie
libs_base := $(SQLITE) $(NETTLE)
libs_text := $(SQLITE) $(NETTLE) -ljq
libs_net := -lcurl -ljq $(SQLITE)
libs_git := $(GIT2) $(SQLITE) $(NETTLE)
libs_listen := $(SQLITE) $(NETTLE) -lmicrohttpd

# Only what is there: a command comes with its source file.
have = $(filter $(basename $(notdir $(wildcard cmd/*.c))),$(1))
commands := $(foreach g,base text net git listen,$(call have,$($(g))))
scripts := $(filter $(notdir $(wildcard cmd/*)),$(shell))
bins := $(addprefix $(B)/bin/,$(commands) $(scripts))
lib_o := $(patsubst lib/%.c,$(B)/lib/%.o,$(filter-out lib/base.c,$(wildcard lib/*.c))) $(B)/gen/sql.o
units := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/*.c))

all: $(bins) www

# api.sql uses parts of all others, the two after it of that.
sql := $(sort $(wildcard sql/*.sql sql/migrate/*.sql))
sql_last := sql/api.sql sql/rest.sql sql/import.sql
$(B)/gen/sql.c: sql/embed.awk $(filter-out $(sql_last),$(sql)) $(sql_last)
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
	$$(CC) $$(LDFLAGS) $$(pie_$(1)) -o $$@ $$< $(B)/libtera.a $$(libs_$(1))
endef
$(foreach g,text net git listen,$(eval $(call group,$(g))))

# The base group is one program under many names (lib/base.h).
base_o := $(patsubst %,$(B)/cmd/%.o,$(call have,$(base)))
$(B)/gen/commands.h: Makefile $(wildcard cmd)
	@mkdir -p $(@D)
	for c in $(call have,$(base)); do \
		echo "COMMAND($$(echo $$c | tr - _), \"$$c\")"; \
	done >$@.tmp
	cmp -s $@.tmp $@ || mv $@.tmp $@
	rm -f $@.tmp
$(base_o): $(B)/cmd/%.o: cmd/%.c $(B)/gen/commands.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -include lib/base.h -Dmain=$(subst -,_,$*)_main \
		-MMD -c -o $@ $<
$(B)/lib/base.o: $(B)/gen/commands.h
$(B)/base: $(B)/lib/base.o $(base_o) $(B)/libtera.a
	$(CC) $(LDFLAGS) $(pie_base) -o $@ $(B)/lib/base.o $(base_o) \
		$(B)/libtera.a $(libs_base)
$(addprefix $(B)/bin/,$(call have,$(base))): $(B)/bin/%: $(B)/base
	@mkdir -p $(@D)
	ln -f $< $@
$(addprefix $(B)/bin/,$(scripts)): $(B)/bin/%: cmd/%
	@mkdir -p $(@D)
	install -m 755 $< $@

$(B)/unit/%: tests/unit/%.c $(B)/libtera.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD $(LDFLAGS) -pie -o $@ $< $(B)/libtera.a \
		-ljq $(SQLITE) $(NETTLE)
$(B)/fuzz/%: tests/fuzz/%.c $(B)/libtera.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(SAN) -fsanitize=fuzzer -o $@ $< \
		$(B)/libtera.a -ljq $(SQLITE) $(NETTLE)

# --- the pages: share/www, and the scripts that npm brings ----------------------

# One directory that a server can show as it is, whatever B is: each file, and
# beside it the same compressed.  A build without npm or its registry is whole
# but for the pages.
W := build/www
www := $(patsubst share/www/%,$(W)/%,$(shell find share/www -type f ! -name 'package*.json'))
www: $(www)
	@why=$$(contrib/fetch-npm www $(W) 2>&1) || \
		echo "make: the pages (web UI) are left out: $$why" >&2
$(www): $(W)/%: share/www/%
	@mkdir -p $(@D)
	@cp $< $@ && gzip -9nkf $@

# Pictures of all pages, dark and light, wide and narrow.
screenshots: all
	contrib/fetch-npm ui build/ui
	B=$(B) node tests/ui/screenshots.mjs build/screenshots

# --- installing -------------------------------------------------------------

pages := $(wildcard man/*.[1578])

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/tera
	install -m 755 $(filter-out $(addprefix $(B)/bin/,$(base)),$(bins)) \
		$(DESTDIR)$(PREFIX)/bin
	install -m 755 $(B)/base $(DESTDIR)$(PREFIX)/bin/$(firstword $(base))
	cd $(DESTDIR)$(PREFIX)/bin && for c in $(call have,$(base)); do \
		[ $$c = $(firstword $(base)) ] || ln -f $(firstword $(base)) $$c; \
	done
	cd share && find . -type d -exec install -d $(DESTDIR)$(PREFIX)/share/tera/{} \;
	cd share && find . -type f ! -perm -u+x -exec install -m 644 {} $(DESTDIR)$(PREFIX)/share/tera/{} \;
	cd share && find . -type f -perm -u+x -exec install -m 755 {} $(DESTDIR)$(PREFIX)/share/tera/{} \;
	rm -f $(DESTDIR)$(PREFIX)/share/tera/www/package*.json
	cd $(W) && find . -type f -exec install -D -p -m 644 {} $(DESTDIR)$(PREFIX)/share/tera/www/{} \;
	for s in 1 5 7 8; do \
		install -d $(DESTDIR)$(PREFIX)/share/man/man$$s && \
		install -m 644 man/*.$$s $(DESTDIR)$(PREFIX)/share/man/man$$s; \
	done
	install -D -m 644 contrib/completion/tera.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/tera
	for c in $(notdir $(filter-out %/tera,$(bins))); do \
		ln -sf tera $(DESTDIR)$(PREFIX)/share/bash-completion/completions/$$c; \
	done

uninstall:
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/bin/,$(notdir $(bins)))
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/share/bash-completion/completions/,$(notdir $(bins)))
	for p in $(notdir $(pages)); do \
		rm -f $(DESTDIR)$(PREFIX)/share/man/man$${p##*.}/$$p; \
	done
	rm -rf $(DESTDIR)$(PREFIX)/share/tera

# --- the two commands: they install what is missing, too ---------------------

demo:
	contrib/install-packages build
	$(MAKE) all
	share/demo/run

tests := $(sort $(wildcard tests/*.t))
check:
	contrib/install-packages $(if $(FULL),full,check)
	! command -v chromium >/dev/null || contrib/fetch-npm ui build/ui || :
	$(MAKE) check-run check-remote $(if $(FULL),asan lint fuzz)

# Tests on what is built, nothing installed.  prove prints the summary.
check-run: all $(units)
	FULL=$(FULL) B=$(B) SAN='$(SAN)' prove $(PROVE) $(units) $(tests)

# The commands' tests again, on a store behind tera-serve: listening, and by CGI.
remote := add board cancel claim context enqueue finish graph log ls move \
	renew rm set show sweep watch
check-remote: all
	REMOTE=1 B=$(B) SAN='$(SAN)' prove $(PROVE) \
		$(patsubst %,tests/tera-%.t,$(remote)) tests/queue.t
	REMOTE=cgi B=$(B) SAN='$(SAN)' prove $(PROVE) \
		$(patsubst %,tests/tera-%.t,$(remote)) $(if $(FULL),tests/queue.t)
	$(if $(FULL),REMOTE=busybox B=$(B) SAN='$(SAN)' prove $(PROVE) \
		$(patsubst %,tests/tera-%.t,$(remote)))

# The whole suite under AddressSanitizer, UBSan and LeakSanitizer; two at once,
# as it takes twice as long as without.
asan:
	$(MAKE) check-run B=build/asan PROVE='$(or $(PROVE),-j2)' HARDEN= CFLAGS='-O1 -g' \
		SAN='-fsanitize=address,undefined -fno-sanitize-recover=undefined' \
		SQLITE='-lsqlite3 -lm' NETTLE=-lnettle

SECONDS ?= 20
fuzzers := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/*.c))
fuzz:
	$(MAKE) fuzz-run B=build/fuzz CC=clang HARDEN= CFLAGS='-O1 -g' \
		SAN='-fsanitize=fuzzer-no-link,address,undefined' \
		SQLITE='-lsqlite3 -lm' NETTLE=-lnettle
# libjq 1.6 leaks on some broken JSON, hence no leak check here
fuzz-run: $(fuzzers)
	for f in $(fuzzers); do \
		mkdir -p $(B)/corpus/$${f##*/} && \
		$$f -max_total_time=$(SECONDS) -detect_leaks=0 -verbosity=0 \
			-artifact_prefix=$(B)/fuzz/ \
			$(B)/corpus/$${f##*/} || exit 1; \
	done

sources := $(wildcard cmd/*.c lib/*.[ch] tests/unit/*.c tests/fuzz/*.c tests/bench/*.c)
shells := $(addprefix cmd/,$(scripts)) $(shell grep -lE '^\#!/bin/(ba)?sh' \
	share/*/* contrib/* contrib/*/* .ci/run \
	tests/bench/run tests/demo-record tests/far tests/import/make tests/killer \
	2>/dev/null)
lint:
	clang-format --dry-run -Werror $(sources)
	$(MAKE) all B=build/clang CC=clang WERROR=-Werror
	$(MAKE) all B=build/gcc CC=gcc WERROR=-Werror
	shellcheck -x $(sort $(shells)) $(tests) tests/lib.sh tests/http.sh tests/httpd.sh
	shellcheck -x -s sh share/sh/tera.sh \
		$(filter-out %.c %.pl %.py,$(wildcard tests/bench/*))
	mandoc -Tlint -Wwarning $(pages)
	! command -v node >/dev/null || for f in share/www/*.js share/www/*/*.js \
		tests/ui/*.mjs; do node --check $$f || exit 1; done
	cppcheck -q --std=c11 --error-exitcode=1 --inline-suppr -Ilib \
		--library=tests/cppcheck.cfg \
		--enable=warning,portability cmd lib

bench:
	contrib/install-packages bench
	$(MAKE) all
	tests/bench/run

# The README is the tour, tera(7), in another dress.
README.md: man/tera.7 man/readme.awk
	mandoc -T markdown man/tera.7 | awk -f man/readme.awk >$@.tmp
	mv $@.tmp $@

-include $(wildcard $(B)/lib/*.d $(B)/cmd/*.d $(B)/gen/*.d $(B)/unit/*.d)

clean:
	rm -rf build
.PHONY: all asan bench check check-remote check-run clean demo fuzz fuzz-run \
	install lint screenshots uninstall www
.SECONDARY:
