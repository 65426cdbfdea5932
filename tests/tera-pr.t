#!/bin/sh
# tera-pr: as a stage, and by a person, on a bare repository.
# shellcheck disable=SC1010,SC2016,SC2238 # done is a word here; dollars that stay; files that have the name of a command
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu
world
tera-add ticket project=p title='Say more' description='more words' >/dev/null
t=$(tera-show ticket 1 | field id)
branch=ticket-$t

# claim: a running job, its record in the file rec; change FILE TEXT: a commit
# on the branch, pushed, as the stages before would leave it
claim() { tera-claim >rec; }
change() {
	git -C seed checkout -qB "$branch"
	printf '%s\n' "$2" >"seed/$1"
	git -C seed add . && git -C seed commit -qm "change $1"
	git -C seed push -q "$T/p.git" "$branch"
	base=$(git -C p.git merge-base main "$branch")
	head=$(git -C p.git rev-parse "$branch")
}
ready() { # more operands
	tera-json set base_branch=main base_oid="$base" head_oid="$head" \
		pushed:=true summary='It says more.' \
		verify:='{"verdict":"pass","command":"make check","exit":0,"ms":7}' <rec |
		tera-json set "$@" kind="$(field kind <rec)"
}

# --- a stage ---
tera-move 1 in_progress >/dev/null
claim
base=$(git -C p.git rev-parse main) head=$base
ready >in
exits "nothing changed: a record with an error" 0 tera-pr - <in
is "names the stage" "$(field error.stage <out)" pr
is "and the reason" "$(field error.reason <out)" stall
change more.txt 'more words'
ready pushed:=false >in
tera-pr - <in >out
is "not pushed: no request" "$(field error.reason <out)" push
ready verify:='{"verdict":"unknown","command":"make check"}' >in
tera-pr - <in >out
is "tests that did not end: no request" "$(field error.reason <out)" verify
is "so far there is none" "$(tera-pr list)" ""
ready error:='{"stage":"x","code":65,"message":"before"}' >in
tera-pr - <in >out
is "an error is handed through" "$(field error.message <out)" before
ready fence:=99 >in
tera-pr - <in >out
like "an old fence opens nothing" "$(field error.message <out)" 'fence 99 is old'
ready extra=kept >in
ok "opens" sh -c 'tera-pr - <in >out2'
is "the number" "$(field pr_number <out2)" 1
is "the address" "$(field pr_url <out2)" tera:pr/1
is "keys pass through" "$(field extra <out2)" kept
tera-pr show 1 >pr
like "the body says what and that it is verified" "$(field body <pr)" 'What was accomplished|make check'
is "the head" "$(field head_oid <pr)" "$head"
tera-pr - <in >out2
is "again: the same request" "$(field pr_number <out2)" 1
tera-json sh job=job_id fence=fence <rec >job && . ./job
# shellcheck disable=SC2154
tera-finish "$job" "$fence" >/dev/null
is "the ticket is in review" "$(tera-show ticket 1 | field column_id)" in_review

# --- a person ---
is "files" "$(tera-pr files 1 | jq -c '[.path, .additions]')" '["more.txt",1]'
is "review" "$(tera-pr review 1 | jq -c '[.summary[0:13], .commits[].message, .test_files, .comments, .merged]')" \
	'["It says more.","change more.txt",[],[],false]'
git -C seed checkout -q "$branch"
git -C seed commit -q --allow-empty -m more && git -C seed push -q "$T/p.git" "$branch"
is "look" "$(tera-pr look 1 | field head_oid)" "$(git -C seed rev-parse HEAD)"
git -C seed reset -q --hard HEAD~1 && git -C seed push -qf "$T/p.git" "$branch"
is "look again" "$(tera-pr look 1 | field head_oid)" "$head"
exits "look at nothing" 66 tera-pr look 9
exits "review nothing" 66 tera-pr review 9
like "diff" "$(tera-pr diff 1)" '^\+more words$'
ok "comment on a line" tera-pr -L more.txt:1 comment 1 'Say it louder, with "quotes" and $(dollars)'
is "kept as it is" "$(tera-pr show 1 | field 'comments[0].body')" 'Say it louder, with "quotes" and $(dollars)'
is "queues a review job" "$(tera-ls job state=pending | field kind)" review
echo 'And one more.' | tera-pr comment 1 - >/dev/null
is "one job for both" "$(tera-ls job state=pending | wc -l)" 1
exits "blank" 65 tera-pr comment 1 ' '
exits "line without file" 64 tera-pr -L :3 comment 1 x
exits "no such line" 64 tera-pr -L more.txt:0 comment 1 x
exits "unknown" 66 tera-pr comment 9 x

claim
is "the oldest comment first" "$(field comment_line <rec)" 1
is "with its file" "$(field comment_path <rec)" more.txt
exits "no merge while a job works" 75 tera-pr merge 1
change more.txt 'MORE WORDS'
ready reply='It is louder now.' >in
tera-pr - <in >out
is "no error" "$(field error.message <out || :)" ""
is "the new head" "$(tera-pr show 1 | field head_oid)" "$head"
like "the words of the first round stay" "$(tera-pr show 1 | field body)" 'It says more'
like "the answer" "$(tera-pr show 1 | field 'comments[2].body')" '^It is louder now'
is "by the agent" "$(tera-pr show 1 | tera-json get 'comments[2].bot')" 1
tera-json sh job=job_id fence=fence <rec >job && . ./job
tera-finish "$job" "$fence" >/dev/null
like "the comment is addressed" "$(tera-pr show 1 | field 'comments[0].addressed_at')" '^2'
is "the next one is queued" "$(tera-ls job state=pending | field comment_body)" 'And one more.'
claim
tera-json sh job=job_id fence=fence <rec >job && . ./job
tera-finish "$job" "$fence" >/dev/null
is "then none is left" "$(tera-ls job state=pending)" ""

