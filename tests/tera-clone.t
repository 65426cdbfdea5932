#!/bin/sh
# tera-clone: work trees, and that nothing a worker wrote is ever lost.
# shellcheck disable=SC2016,SC2094,SC2030,SC2031
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/git.sh
. "$TOP/tests/git.sh"
set -eu

clone() {
	tera-clone <"$1" 2>err
}

remote r
tree=$TERA_STATE/run/j1/work
job j1 ticket-1 "$T/r.git" ',"other":12345678901234567890' >j1
clone j1 >out
is "names the workspace" "$(member workspace out)" "$tree"
is "fills in the base" "$(member base_branch out)" main
is "and the fork" "$(member base_oid out)" "$(git -C r rev-parse main)"
like "passes on other keys" "$(cat out)" '"other":12345678901234567890'
is "on the branch" "$(git -C "$tree" branch --show-current)" ticket-1
is "clean" "$(git -C "$tree" status --porcelain)" ""
is "complete" "$(cat "$tree/a")" "$(cat r/a)"
is "no url with a password is kept" \
	"$(git -C "$tree" config remote.origin.url)" "$T/r.git"

# A record with an error, and broken input.
echo '{"job_id":"x","error":{"code":1}}' >e
is "an error is handed through" "$(clone e)" "$(cat e)"
{ job j2 ticket-2 "$T/r.git"; echo '{'; job j3 ticket-3 "$T/r.git"; } >three
exits "broken line: 65" 65 sh -c 'tera-clone <three >recs'
is "the others are served" "$(grep -c '"workspace"' recs)" 2
like "the line is named" "$(cat err)" '^tera-clone: line 2:'
for id in '../x' '' '.' '-r'; do
	job "$id" ticket-1 "$T/r.git" >bad
	like "job_id '$id' is refused" "$(clone bad)" '"code":65'
done
job j4 '-f' "$T/r.git" >bad
like "branch -f is refused" "$(clone bad)" '"code":65'
job j4 ticket-1 "--upload-pack=touch $T/pwned" >bad
like "url with - is refused" "$(clone bad)" '"code":64'
job j4 ticket-1 "ext::touch $T/pwned" >bad
like "ext:: is refused" "$(clone bad)" '"code":64'
not_ok "nothing ran" test -e pwned

# Trouble with the source.
job j4 ticket-1 "$T/none.git" >bad
like "missing: 66" "$(clone bad)" '"code":66'
git init -q --bare empty.git
job j4 ticket-1 "$T/empty.git" >bad
like "empty: 65" "$(clone bad)" '"code":65,"message":"[^"]*empty: it needs a'
job j4 ticket-1 'http://user:geheim@127.0.0.1:1/r.git' >bad
rec=$(clone bad)
like "unreachable: 69" "$rec" '"code":69'
is "no password in messages" "$(
	{ cat err; echo "$rec" | grep -o '"error".*'; } | grep -c geheim
)" 0
job j4 ticket-1 "$T/r.git" | sed 's/"base_branch":null/"base_branch":"no"/' >bad
like "unknown base: 66" "$(clone bad)" '"code":66'
job j4 main "$T/r.git" >bad
like "the default branch: 65" "$(clone bad)" '"code":65,"message":"branch main is'
git -C r.git branch dev main
sed 's/"base_branch":null/"base_branch":"dev"/' bad >bad2
like "also with another base" "$(clone bad2)" '"code":65,"message":"[^"]*default'
git -C r.git branch -D dev >/dev/null
cat >server.pl <<'PERL'
use IO::Socket::INET;
my $s = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1") or die;
open my $f, ">", "port.new"; print $f $s->sockport; close $f;
rename "port.new", "port";
while (my $c = $s->accept) {
	while (<$c>) { last if /^\r?$/ }
	print $c "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\n",
	    "Content-Length: 0\r\nConnection: close\r\n\r\n";
	close $c;
}
PERL
perl server.pl &
server=$!
while ! test -e port; do sleep 0.1; done
job j4 ticket-1 "http://127.0.0.1:$(cat port)/r.git" >bad
like "a password is wanted: 77, no prompt" "$(clone bad)" '"code":77'
job j4 ticket-1 "http://me:geheim@127.0.0.1:$(cat port)/r.git" >bad
like "a wrong password: 77" "$(clone bad)" '"code":77'
not_ok "and it is not told" grep -q geheim err
not_ok "nor kept" grep -rq geheim "$TERA_STATE"
kill "$server"

