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
like "a secret is left" "$(cat out)" '"left":\["conf: holds a secret"\]'
like "and said" "$(cat err)" 'not committed: conf: holds a secret$'
not_ok "and not told" grep -q verysecret out err
is "and not committed" "$(git -C "$tree" status --porcelain conf)" "?? conf"
echo fine >"$tree/fine"
like "the rest is committed" "$(tera-commit <c1 2>err)" '"committed":true,"changed":1'
git -C "$tree" add conf
mkdir "$tree/sk-verysecret"
echo "$TERA_MODEL_KEY" >"$tree/$TERA_MODEL_KEY.x"
mkdir "$tree/sub"
ln -s "$TERA_MODEL_KEY" "$tree/sub/l"
echo "$TERA_MODEL_KEY" >"$tree/fine"
echo more >"$tree/sub/more"
tera-commit <c1 >out 2>err
like "added by the worker: left too" "$(cat out)" '"left":\[.*"conf: holds a secret"'
not_ok "and not told" grep -q verysecret out err
is "only the rest" "$(git -C "$tree" show --name-only --format= HEAD)" sub/more
is "what was there stays" "$(git -C "$tree" show HEAD:fine)" fine
not_ok "no commit has it" sh -c \
	"git -C '$tree' log -p --all | grep -q '$TERA_MODEL_KEY'"
rm -rf "$tree/sub/l" "$tree/sk-verysecret"
echo fine >"$tree/fine"
is "the message refuses all" "$(tera-commit -m "use $TERA_MODEL_KEY" <c1 2>err |
	grep -c '"code":65')" 1
unset TERA_MODEL_KEY
TERA_SECRETS=$(printf 'short\nanother-secret')
export TERA_SECRETS
echo "short another-secret" >"$tree/conf"
like "TERA_SECRETS" "$(tera-commit <c1 2>err)" '"conf: holds a secret"'
echo "short" >"$tree/conf"
like "short words are no secrets" "$(tera-commit <c1)" '"committed":true'
unset TERA_SECRETS

# Large, odd and unreadable.
dd if=/dev/zero of="$tree/large" bs=1024 count=1100 2>/dev/null
mkfifo "$tree/pipe"
git init -q "$tree/inner"
(cd "$tree/inner" && echo x >x && commit x)
tera-commit max_mb=1 <c1 >out 2>err
like "a large file is left" "$(cat out)" '"left":\["[^]]*large: too large'
like "with a warning" "$(cat err)" 'not committed: .*large: too large'
like "a repository in it too" "$(cat out)" 'inner/: a repository of its own'
rm -rf "$tree/large" "$tree/pipe" "$tree/inner"

# What git refuses does not keep the rest back.
refuse() { # path, as named in left; what makes it
	sh -c "cd '$tree' && $2"
	echo "$1" >"$tree/round"
	tera-commit <c1 >out 2>err
	like "$1: the rest is committed" "$(cat out)" '"committed":true,"changed":1'
	like "$1: is left" "$(cat out)" "\"left\":\\[\"$1: git refuses it\"\\]"
	is "$1: in one warning" "$(grep -c . err)" 1
	sh -c "cd '$tree' && rm -rf 'git~1' .git. .git::x .gitmodules .GIT sub/.GIT"
}
refuse 'git~1' 'echo x >git~1'
refuse 'git~1/f' 'mkdir git~1 && echo x >git~1/f'
refuse '.git.' 'echo x >.git.'
refuse '.git::x' 'echo x >.git::x'
refuse '.gitmodules' 'ln -s a .gitmodules'
refuse '.GIT/config' 'mkdir .GIT && echo x >.GIT/config'
refuse 'sub/.GIT/f' 'mkdir sub/.GIT && echo x >sub/.GIT/f'
deep=$(printf 'n/%.0s' $(seq 120))
mkdir -p "$tree/$deep"
echo deep >"$tree/${deep}f"
echo 1 >"$tree/gone"
echo '*.log' >"$tree/sub/y.log"
tera-commit <c1 >out 2>err
like "120 directories" "$(cat out)" '"changed":2'
is "are committed" "$(git -C "$tree" show "HEAD:${deep}f")" deep
rm -r "$tree/gone" "$tree/sub"
echo now >"$tree/d"
echo x >"$tree/git~1"
mkdir -p "$tree/inner2" && git init -q "$tree/inner2" && echo x >"$tree/inner2/x"
(cd "$tree/inner2" && commit x)
chmod -x "$tree/.gitignore"
tera-commit <c1 >out 2>err
is "path by path: changed, removed, mode" \
	"$(git -C "$tree" show --name-status --format= HEAD | tr '\t\n' ' ;')" \
	"M .gitignore;M d;D gone;D sub/more;"
