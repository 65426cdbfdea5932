#!/bin/sh
# A store elsewhere: the commands with TERA_STORE=http://...
# shellcheck disable=SC2016 # what stands there is perl
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/http.sh
. "$TOP/tests/http.sh"
set -eu

tera-init -q
listen 127.0.0.1:0
here=$TERA_STORE
export TERA_STORE="http://$at"

# the queue's story
is "add a project" "$(tera-add project name=p repo_url=/r | field name)" p
is "a ticket" "$(tera-add ticket project=p title=one | field number)" 1
seq 2 60 | sed 's/.*/{"project":"p","title":"t&"}/' | tera-add ticket - >out
is "a stream of them" "$(wc -l <out)" 59
is "they are there" "$(TERA_STORE=$here tera-ls ticket | wc -l)" 60
is "move" "$(tera-move 1 in_progress | field column_id)" in_progress
exits "claim" 0 tera-claim -W w
cp out claimed
is "the job" "$(field title <claimed)" one
exits "nothing more: 1" 1 tera-claim
job=$(field job_id <claimed)
ok "renew" tera-renew "$job" 1
printf '{"job_id":"%s","fence":1,"step":"s%s","summary":"x"}\n' "$job" 1 "$job" 2 >in
ok "log" tera-log - <in
tera-log - <in >/dev/null
is "is read" "$(tera-log "$job" | wc -l)" 2
exits "an old fence: 65" 65 tera-finish -o completed "$job" 7
like "in the same words" "$(cat err)" "tera-finish: .*fence 7 is old"
exits "finish" 0 tera-finish "$(printf '%s' "$job")" 1
is "the end of the job" "$(tera-show job "$job" | field state)" completed
is "watch" "$(tera-watch noun=job | tail -n 1 | field what)" completed
is "who" "$(TERA_ACTOR=ann tera-add comment ticket=1 body=x >/dev/null
	tera-watch noun=comment | field actor)" "loopback: ann"
is "context" "$(tera-context "$job" | field project_name)" p
is "tera-board" "$(tera-board p)" "$(TERA_STORE=$here tera-board p)"
exits "no such ticket: 66" 66 tera-show ticket 999
is "in the same words, too" "$(cat err)" "tera-show: no such ticket: 999"
printf '2\nnonsense\n3\n' | tera-enqueue - >out 2>err && rc=0 || rc=$?
is "a stream: what is refused" "$rc $(cat err)" \
	"66 tera-enqueue: line 2: no such ticket: nonsense"
is "and the rest is done" "$(wc -l <out)" 2
exits "what needs the file: 78" 78 tera-audit
exits "and is made where it is: 64" 64 tera-init
exits "hold: 78" 78 tera-hold true
exits "a secret stays there: 77" 77 tera-call setting.value setting=x

# who waits is woken
tera-watch -f -s 100000 noun=ticket >followed 2>&1 &
test_pids="$test_pids $!"
(tera-claim -w -j 9 -n 3 >waited) &
claimer=$!
test_pids="$test_pids $claimer"
sleep 0.5
TERA_STORE=$here tera-enqueue 4 >/dev/null
wait "$claimer"
is "a claimer that waits" "$(wc -l <waited)" 3

# an answer that is lost: a proxy that passes a request on and hangs up
cat >proxy.pl <<'END'
use strict;
use IO::Socket::INET;
my ($to, $lose) = @ARGV;
my $l = IO::Socket::INET->new(Listen => 50, LocalAddr => "127.0.0.1:0") or die;
$| = 1;
print $l->sockport, "\n";
while (my $c = $l->accept) {
	my $s = IO::Socket::INET->new($to) or die;
	my ($head, $body) = ('', '');
	while (my $line = <$c>) { $head .= $line; last if $line eq "\r\n" }
	next if $head eq '';
	my ($n) = $head =~ /^Content-Length: (\d+)/mi;
	read($c, $body, $n) if $n;
	$head =~ s/\r\n\r\n$/\r\nConnection: close\r\n\r\n/;
	print $s $head . $body;
	local $/;
	my $answer = <$s>;
	if ($lose-- > 0) { close $c; next }
	print $c $answer;
	close $c;
}
END
perl proxy.pl "$at" 2 >port &
test_pids="$test_pids $!"
wait_for 5 test -s port
TERA_STORE=$here tera-enqueue 10 11 >/dev/null
running=$(TERA_STORE=$here tera-ls job state=running | wc -l)
TERA_STORE=http://127.0.0.1:$(cat port)
exits "a claim whose answer was lost, twice" 0 tera-claim
is "is done once" \
	"$(($(TERA_STORE=$here tera-ls job state=running | wc -l) - running))" 1
is "and it is that one" "$(TERA_STORE=$here tera-show job "$(field job_id <out)" | field state)" running
perl proxy.pl "$at" 1 >port2 &
test_pids="$test_pids $!"
wait_for 5 test -s port2
TERA_STORE=http://127.0.0.1:$(cat port2)
printf '{"job_id":"%s","step":"lost","summary":"x"}\n' "$job" | tera-log - >/dev/null
is "a log whose answer was lost" \
	"$(TERA_STORE=$here tera-log "$job" | grep -c '"step":"lost"')" 1

# the server is killed again and again while 4 claim: nothing is lost, and
# nothing twice
TERA_STORE=$here
tera-ls job state=running | jq -r .id | tera-finish - >/dev/null 2>&1 || :
tera-ls job state=pending | jq -r .id | tera-cancel - >/dev/null || :
seq 1 200 | sed 's/.*/{"project":"p","title":"k&"}/' | tera-add ticket - | tera-enqueue - >/dev/null
TERA_STORE=http://$at
for w in 1 2 3 4; do
	(
		fails=0
		while [ $fails -lt 20 ]; do
			rc=0
			tera-claim -W "k$w" -l 3600 >>"killed.$w" 2>>"killed.err" || rc=$?
			case $rc in
			0) ;;
			1) break ;;
			*) fails=$((fails + 1)) ;;
			esac
		done
	) &
	claimers="${claimers-} $!"
done
for _ in 1 2 3 4 5; do
	sleep 0.3
	kill -KILL "$listener"
	wait "$listener" 2>/dev/null || :
	listen "$at"
done
for pid in $claimers; do wait "$pid"; done
is "killed five times: each job was handed out" \
	"$(cat killed.? | jq -r .job_id | sort -u | wc -l)" 200
is "once" "$(cat killed.? | wc -l)" 200
ok "and the history holds" env TERA_STORE="$here" tera-audit

# nobody there
TERA_STORE=http://$at
hush
exits "the server is away: 69" 69 tera-claim
like "says so" "$(cat err)" "^tera-claim: http://$at/api/v1/job.claim: "
printf '1\n2\n3\n' | tera-enqueue - >out 2>err && rc=0 || rc=$?
is "a stream ends there" "$rc $(wc -l <err)" "69 1"
export TERA_HTTP=/nonexistent
exits "no tera-http: 69" 69 tera-claim
TERA_STORE=ftp://x/
exits "another sort of URL: 78" 78 tera-ls project
done_testing