# Continuing.
echo mine >"$tree/n"
rm "$tree/b"
: >"$(git -C "$tree" rev-parse --absolute-git-dir)/index.lock"
clone j1 >out
is "a killed turn is committed" \
	"$(git -C "$tree" log -1 --format=%s)" "Interrupted turn"
is "whole" "$(git -C "$tree" status --porcelain)" ""
is "with its files" "$(git -C "$tree" ls-tree --name-only HEAD | tr '\n' ' ')" \
	".gitignore a n "
is "by the given person" "$(git -C "$tree" log -1 --format=%an)" Ann
git -C "$tree" checkout -q --detach
echo more >"$tree/n"
clone j1 >out
is "a detached HEAD comes back" "$(git -C "$tree" branch --show-current)" ticket-1
is "with its work" "$(git -C "$tree" show ticket-1:n)" more
rm "$TERA_STATE/run/j1/ready"
echo half >"$tree/half"
clone j1 >out
not_ok "without the mark it is made anew" test -e "$tree/half"
is "from our own commits" "$(cat "$tree/n")" more

# The remote's branch.
(cd r && git checkout -q -b ticket-9 && echo theirs >c && commit c &&
	git push -q origin ticket-9)
job j9 ticket-9 "$T/r.git" >j9
clone j9 >out
is "continues the remote's branch" "$(cat "$TERA_STATE/run/j9/work/c")" theirs
is "its fork is the base's" "$(member base_oid out)" "$(git -C r rev-parse main)"
(cd r && echo later >c && commit d && git push -q origin ticket-9)
clone j9 >out
is "and takes in what it gained" "$(cat "$TERA_STATE/run/j9/work/c")" later
job k9 ticket-9 "$T/r.git" >k9
clone k9 >out
is "a second job has a branch of its own" \
	"$(member work_branch out)" ticket-9.job-k9
is "with the same commits" "$(git -C "$TERA_STATE/run/k9/work" rev-parse HEAD)" \
	"$(git -C r rev-parse HEAD)"
clone k9 >again
is "and keeps it" "$(cat again)" "$(cat out)"

# Removing.
like "removes what the remote has" "$(tera-clone -u <k9)" '"workspace":null'
not_ok "it is gone" test -e "$TERA_STATE/run/k9/work"
exits "keeps a commit that is nowhere else" 65 tera-clone -u <j1
like "and names it" "$(cat err)" 'commit [0-9a-f]{10} would be lost'
ok "it is still there" test -e "$tree/n"
echo x >"$TERA_STATE/run/j9/work/untracked"
exits "keeps an untracked file" 65 tera-clone -u <j9
like "and names it" "$(cat err)" 'untracked'
ok "also still there" test -e "$TERA_STATE/run/j9/work/untracked"