like "the same is left" "$(cat out)" 'inner2: a repository of its own'
is "and nothing else" "$(git -C "$tree" status --porcelain)" "?? .terarchitect/
?? git~1
?? inner2/"
rm -rf "$tree/n" "$tree/git~1" "$tree/inner2"
tera-commit <c1 >out 2>err

# Special files hang nobody.
echo '*.o' >"$tree/.gitattributes"
for at in .gitignore .gitattributes sub/.gitignore sub/.gitattributes .mailmap \
	.gitmodules sub/.git sub/own/.git/HEAD; do
	mkdir -p "$tree/${at%/*}" 2>/dev/null || :
	case $at in */*) ;; *) rm -rf "${tree:?}/$at" ;; esac
	mkfifo "$tree/$at"
	echo "$at" >"$tree/round"
	like "a FIFO $at" "$(timeout 20 tera-commit <c1 2>err)" '"committed":true'
	like "is said" "$(cat err)" 'removed 1 special file'
	rm -rf "$tree/sub"
done
mkfifo "$tree/pipe"
ln -s pipe "$tree/.gitignore"
echo link >"$tree/round"
like "a link to one" "$(timeout 20 tera-commit <c1 2>err)" '"committed":true'
ok "others stay" test -p "$tree/pipe"
rm "$tree/pipe"
mkfifo "$tree/.gitignore"
echo again >"$tree/round"
timeout 20 tera-clone <j1 >out 2>err
is "tera-clone does not hang either" \
	"$(git -C "$tree" log -1 --format=%s)" "Interrupted turn"

# Only work trees of ours.
cp "$tree/.git" dotgit
git init -q -b mine user
(cd user && echo x >x && commit x)
echo "gitdir: $T/user/.git" >"$tree/.git"
like "a .git that leads elsewhere: 65" "$(tera-commit <c1 2>err)" \
	'"code":65,"message":"[^"]*not the mirror'
job j5 ticket-5 "$T/r.git" >j5
tera-clone <j5 >c5
cp "$TERA_STATE/run/j5/work/.git" "$tree/.git"
like "to another job's: 65" "$(tera-commit <c1 2>err)" '"code":65'
sed "s,\"workspace\":\"[^\"]*\",\"workspace\":\"$T/user\"," c1 >cu
echo y >user/y
like "a repository of the user's: 65" "$(tera-commit <cu 2>err)" '"code":65'
is "is as it was" "$(git -C user status --porcelain --branch | tr '\n' ' ')" \
	"## mine ?? y "
cp dotgit "$tree/.git"

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

git -C "$tree" branch -f third HEAD
echo one >"$tree/det" && tera-commit <c1 >out
git -C "$tree" checkout -q third && echo two >"$tree/det"
git -C "$tree" -c user.name=x -c user.email=x commit -qam two
git -C "$tree" checkout -q ticket-1
git -C "$tree" merge third >/dev/null 2>&1 || :
echo x >"$tree/git~1"
like "also with a name that git refuses" "$(tera-commit <c1 2>err)" \
	'"committed":true,"changed":1'
is "as a merge" "$(git -C "$tree" rev-list --parents -1 HEAD | wc -w)" 3
rm "$tree/git~1"

git -C "$tree" checkout -q --orphan unborn
git -C "$tree" branch -q -D ticket-1
git -C "$tree" symbolic-ref HEAD refs/heads/ticket-1
like "an unborn branch" "$(tera-commit <c1)" '"committed":true'
echo '{"job_id":"u","repo_url":"/x","workspace":"/nonexistent"}' >jn
like "no workspace: 66" "$(tera-commit <jn 2>err)" '"stage":"commit","code":66'
is "an error is handed through" "$(echo '{"error":{}}' | tera-commit)" \
	'{"error":{}}'
exits "broken input" 65 sh -c 'echo x | tera-commit'
exits "usage" 64 tera-commit max_mb=0
exits "full disk" 74 sh -c 'tera-commit <c1 >/dev/full'
done_testing
