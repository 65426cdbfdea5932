#!/bin/sh
# disk-full: a small file system runs full in the middle of a run.  One clear
# message, nothing lost, and after room was made it goes on.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -u
[ "$(id -u)" -eq 0 ] || skip_all 'needs root, to mount a small file system'
command -v sqlite3 >/dev/null || skip_all 'no sqlite3 to check the store with'
mkdir small
mount -t tmpfs -o size=24m tera-test "$T/small" 2>/dev/null ||
	skip_all 'cannot mount a tmpfs here'
trap 'umount -l "$T/small"; at_end' EXIT

fill() {
	cat /dev/zero >small/ballast 2>/dev/null
}
free() { rm -f small/ballast; }
one_line() { # FILE PATTERN: that and nothing else
	[ "$(wc -l <"$1")" -eq 1 ] && grep -Eqi "$2" "$1"
}
whole() {
	[ "$(sqlite3 "$TERA_STORE" 'PRAGMA integrity_check')" = ok ] &&
		tera-audit >audit 2>&1
}

# --- the store ---

mkdir small/store
TERA_STORE=$T/small/store/tera.db
world
tera-add ticket project=p title=before >added
id=$(field id <added)
before=$(tera-ls ticket | wc -l)
# Text so long that the store must grow.
head -c 600000 /dev/urandom | base64 -w 0 >long
fill
for cmd in "tera-add comment ticket=$id body@long" \
	"tera-set ticket $id description@long"; do
	rc=0
	# shellcheck disable=SC2086 # words
	$cmd >out 2>msg || rc=$?
	is "${cmd%% *} with a full store" "$rc" 74
	ok 'says it in one line' one_line msg 'full|no space'
	note "$(head -n 3 msg)"
done
tera-ls ticket >out 2>msg
case $? in
0) is 'what was there can be read' "$(wc -l <out)" "$before" ;;
*) ok 'reading, too, says that there is no room' one_line msg 'full|no space' ;;
esac
tera-move "$id" in_progress >out 2>msg
rc=$?
case $rc in
0) pass 'a small change finds its room' ;;
*) ok 'or says that it does not' one_line msg 'full|no space' ;;
esac
free
ok 'the store is whole' whole
ok 'and takes all again' tera-add comment ticket="$id" body@long
tera-move "$id" in_progress >/dev/null 2>&1
is 'the ticket has its job' "$(tera-ls job | wc -l)" 1

# A claim that cannot be written is no claim.
sqlite3 "$TERA_STORE" 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
fill
rc=0
tera-claim >out 2>msg || rc=$?
if [ "$rc" -eq 0 ]; then
	is 'a claim with a full store was written' "$(sqlite3 "$TERA_STORE" \
		"SELECT state FROM job")" running
	free
	tera-finish - <<X >/dev/null
$(tera-json set outcome=pending reason=lost <out)
X
else
	is 'a claim with a full store' "$rc" 74
	ok 'says it in one line' one_line msg 'full|no space'
	is 'and hands nothing out' "$(wc -c <out)" 0
	free
fi
is 'the job waits' "$(sqlite3 "$TERA_STORE" 'SELECT state FROM job')" pending

# --- the state: the work tree fills up in the middle of a turn ---

cp small/store/tera.db tera.db
rm -r small/store
TERA_STORE=$T/tera.db TERA_STATE=$T/small/state
mkdir "$TERA_STATE"
cat >script <<'X'
{"request":"proposes a plan","times":0,"content":"{\"decision\":\"approve\",\"prompt\":\"go on\"}"}
{"request":"make one decision","times":0,"content":"{\"decision\":\"complete\",\"summary\":\"done\"}"}
X
"$TOP/tests/model" -s script -p port &
# shellcheck disable=SC2034 # for lib.sh
test_pids=$!
wait_for 10 test -s port
TERA_MODEL_URL=http://127.0.0.1:$(cat port) TERA_MODEL=test
# shellcheck disable=SC2016,SC2089 # for the worker
TERA_WORKER_COMMAND='
echo "good $TERA_TURN" >good-$TERA_TURN.txt
if [ -e /tmp/home/fill ]; then
	rm /tmp/home/fill
	cat /dev/zero >ballast
fi
echo "turn $TERA_TURN"'
# shellcheck disable=SC2090
export TERA_STATE TERA_MODEL_URL TERA_MODEL TERA_WORKER_COMMAND

tera-claim >claimed
job=$(field job_id <claimed)
mkdir -p "$TERA_STATE/run/$job/home"
touch "$TERA_STATE/run/$job/home/fill"
rc=0
timeout 60 tera-run -F 0 -T command <claimed >rec 2>msg || rc=$?
is 'the supervisor lives' "$rc" 0
is 'the record says failed' "$(tera-json get outcome <rec)" failed
like 'with a reason' "$(tera-json get reason <rec)" '^(error|push|stall)$'
like 'and why' "$(tera-json get error.message <rec || cat msg)" '[Nn]o space|full|cannot'
note "$(tera-json get error.message <rec)"
like 'in few lines' "$(wc -l <msg)" '^[0-3]$'
tera-finish - <rec >out 2>msg
like 'the end is recorded' "$(cat out)" '"state":"(pending|failed)"'
work=$TERA_STATE/run/$job/work
is 'what the worker wrote is there' "$(cat "$work/good-1.txt")" 'good 1'

rm -f "$work/ballast"
free
tera-call job.set job="$job" run_after=2020-01-01T00:00:00Z >/dev/null
timeout 60 sh -c 'tera-claim | tera-run -F 0 -T command' >rec 2>msg
tera-finish - <rec >out
is 'with room again it goes on to the end' \
	"$(tera-json get outcome <rec)" completed
note "$(tera-json get error.message <rec) $(cat msg)"
is 'and nothing was lost' "$(git --git-dir=p.git show "ticket-$id:good-1.txt")" \
	'good 1'
ok 'the store is whole' whole

# --- the state: no room to begin with ---

tera-add ticket project=p title=second | field id >added
tera-move - in_progress <added >/dev/null
tera-claim >claimed
fill
rc=0
timeout 60 tera-run -F 0 -T command <claimed >rec 2>msg || rc=$?
is 'the supervisor lives' "$rc" 0
like 'a run that has no room fails' "$(cat rec)" '"outcome":"(failed|pending)"'
like 'and says why' "$(tera-json get error.message <rec)" '[Nn]o space|full'
note "$(tera-json get error.message <rec) $(cat msg)"
free
tera-finish - <rec >out 2>err
tera-call job.set job="$(field job_id <claimed)" run_after=2020-01-01T00:00:00Z >/dev/null
timeout 60 sh -c 'tera-claim | tera-run -F 0 -T command' >rec 2>err
is 'with room it runs' "$(tera-json get outcome <rec)" completed
done_testing
