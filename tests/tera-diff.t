#!/bin/sh
# tera-diff: text, counts and JSON of what changed.
# shellcheck disable=SC2016,SC2094,SC2030,SC2031
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/git.sh
. "$TOP/tests/git.sh"
set -eu

remote r
cd r
git checkout -q -b ticket-1
printf 'one\nTWO\nthree\nno newline' >a
rm b
printf 'latin \351\n' >latin
printf 'bin\0ary' >bin
odd=$(printf 'o\nd"d')
echo odd >"$odd"
seq 100 >long
commit second
git mv long moved
commit third
cd ..
exits "text" 0 tera-diff -xC r main..HEAD
is "is git's own" "$(cat out)" "$(git -C r diff main..HEAD)"
exits "context" 0 tera-diff -x -U 0 -C r main..HEAD
is "is git's own too" "$(cat out)" "$(git -C r diff -U0 main..HEAD)"
exits "counts" 0 tera-diff -SC r main..HEAD
like "a file" "$(cat out)" '^ +2\+ +1- a$'
like "a binary file" "$(cat out)" 'binary +bin \(added\)$'
like "an odd name stays on its line" "$(cat out)" '"o\\nd\\"d" \(added\)$'
like "all" "$(tail -1 out)" '^6 files, 104 insertions, 2 deletions$'
exits "JSON" 0 tera-diff -C r main..HEAD
is "a line a file" "$(wc -l <out)" 6
like "lines" "$(grep '"path":"a"' out)" \
	'\{"kind":"-","old":2,"new":null,"text":"two"\},\{"kind":"\+","old":null,"new":2,"text":"TWO"\}'
like "no newline at the end" "$(grep '"path":"a"' out)" \
	'"text":"No newline at end of file"'
like "status" "$(grep '"path":"b"' out)" '"status":"deleted","binary":false'
like "binary" "$(grep '"path":"bin"' out)" '"binary":true.*"hunks":\[\]'
like "bytes that are no text" "$(grep '"path":"latin"' out)" 'latin �'
exits "renamed" 0 tera-diff -C r HEAD~1..HEAD
like "from where" "$(cat out)" \
	'"path":"moved","old_path":"long","status":"renamed"'
seq 200000 >r/a
exits "the work tree" 0 tera-diff -C r HEAD
like "a large one is cut" "$(tail -c 30 out)" '"truncated":true\}$'
like "its counts are not" "$(cut -c 1-200 out)" '"additions":200000,"deletions":4'
ok "within the limit of a record" test "$(wc -c <out)" -lt 1048576
git -C r checkout -q a
(cd r && git checkout -q main && echo x >x && commit x && git push -q origin main)
exits "from where they parted" 0 tera-diff -SC r main...ticket-1
like "main's own is not in it" "$(tail -1 out)" '^6 files'

job j1 ticket-1 "$T/r.git" >j1
(cd r && git push -q origin ticket-1)
tera-clone <j1 >c1
echo un >"$TERA_STATE/run/j1/work/uncommitted"
exits "a record: its work tree" 0 sh -c 'tera-diff -S - <c1'
like "with what is not committed" "$(cat out)" 'uncommitted \(added\)'
tera-commit <c1 | tera-push >rec
exits "a record: its commits" 0 sh -c 'tera-diff - <rec'
is "each with its job" "$(grep -c '^{"job_id":"j1","path"' out)" 7
tera-clone -u <rec >gone
exits "a record: from the mirror" 0 sh -c 'tera-diff - <gone'
is "the same" "$(wc -l <out)" 7
exits "a record without a base" 65 sh -c 'tera-diff - <j1'
printf '{"repo_url":"%s","head_branch":"ticket-1"}\n' "$T/r.git" >b1
exits "a branch, from where it left the default" 0 sh -c 'tera-diff -S - <b1'
like "main's own is not in it" "$(tail -1 out)" '^7 files'
(cd r && git checkout -q ticket-1 && git pull -q origin ticket-1 && echo y >y && commit 'newer "one"' && git push -q origin ticket-1 && git checkout -q main)
exits "as it is there now" 0 sh -c 'tera-diff -S - <b1'
like "with what came" "$(tail -1 out)" '^8 files'
printf '{"repo_url":"%s","head_branch":"ticket-9"}\n' "$T/r.git" >b2
exits "no such branch" 66 sh -c 'tera-diff - <b2'
printf '{"repo_url":"%s","head_branch":"ticket-1","base_branch":"none"}\n' "$T/r.git" >b3
exits "no such base" 65 sh -c 'tera-diff - <b3'
printf '{"repo_url":"%s","head_branch":"-x"}\n' "$T/r.git" >b4
exits "no name for one" 65 sh -c 'tera-diff - <b4'
exits "commits" 0 tera-diff -iC r main..ticket-1
is "the oldest first" "$(jq -r '.commits[].message' out)" "$(git -C r log --reverse --format=%s main..ticket-1)"
is "each whole" "$(jq -c '.commits[-1] | [.oid, .sha, .author]' out)" \
	"$(git -C r log -1 --format='["%H","%h","%an"]' --abbrev=7 ticket-1)"
is "and the ends" "$(jq -r '.base_oid + .head_oid' out)" \
	"$(git -C r rev-parse main ticket-1 | tr -d '\n')"
exits "commits of a record" 0 sh -c 'tera-diff -i - <b1'
is "the same" "$(jq '.commits | length' out)" "$(git -C r rev-list --count main..ticket-1)"
exits "none" 0 tera-diff -iC r main..main
is "is a list" "$(jq -c .commits out)" '[]'
exits "no such commit" 66 tera-diff -iC r main..none
exits "no such revision" 66 tera-diff -C r main..none
exits "no repository" 66 tera-diff -C / main..none
exits "usage" 64 tera-diff
exits "full disk" 74 sh -c 'tera-diff -C r main..ticket-1 >/dev/full'
done_testing