# What tera-ls prints names the job; its own record says the rest.
ls_job() { # id
	printf '{"number":1,"id":"%s","ticket_id":"7","state":"completed","message":null}\n' "$1"
}
job n1 ticket-n "$T/r.git" >n1
clone n1 >out
mirror=$(git -C "$TERA_STATE/run/n1/work" rev-parse --path-format=absolute --git-common-dir)
ls_job n1 >ls1
exits "tera-ls: which repository is not known" 65 sh -c 'tera-clone -u <ls1 >out 2>err'
like "and it says so" "$(cat err)" 'n1: neither the record nor .*run/n1/job.json names'
ok "it is still there" test -d "$TERA_STATE/run/n1/work"
cp n1 "$TERA_STATE/run/n1/job.json"
echo x >"$TERA_STATE/run/n1/work/x"
exits "tera-ls: an untracked file is kept" 65 sh -c 'tera-clone -u <ls1 >out 2>err'
rm "$TERA_STATE/run/n1/work/x"
echo '{"job_id":"n1","id":"j9","job":"j9"}' >ls2
(
	exec 9>"$TERA_STATE/run/n1/lock"
	flock 9
	exits "while the job runs: 75" 75 sh -c 'tera-clone -u <ls1 >out 2>err 9>&-'
	echo "$test_n" >count
)
test_n=$(cat count)
like "and it says so" "$(cat err)" 'n1: the job still runs'
ok "nothing was touched" test -e "$TERA_STATE/run/n1/ready"
mv "$TERA_STATE/run/n1/work/.git" dotgit
git -C "$TERA_STATE/run/n1/work" init -q
exits "a repository of the worker's own is kept" 65 sh -c 'tera-clone -u <ls1 >out 2>err'
rm -rf "$TERA_STATE/run/n1/work/.git"
mv dotgit "$TERA_STATE/run/n1/work/.git"
is "the job_id counts first, then the job, then the id" "$(tera-clone -u <ls2)" \
	'{"job_id":"n1","id":"j9","job":"j9","workspace":null}'
not_ok "it is gone" test -e "$TERA_STATE/run/n1/work"
not_ok "and its tie" test -e "$mirror/worktrees/n1"
ok "its record is not" test -s "$TERA_STATE/run/n1/job.json"
{ ls_job n1; ls_job never-here; } >ls3
ok "those that are gone, or never were here" sh -c 'tera-clone -u <ls3 >out 2>err'
is "pass" "$(grep -c '"workspace":null' out)" 2
is "in silence" "$(cat err)" ""
not_ok "and nothing is made for them" test -e "$TERA_STATE/run/never-here"

# As a person or cron would.
tera-init -q
tera-add project name=p repo_url="$T/r.git" >/dev/null
for n in 1 2; do
	tera-add ticket project=p title="t$n" >/dev/null
	tera-move "$n" in_progress >moved
	case $n in
	1) stages='tera-clone | tera-commit -m "Do it" | tera-push' ;;
	2) stages='tera-clone >c; date >work/new; tera-commit -m n <c' ;;
	esac
	tera-claim | tera-run sh -c "$stages" | tera-finish - >/dev/null
	tera-json get job_id <moved >"id$n"
done
work1=$TERA_STATE/run/$(cat id1)/work work2=$TERA_STATE/run/$(cat id2)/work
is "two jobs are completed" "$(tera-ls job state=completed | wc -l)" 2
ok "and have work trees" test -d "$work1" -a -d "$work2"
exits "what is not pushed is kept: 65" 65 \
	sh -c 'tera-ls job state=completed | tera-clone -u >out 2>err'
is "the others go" "$(test -e "$work1" || echo gone)$(wc -l <"$work2/new")" gone1
is "only that one is spoken of" "$(grep -c . err) $(grep -c "$(cat id2)" err)" "1 1"

mkfifo "$TERA_STATE/run/j9/work/.gitattributes"
exits "a FIFO does not hang it" 65 timeout 20 tera-clone -u <j9

# A project on this machine.
printf '{"job_id":"l1","branch":"ticket-l","execution_mode":"local",%s}\n' \
	"\"project_path\":\"$T/r\"" >l1
git -C r checkout -q main
echo dirty >r/dirty
clone l1 >out
is "a local project has a work tree too" "$(member base_branch out)" main
is "and the user's is left alone" "$(cat r/dirty)" dirty
not_ok "what is not committed does not come" test -e "$TERA_STATE/run/l1/work/dirty"

# Sparse.
(cd r && rm dirty && mkdir -p d/e f && echo x >d/e/x && echo y >f/y && commit s &&
	git push -q origin main)