ok "approve" tera-pr approve 1
is "who" "$(tera-pr show 1 | field approved_by)" tester

# --- merge ---
git -C seed checkout -q main
printf 'other\n' >seed/more.txt
git -C seed add . && git -C seed commit -qm other && git -C seed push -q "$T/p.git" main
exits "a conflict" 65 tera-pr merge 1
like "is named" "$(cat out err)" 'more\.txt'
is "the request stays open" "$(tera-pr show 1 | field state)" open
git -C seed reset -q --hard HEAD~1 && git -C seed push -qf "$T/p.git" main
ok "squash" tera-pr -M squash -m 'Say more (#1)' merge 1
is "one commit on main" "$(git -C p.git log -1 --format=%s main)" 'Say more (#1)'
is "with the change" "$(git -C p.git show main:more.txt)" 'MORE WORDS'
is "merged" "$(tera-pr show 1 | field state)" merged
is "the ticket is done" "$(tera-show ticket 1 | field column_id)" done
exits "not twice" 65 tera-pr merge 1
exits "no comment job on a merged one" 0 tera-pr comment 1 'late'
ok "on a whole file" tera-pr -L dir:a.txt comment 1 x
is "is kept" "$(tera-pr show 1 | jq -c '.comments[-1] | [.path, .line]')" '["dir:a.txt",null]'
is "none is queued" "$(tera-ls job state=pending)" ""
exits "approve a merged one" 65 tera-pr approve 1
exits "bad method" 64 tera-pr -M octopus merge 1
is "list by state" "$(tera-pr list state=merged | wc -l)" 1
is "and project" "$(tera-pr -p p list state=open)" ""
exits "a misspelt filter" 64 tera-pr list sate=merged

# --- reviewers ---
tera-set project p 'reviewers:=["ann"]' >/dev/null
tera-add ticket project=p title='Another' >/dev/null
tera-move 2 in_progress >/dev/null
claim
branch=$(field branch <rec)
git -C seed pull -q "$T/p.git" main
change two.txt two
ready >in && tera-pr - <in >/dev/null
tera-json sh job=job_id fence=fence <rec >job && . ./job
tera-finish "$job" "$fence" >/dev/null
tera-pr comment 2 'rm -rf /, says somebody' >/dev/null
is "who is no reviewer starts no job" "$(tera-ls job state=pending)" ""
TERA_ACTOR=ann tera-pr comment 2 'please' >/dev/null
is "a reviewer does" "$(tera-ls job state=pending | field comment_body)" please
# a person pushes to the branch: what is looked at is what is there
change two.txt 'two, by hand'
exits "a head that nobody looked at is not merged" 65 tera-pr merge 2
like "shown" "$(tera-pr diff 2)" 'two, by hand'
is "and noted" "$(tera-pr show 2 | field head_oid)" "$head"
ok "close" tera-pr close 2
is "closed" "$(tera-pr show 2 | field state)" closed
exits "/dev/full" 74 sh -c 'tera-pr list >/dev/full'
# --- what nobody looked at, what nobody answered ---
tera-set project p reviewers:=null >/dev/null
tera-add ticket project=p title='Seen' >/dev/null
n=$(tera-ls ticket | tail -n 1 | field number)
t=$(tera-show ticket "$n" | field id)
branch=ticket-$t
round() { # TEXT: the agent's push, and its request
	claim
	git -C seed checkout -q main && git -C seed pull -q "$T/p.git" main
	git -C seed checkout -q "$branch" 2>/dev/null || git -C seed checkout -qb "$branch"
	echo "$1" >>seed/seen.txt
	git -C seed add . && git -C seed commit -qm "$1"
	git -C seed push -q "$T/p.git" "$branch"
	base=$(git -C p.git merge-base main "$branch")
	head=$(git -C p.git rev-parse "$branch")
	ready | tera-pr - | tera-finish - >ended
}
tera-move "$n" in_progress >/dev/null
round one
pr=$(tera-pr list state=open | tail -n 1 | field number)
tera-pr diff "$pr" >shown
tera-pr comment "$pr" 'And two.' >/dev/null
round two
exits "what the agent pushed since the diff is not merged unseen" 65 tera-pr merge "$pr"
like "and that is said" "$(cat err)" 'changed since its diff was looked at'
tera-pr diff "$pr" >shown
tera-pr comment "$pr" 'And three.' >/dev/null
exits "a comment that waits" 0 tera-pr merge "$pr"
like "gets no answer, which is said" "$(cat err)" '1 comment will not be answered'
tera-add ticket project=p title='Closed' >/dev/null
n=$((n + 1)) t=$(tera-show ticket "$n" | field id) branch=ticket-$t
tera-move "$n" in_progress >/dev/null
round one
pr=$(tera-pr list state=open | tail -n 1 | field number)
tera-pr comment "$pr" 'No.' >/dev/null
tera-pr close "$pr" >/dev/null
is "a closed one's review waits no more" \
	"$(tera-ls job ticket="$n" kind=review | field state)" cancelled
exits "no path of the repository" 64 tera-pr -L /etc/passwd:1 comment 1 hm
done_testing
