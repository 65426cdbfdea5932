#!/bin/sh
# tera-push: what it says is pushed is on the remote; the rest is in a bundle.
# shellcheck disable=SC2016,SC2094,SC2030,SC2031
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/git.sh
. "$TOP/tests/git.sh"
set -eu

remote r
tree=$TERA_STATE/run/j1/work
job j1 ticket-1 "$T/r.git" >j1
tera-clone <j1 >c1
like "nothing to push yet" "$(tera-push <c1)" \
	'"pushed":false,"push":\{"result":"nothing"'
not_ok "and no branch is made" git -C r.git rev-parse -q --verify ticket-1

echo new >"$tree/n"
tera-commit <c1 | tera-push >rec
like "pushed" "$(cat rec)" '"pushed":true,"push":\{"result":"done"'
is "the remote has it" "$(git -C r.git rev-parse ticket-1)" \
	"$(member head_oid rec)"
like "again: still so" "$(tera-push <c1)" '"pushed":true'

# The branch moves on the remote.
git clone -q r.git o
(cd o && git checkout -q ticket-1 && echo other >other && commit other &&
	git push -q origin ticket-1)
echo more >"$tree/n"
tera-commit <c1 | tera-push >rec
like "a moved branch is merged" "$(cat rec)" '"pushed":true'
is "with both" "$(git -C r.git ls-tree --name-only ticket-1 | tr '\n' ' ')" \
	".gitignore a b n other "
is "never with force" "$(git -C r.git rev-list --parents -1 ticket-1 | wc -w)" 3
is "the work tree has it too" "$(cat "$tree/other")" other
is "and is clean" "$(git -C "$tree" status --porcelain)" ""
(cd o && git pull -q && echo ahead >ahead && commit ahead &&
	git push -q origin ticket-1)
like "only the remote moved" "$(tera-push <c1)" '"pushed":true'
is "then we follow" "$(cat "$tree/ahead")" ahead
(cd o && echo theirs >n && commit c && git push -q origin ticket-1)
echo ours >"$tree/n"
there=$(git -C r.git rev-parse ticket-1)
tera-commit <c1 | tera-push >rec 2>err
like "a conflict is an error" "$(cat rec)" \
	'"stage":"push","code":65,"reason":"conflict","message":"[^"]*conflict in n'
like "not pushed" "$(cat rec)" '"pushed":false,"push":\{"result":"moved"'
is "the remote is as it was" "$(git -C r.git rev-parse ticket-1)" "$there"
is "the work tree too" "$(cat "$tree/n")" ours
bundle=$TERA_STATE/bundle/j1.bundle
is "and our side is in a bundle" "$(member bundle rec)" "$bundle"
like "that names it" "$(git bundle list-heads "$bundle")" \
	"^$(git -C "$tree" rev-parse HEAD) refs/heads/ticket-1$"
git clone -q r.git fresh
ok "and can be read elsewhere" git -C fresh fetch -q "$bundle" ticket-1

# Work tree with changes in the way.
remote q
job j2 ticket-2 "$T/q.git" >j2
tera-clone <j2 >c2
echo x >"$TERA_STATE/run/j2/work/x"
tera-commit <c2 | tera-push >rec

# The remote goes away, refuses, or has the branch checked out.
mv q.git gone.git
echo y >"$TERA_STATE/run/j2/work/y"
tera-commit <c2 | tera-push >rec 2>err
like "away: a bundle, no error" "$(cat rec)" \
	'"pushed":false,"push":\{"result":"away".*"bundle":"[^"]*j2.bundle"\}$'
like "it is said" "$(cat err)" 'not pushed.*saved as'
like "-E: an error" "$(tera-push -E <c2 2>err)" '"error":\{"stage":"push","code":66'
like "the bundle lets the work tree go" "$(tera-clone -u <c2 2>err)" \
	'"workspace":null'