job s1 ticket-s "$T/r.git" ',"sparse":["d/e"]' >s1
clone s1 >s1rec
ok "sparse: the directory" test -e "$TERA_STATE/run/s1/work/d/e/x"
not_ok "sparse: no other" test -e "$TERA_STATE/run/s1/work/f"
echo z >"$TERA_STATE/run/s1/work/d/e/z"
tera-commit <s1rec >out
is "sparse: a commit keeps the others" \
	"$(git -C "$TERA_STATE/run/s1/work" ls-tree -r --name-only HEAD | tr '\n' ' ')" \
	".gitignore a b d/e/x d/e/z f/y "
tera-push <out >rec
like "sparse: is clean then" "$(tera-clone -u <rec)" '"workspace":null'

# Trees of all kinds are as git makes them, whoever writes the files: small
# and plain ones we do, the others git does.
seen() { # directory: what is in it, and how
	(cd "$1" && find . -path ./.git -prune -o -printf '%y %m %l %P\n' | sort)
}
like_git() { # name job who [config]: the job's work tree is as a clone's
	rm -rf plain
	git clone -q "$T/odd.git" plain 2>/dev/null
	job "$2" "ticket-$2" "$T/odd.git" >in
	clone in >out
	at=$TERA_STATE/run/$2/work
	by=us # git writes down where a reset came from
	! test -e "$(git -C "$at" rev-parse --git-dir)/ORIG_HEAD" || by=git
	is "$1: written by $3" "$by" "$3"
	is "$1: the same files" "$(seen "$at")" "$(seen plain)"
	ok "$1: the same text" diff -r --exclude=.git --no-dereference plain "$at"
	is "$1: the same index" "$(git -C "$at" ls-files -s)" "$(git -C plain ls-files -s)"
	is "$1: and it is up to date" "$(git -C "$at" diff-files --raw)" ""
	is "$1: clean" "$(git -C "$at" status --porcelain)" ""
}
remote odd
(
	cd odd
	mkdir -p d/e d/.github d-e "sp ace" .d
	printf 'no end' >d/e/f
	: >empty
	echo x >d.x
	echo x >d-e/x
	echo x >"sp ace/ü $(printf '\t')"
	echo x >.d/.gitx
	echo x >d/.github/x
	echo x >d/.gitignore
	printf '#!/bin/sh\n' >run
	chmod 755 run
	ln -s ../d/e d/link
	ln -s /nowhere/at/all gone
	printf 'a\r\nb\n' >mixed
	head -c 300000 /dev/zero >zeros
	git update-index --add --cacheinfo "160000,$(git rev-parse HEAD),sub"
	commit odd
	git push -q origin main
)
like_git "plain" t1 us
for d in plain "$at"; do
	(cd "$d" && echo y >d/e/f && echo y >d/e/g && rm d-e/x .d/.gitx && echo y >new && commit n)
done
is "trees that are known still are of what they say" \
	"$(git -C "$at" rev-parse 'HEAD^{tree}')" "$(git -C plain rev-parse 'HEAD^{tree}')"
printf '* text=auto\n*.sh text eol=lf\n*.png binary\n' >odd/.gitattributes
(cd odd && commit attr && git push -q origin main)
like_git "attributes that change nothing" t2 us
printf 'mixed text eol=crlf\n' >odd/d/.gitattributes
echo 'one line' >odd/d/mixed
(cd odd && commit crlf 2>/dev/null && git push -q origin main)
like_git "line ends that change" t3 git
is "they did" "$(od -c "$at/d/mixed" | grep -c '\\r')" 1
printf 'mixed text eol=crlf\n' >odd/d/.gitattributes
(cd odd && git rm -q d/.gitattributes && commit no && git push -q origin main)
git config --global core.autocrlf true
like_git "the user's setting" t4 git
git config --global --unset core.autocrlf
printf '[core]\n\tautocrlf\n' >>"$HOME/.gitconfig"
like_git "a setting without a value, which is true" t9 git
git config --global --unset core.autocrlf
mkdir -p "$HOME/.config/git"
echo '*.x ident' >"$HOME/.config/git/attributes"
like_git "the user's attributes" t5 git
rm -r "$HOME/.config/git"
echo '*.x ident' >"$HOME/attr"
# shellcheck disable=SC2088 # git's own
git config --global core.attributesFile '~/attr'
like_git "attributes that the user has elsewhere" t8 git
git config --global --unset core.attributesFile
(
	cd odd
	for i in 1 2 3 4 5 6 7; do
		mkdir "many$i"
		for k in $(seq 150); do echo "$i $k" >"many$i/$k"; done
	done
	long=$(printf '%0200d' 0)/$(printf '%0200d' 1)/$(printf '%0200d' 2)
	mkdir -p "$long"
	for k in $(seq 80); do echo "$k" >"$long/$k"; done
	commit many
	git push -q origin main
)
like_git "enough for two processes" t6 us
job t7 ticket-t7 "$T/odd.git" ',"sparse":["many3","/d/e/"]' >in
clone in >out
at=$TERA_STATE/run/t7/work
is "sparse by us" "$(find "$at" -type f -path '*/*' | sed "s,$at/,," |
	grep / | sed 's,/[^/]*$,,' | sort -u | tr '\n' ' ')" "d/e many3 "
