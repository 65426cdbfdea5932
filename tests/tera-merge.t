#!/bin/sh
# tera-merge: three ways to merge, and nothing half merged.
# shellcheck disable=SC2016,SC2094,SC2030,SC2031
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/git.sh
. "$TOP/tests/git.sh"
set -eu

# A branch $1 from main with two commits, file $2; main has moved on.
branch() {
	git checkout -q -b "$1" main
	echo 1 >"$2"
	commit "$1 one"
	echo 2 >>"$2"
	commit "$1 two"
	git push -q origin "$1"
}

remote r
(
	cd r
	branch m fm
	branch s fs
	branch rb fr
	branch bad a
	git checkout -q main
	echo main >>a
	commit moved
	git push -q origin main
)
exits "distance" 0 tera-merge -i base=main head=m r.git
like "counts" "$(cat out)" '"ahead":2,"behind":1,"merge_base":"[0-9a-f]{40}"'
exits "can it be merged" 0 tera-merge -c base=main head=m r.git
like "it can" "$(cat out)" '^\{"mergeable":true,"method":"merge"'
is "nothing moved" "$(git -C r.git rev-parse main)" "$(git -C r rev-parse main)"

exits "merge" 0 tera-merge base=main head=m -M merge -m 'Merge it' r.git
like "says so" "$(cat out)" '^\{"merged":true,"method":"merge","base":"main"'
is "names the commit" "$(member merged_oid out)" "$(git -C r.git rev-parse main)"
is "two parents" "$(git -C r.git rev-list --parents -1 main | wc -w)" 3
is "message" "$(git -C r.git log -1 --format=%s main)" "Merge it"
is "committer" "$(git -C r.git log -1 --format=%cn main)" Ann
exits "again" 0 tera-merge base=main head=m r.git
like "was merged already" "$(cat out)" '^\{"merged":true,"already":true'
exits "squash" 0 tera-merge base=main head=s -M squash r.git
is "one commit" "$(git -C r.git rev-list --parents -1 main | wc -w)" 2
is "of its author" "$(git -C r.git log -1 --format=%an main)" Seed
exits "rebase" 0 tera-merge base=main head=rb -M rebase r.git
is "each commit again" "$(git -C r.git log -2 --format=%s main | tr '\n' ,)" \
	"rb two,rb one,"
is "all is there" "$(git -C r.git ls-tree --name-only main | tr '\n' ' ')" \
	".gitignore a b fm fr fs "
ok "no branch is deleted" git -C r.git rev-parse -q --verify rb

before=$(git -C r.git rev-parse main)
for way in merge squash rebase; do
	(cd r && git checkout -q bad && printf 'bad %s\n' "$way" >a &&
		commit "bad $way" && git push -q origin bad)
	exits "conflict: $way" 65 tera-merge base=main head=bad -M "$way" r.git
	like "names the file" "$(cat out)" \
		'^\{"merged":false,.*"conflicts":\["a"\]'
	like "for people too" "$(cat err)" 'conflict in a'
done
exits "checked: no" 65 tera-merge -c base=main head=bad r.git
like "said so" "$(cat out)" '^\{"mergeable":false'
is "nothing is half merged" "$(git -C r.git rev-parse main)" "$before"

exits "the head that was looked at" 65 \
	tera-merge oid="$before" base=main head=bad r.git
like "it changed" "$(cat err)" 'look at its diff again'
exits "no such branch" 66 tera-merge base=main head=none r.git
exits "no such repository" 66 tera-merge base=main head=m none.git
exits "a branch that is none" 64 tera-merge base=main head=-f r.git
exits "a source that is none" 64 tera-merge base=main head=m -- -r.git
exits "a way that is none" 64 tera-merge -M octopus base=main head=m r.git
exits "usage" 64 tera-merge r.git

# Many at once: the base moves under each of them.
(
	cd r
	git checkout -q main
	git pull -q origin main
	for i in 1 2 3 4; do
		branch "p$i" "p$i"
	done
)
for i in 1 2 3 4; do
	TERA_STATE=$T/state$i tera-merge base=main head="p$i" r.git >"o$i" 2>"e$i" &
done
wait
is "all merged, or told to try again" "$(cat o? | grep -c '"merged":true')" \
	"$(git -C r.git ls-tree --name-only main | grep -c '^p')"
exits "full disk" 74 sh -c 'tera-merge -i base=main head=m r.git >/dev/full'
done_testing
