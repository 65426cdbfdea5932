#!/bin/sh
# tera-commit: what is taken, what is left, what is refused.
# shellcheck disable=SC2016,SC2094,SC2030,SC2031
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/git.sh
. "$TOP/tests/git.sh"
set -eu

remote r
job j1 ticket-1 "$T/r.git" >j1
tera-clone <j1 >c1
tree=$TERA_STATE/run/j1/work
first=$(git -C "$tree" rev-parse HEAD)

like "nothing to commit" "$(tera-commit <c1)" \
	"\"head_oid\":\"$first\",\"committed\":false,\"changed\":0"
cd "$tree"
name=$(printf 'ü\n$(x) "z')
printf 'x' >"$name"
echo new >-n
mv a d
ln -s nowhere link
chmod +x .gitignore
rm b
echo noise >x.log
mkdir .terarchitect
echo trace >.terarchitect/trace
tera-commit <"$T/c1" >"$T/out"
cd "$T"
like "says how much" "$(cat out)" '"committed":true,"changed":7'
is "takes what git takes" "$(git -C "$tree" ls-tree -r --name-only -z HEAD |
	tr '\0\n' '|/')" "-n|.gitignore|d|link|ü/\$(x) \"z|"
like "executable" "$(git -C "$tree" ls-tree HEAD .gitignore)" '^100755'
like "link" "$(git -C "$tree" ls-tree HEAD link)" '^120000'
is "no trace" "$(git -C "$tree" status --porcelain)" "?? .terarchitect/"
is "message" "$(git -C "$tree" log -1 --format=%B)" "$(printf 'Do it\n\nTicket: 7\n')"
is "names the head" "$(member head_oid out)" "$(git -C "$tree" rev-parse HEAD)"
is "and its tree" "$(member tree_oid out)" "$(git -C "$tree" rev-parse 'HEAD^{tree}')"
like "again: nothing" "$(tera-commit <out)" '"committed":false'
echo 1 >"$tree/one"
tera-commit -m 'By hand $(x)' <c1 >out
is "-m" "$(git -C "$tree" log -1 --format=%s)" 'By hand $(x)'
long=$(printf 'ä%.0s' $(seq 150))
echo 2 >"$tree/one"
tera-commit -m "$long" <c1 >out
is "cut at 200 bytes" "$(git -C "$tree" log -1 --format=%s | wc -c)" 201

# Secrets.
TERA_MODEL_KEY='sk-verysecret/1'
export TERA_MODEL_KEY
echo "key = $TERA_MODEL_KEY;" >"$tree/conf"
tera-commit <c1 >out 2>err
like "a secret is refused" "$(cat out)" '"code":65,"message":"conf holds a sec'
not_ok "and not told" grep -q verysecret out err
is "and not committed" "$(git -C "$tree" status --porcelain conf)" "?? conf"
is "the message too" "$(tera-commit -m "use $TERA_MODEL_KEY" <c1 2>err |
	grep -c '"code":65')" 1
unset TERA_MODEL_KEY
TERA_SECRETS=$(printf 'short\nanother-secret')
export TERA_SECRETS
echo "short another-secret" >"$tree/conf"
like "TERA_SECRETS" "$(tera-commit <c1 2>err)" '"code":65'
echo "short" >"$tree/conf"
like "short words are no secrets" "$(tera-commit <c1)" '"committed":true'
unset TERA_SECRETS

# Large, odd and unreadable.
dd if=/dev/zero of="$tree/large" bs=1024 count=1100 2>/dev/null
mkfifo "$tree/pipe"
git init -q "$tree/inner"
(cd "$tree/inner" && echo x >x && commit x)
tera-commit -s 1 <c1 >out 2>err
like "a large file is left" "$(cat out)" '"left":\["[^]]*large: too large'
like "with a warning" "$(cat err)" 'not committed: large: too large'
like "a repository in it too" "$(cat out)" 'inner/: a repository of its own'
rm -rf "$tree/large" "$tree/pipe" "$tree/inner"

# Where HEAD is.
git -C "$tree" checkout -q --detach
echo detached >"$tree/det"
tera-commit <c1 >out
is "a detached HEAD comes back" "$(git -C "$tree" branch --show-current)" ticket-1
is "with the commit" "$(git -C "$tree" show ticket-1:det)" detached
git -C "$tree" checkout -q -b elsewhere "$first"
tera-commit <c1 >out
is "a worker that only looked" "$(git -C "$tree" branch --show-current)" ticket-1
is "undoes nothing" "$(cat "$tree/det")" detached
git -C "$tree" checkout -q elsewhere
echo beside >"$tree/beside"
tera-commit <c1 >out
is "work on another branch is merged" "$(cat "$tree/beside" "$tree/det" | tr '\n' ' ')" \
	"beside detached "
git -C "$tree" checkout -q -b third "$first"
echo other >"$tree/det"
like "in conflict: 65" "$(tera-commit <c1 2>err)" '"code":65'
is "and kept" "$(git -C "$tree" for-each-ref refs/tera/saved/ticket-1 | wc -l)" 2
git -C "$tree" checkout -q ticket-1
: >"$(git -C "$tree" rev-parse --absolute-git-dir)/index.lock"
echo locked >"$tree/det"
like "a lock that was left" "$(tera-commit <c1 2>err)" '"committed":true'

# A merge that stands half done.
git -C "$tree" merge third >/dev/null 2>&1 || :
tera-commit <c1 >out
is "is committed as it stands" "$(git -C "$tree" rev-list --parents -1 HEAD |
	wc -w)" 3

git init -q -b ticket-u u
echo x >u/x
echo "{\"job_id\":\"u\",\"branch\":\"ticket-u\",\"workspace\":\"$T/u\"}" >ju
like "an unborn branch" "$(tera-commit <ju)" '"committed":true,"changed":1'
echo '{"job_id":"u","workspace":"/nonexistent"}' >jn
like "no workspace: 66" "$(tera-commit <jn 2>err)" '"stage":"commit","code":66'
is "an error is handed through" "$(echo '{"error":{}}' | tera-commit)" \
	'{"error":{}}'
exits "broken input" 65 sh -c 'echo x | tera-commit'
exits "usage" 64 tera-commit -s 0
exits "full disk" 74 sh -c 'tera-commit <ju >/dev/full'
done_testing