is "sparse: git sees the rest as left out" "$(git -C "$at" status --porcelain)$(
	git -C "$at" ls-files -t | grep -c ^S
)" "$(($(git -C odd ls-files | grep -c /) - 151))"

# What no file system should be asked to hold: nothing of it is written.
evil() { # name: the tree on standard input is main
	rm -rf evil.git
	git init -q --bare -b main evil.git
	blob=$(echo pwned | git -C evil.git hash-object -w --stdin)
	link=$(printf '%s' "$T" | git -C evil.git hash-object -w --stdin)
	inner=$(printf '100644 blob %s\tpwned\n' "$blob" | git -C evil.git mktree)
	sed "s/BLOB/$blob/; s/LINK/$link/; s/TREE/$inner/" | tr ' ' '\t' |
		sed 's/\t/ /; s/\t/ /' >tree
	perl -ne 'chomp; my ($h, $n) = split /\t/; my ($m, $t, $o) = split / /, $h;
		$m =~ s/^0//; print "$m $n\0", pack "H*", $o' <tree >raw
	bad=$(git -C evil.git hash-object -w -t tree --literally --stdin <raw)
	git -C evil.git update-ref refs/heads/main \
		"$(git -C evil.git commit-tree -m evil "$bad")"
	e=$((${e:-0} + 1))
	job "e$e" "ticket-e$e" "$T/evil.git" >in
	clone in >out
	is "$1: nothing is written outside" "$(find "$T" -name pwned |
		grep -v "^$TERA_STATE/run/e[0-9]*/work/[^.]")" ""
	is "$1: nor into the repository" \
		"$(git -C "$TERA_STATE/run/e$e/work" config core.pwned 2>/dev/null)" ""
}
evil "a tree .git" <<'EOF'
040000 tree TREE .git
EOF
evil "a tree .GIT" <<'EOF'
040000 tree TREE .GIT
EOF
evil "a tree git~1" <<'EOF'
040000 tree TREE git~1
EOF
evil "a tree .." <<'EOF'
040000 tree TREE ..
EOF
evil "a name with a slash" <<'EOF'
100644 blob BLOB ../pwned
EOF
evil "a name with a backslash" <<'EOF'
100644 blob BLOB ..\pwned
EOF
evil "a link and a directory of one name" <<'EOF'
120000 blob LINK a
040000 tree TREE a
EOF
evil "a directory and a link of one name" <<'EOF'
040000 tree TREE a
120000 blob LINK a
EOF
evil "a file twice" <<'EOF'
100644 blob BLOB a
120000 blob LINK a
EOF

