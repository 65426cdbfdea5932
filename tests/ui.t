#!/bin/sh
# The pages in a browser: tests/ui/main.mjs tells the stories.
TOP=$(cd "$(dirname "$0")/.." && pwd)
skip() {
	echo "1..0 # SKIP the web UI is NOT tested: $1"
	exit 0
}
command -v node >/dev/null || skip 'no node(1)'
[ -x "${CHROMIUM:=/usr/bin/chromium}" ] || skip 'no chromium(1); make check FULL=1 installs it'
[ -d "$TOP/build/ui/node_modules/playwright-core" ] ||
	skip 'no playwright-core; contrib/fetch-npm ui build/ui fetches it'
[ -d "$TOP/build/www/vendor" ] || skip 'the pages are not built: make www'
export CHROMIUM
exec node "$TOP/tests/ui/main.mjs"