mv gone.git q.git
tera-clone <c2 >rec
is "the commit is still ours" "$(cat "$TERA_STATE/run/j2/work/y")" y
printf '#!/bin/sh\nexit 1\n' >q.git/hooks/pre-receive
chmod +x q.git/hooks/pre-receive
like "refused" "$(tera-push <c2 2>err)" '"result":"refused","message":"[^"]*hook'
rm q.git/hooks/pre-receive
like "and then not" "$(tera-push <c2)" '"pushed":true'
printf '{"job_id":"l1","branch":"ticket-l","execution_mode":"local",%s}\n' \
	"\"project_path\":\"$T/r\"" >l1
tera-clone <l1 >cl
echo l >"$TERA_STATE/run/l1/work/l"
tera-commit <cl | tera-push >rec
like "local: pushed into the checkout" "$(cat rec)" '"pushed":true'
is "which shows nothing" "$(git -C r status --porcelain)" ""
git -C r checkout -q ticket-l
echo l2 >"$TERA_STATE/run/l1/work/l"
tera-commit <cl | tera-push >rec 2>err
like "checked out there: said clearly" "$(cat rec)" \
	'"result":"held","message":"[^"]*ticket-l is checked out there'
git -C r config receive.denyCurrentBranch updateInstead
like "whatever git would do there" "$(tera-push <cl 2>err)" '"result":"held"'

# Secrets, also in commits that the worker made.
TERA_WORKER_KEY=wk-0123456789
export TERA_WORKER_KEY
remote s
job j3 ticket-3 "$T/s.git" >j3
tera-clone <j3 >c3
tree=$TERA_STATE/run/j3/work
echo "k=$TERA_WORKER_KEY" >"$tree/k"
(cd "$tree" && commit leak && rm k && commit tidy)
tera-push <c3 >rec 2>err
like "a secret in an older commit is not pushed" "$(cat rec)" \
	'"code":65,"message":"k in commit [0-9a-f]{10} holds a secret'
not_ok "nor told" grep -q wk-0123 rec err
not_ok "the remote has nothing" git -C s.git rev-parse -q --verify ticket-3
job j4 "ticket-$TERA_WORKER_KEY" "$T/s.git" >j4
tera-clone <j4 >c4
echo x >"$TERA_STATE/run/j4/work/x"
tera-commit <c4 | tera-push 2>err >rec
like "nor one in the branch's name" "$(cat rec)" \
	'"code":65,"message":"the branch.s name holds a secret'
not_ok "nor told" grep -q wk-0123 err
is "the remote has one branch" "$(git -C s.git branch | wc -l)" 1
unset TERA_WORKER_KEY

# Nothing reaches the base or the default branch.
at=$(git -C q.git rev-parse main)
sed 's/"branch":"ticket-2"/"branch":"main"/' c2 >cm
like "the base: 65" "$(tera-push <cm 2>err)" '"code":65,"message":"branch main is'
sed 's/"base_branch":"main"/"base_branch":"ticket-9"/' cm >def
like "the default branch: 65" "$(tera-push <def 2>err)" \
	'"code":65,"message":"[^"]*main is the default'
is "it is as it was" "$(git -C q.git rev-parse main)" "$at"

# What a worker writes into the configuration does not count.
git -C "$tree" config url."$T/evil.git".insteadOf "$T/s.git"
git -C "$tree" config core.sshCommand "touch $T/pwned"
printf '#!/bin/sh\ntouch %s/pwned\n' "$T" >"$(git -C "$tree" rev-parse \
	--path-format=absolute --git-common-dir)/pre-push"
like "a worker's configuration" "$(tera-push <c3)" '"pushed":true'
not_ok "nothing of it ran" test -e pwned
is "an error is handed through" "$(echo '{"error":{}}' | tera-push)" \
	'{"error":{}}'
like "no workspace" "$(tera-push <j3 2>err)" '"stage":"push","code":65'
exits "broken input" 65 sh -c 'echo x | tera-push'
exits "usage" 64 tera-push x
exits "full disk" 74 sh -c 'tera-push <c3 >/dev/full'
done_testing