# Killed at any moment.
mkdir big && (
	cd big
	git init -q -b main .
	perl -e 'for (1..2000) { mkdir "d" . $_ % 20; open F, ">d" . $_ % 20 .
		"/f$_"; print F "$_\n" x 50 }'
	commit big
)
for ms in 005 020 040 060 090 130; do
	job kill ticket-k "$T/big" >kj
	tera-clone <kj >/dev/null 2>&1 &
	pid=$!
	sleep "0.$ms"
	kill -9 "$pid" 2>/dev/null || :
	wait "$pid" 2>/dev/null || :
	clone kj >out
	work=$TERA_STATE/run/kill/work
	like "killed after $ms ms, then served" "$(cat out err)" '"workspace"'
	is "whole" "$(git -C "$work" status --porcelain | wc -l)-$(
		find "$work" -name 'f*' | wc -l
	)" 0-2000
	rm -f "$TERA_STATE/run/kill/ready"
done

# Killed while it moved the branch.
clone kj >out
mirror=$(git -C "$work" rev-parse --path-format=absolute --git-common-dir)
echo left >"$work/left"
: >"$mirror/refs/heads/ticket-k.lock"
: >"$mirror/refs/remotes/origin/main.lock"
: >"$mirror/packed-refs.lock"
touch -d '1 minute ago' "$mirror/refs/remotes/origin/main.lock" \
	"$mirror/packed-refs.lock"
clone kj >out
like "locks that were left" "$(cat out err)" '"workspace"'
is "and the work is committed" "$(git -C "$work" show HEAD:left)" left
is "and no lock is left" "$(find "$mirror" -name '*.lock')" ""

# git itself killed in the middle of a worktree add.
clone kj >out
mirror=$(git -C "$work" rev-parse --path-format=absolute --git-common-dir)
admin=$(git -C "$work" rev-parse --absolute-git-dir)
rm -rf "$work" "$TERA_STATE/run/kill/ready"
: >"$admin/commondir"
echo initializing >"$admin/locked"
clone kj >out
like "a work tree that git half made" "$(cat out err)" '"workspace"'
is "is made anew" "$(git -C "$work" status --porcelain)$(
	git -C "$mirror" worktree list | wc -l
)" 2

# Many at once, the mirror not made yet.
for i in 1 2 3 4 5 6; do
	job "p$i" "ticket-p$((i % 4))" "$T/big" >"p$i"
	TERA_STATE=$T/many tera-clone <"p$i" >"o$i" 2>&1 &
done
wait
is "six at once" "$(cat o? | grep -c '"workspace"')" 6
is "all complete" "$(find many/run/*/work -name 'f*' | wc -l)" 12000
is "no branch is shared" "$(git -C many/mirror/*.git worktree list --porcelain |
	grep '^branch' | sort | uniq -d)" ""

# A broken mirror: a worker's files and our branches survive.
mirror=$(git -C "$tree" rev-parse --path-format=absolute --git-common-dir)
echo last >"$tree/n"
rm "$mirror/HEAD"
clone j1 >out
like "a broken mirror is made anew" "$(cat err)" 'broken'
is "the work tree goes on" "$(git -C "$tree" show HEAD:n)" last
is "with its history" "$(git -C "$tree" log --format=%s | tail -1)" first
rm -rf "$tree/.git"
echo after >"$tree/n"
clone j1 >out
is "a lost .git is tied again" "$(git -C "$tree" show HEAD:n)" after

rm -rf "$tree/.git"
git -C "$tree" init -q
echo own >"$tree/n"
(cd "$tree" && commit own)
like "a repository of the worker's own is not pushed" \
	"$(tera-push <out 2>err)" '"code":65,"message":"[^"]*not the mirror'
clone j1 >out
is "its files are taken over" "$(git -C "$tree" show HEAD:n)" own
is "onto the job's history" "$(git -C "$tree" log --format=%s | tail -1)" first
git -C "$(git -C "$tree" rev-parse --git-common-dir)" worktree prune
ok "nothing prunes it" git -C "$tree" status
ok "and its commits are kept" test -d "$TERA_STATE"/run/j1/lost-git-*
is "the branch is the job's" "$(git -C "$tree" branch --show-current)" ticket-1

exits "usage" 64 tera-clone x
exits "full disk" 74 sh -c 'tera-clone <j1 >/dev/full'
done_testing
