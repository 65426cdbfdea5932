#!/bin/sh
# What must hold when many ask the listener at once.
# shellcheck disable=SC2016 # what stands there is perl
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/http.sh
. "$TOP/tests/http.sh"
set -eu
command -v curl >/dev/null || skip_all 'no curl(1)'

tera-init -q
tera-add project name=p repo_url=/r >/dev/null
echo '{"nodes":[{"id":"n"}]}' | tera-graph p - >/dev/null
door listen

# many.pl ADDRESS REPEAT: a connection for each line "METHOD PATH BODY"; all
# send before any reads.  An @ in the body is another actor, wN.  REPEAT 1: and again, as long as the answer is 200.
# Prints the status and the body of each answer.
cat >many.pl <<'END'
use strict;
use IO::Socket::INET;
use IO::Select;
my ($at, $repeat) = @ARGV;
my (%text, %in, $select);
sub ask { my $s = shift; $in{$s} = ''; syswrite $s, $text{$s} }
$select = IO::Select->new;
while (<STDIN>) {
	chomp;
	my ($method, $path, $body) = split / /, $_, 3;
	my $actor = $body =~ s/@/w$./ ? "Tera-Actor: w$.\r\n" : "";
	my $s = IO::Socket::INET->new($at) or die "$at: $!";
	$text{$s} = "$method $path HTTP/1.1\r\nHost: localhost\r\n$actor" .
		"Content-Type: application/json\r\nContent-Length: " .
		length($body) . "\r\n\r\n$body";
	$select->add($s);
}
ask($_) for $select->handles;
while ($select->count) {
	my @ready = $select->can_read(60) or die "nobody is answered\n";
	for my $s (@ready) {
		if (!sysread $s, $in{$s}, 65536, length $in{$s}) {
			print "closed\n";
			$select->remove($s);
			next;
		}
		next unless $in{$s} =~ /^(.*?)\r\n\r\n(.*)$/s;
		my ($head, $body) = ($1, $2);
		my $n = $head =~ /^Content-Length: (\d+)/mi ? $1 : 0;
		next if length $body < $n;
		my ($status) = $head =~ /^HTTP\S+ (\d+)/;
		$body =~ s/\n//g;
		print "$status $body\n";
		if ($repeat && $status == 200) { ask($s) }
		else { $select->remove($s) }
	}
}
END
uuid() { printf '00000000-0000-7000-8000-%012x' "$1"; }
lines() { # N LINE
	yes "$2" | head -n "$1"
}
statuses() { # FILE: how many of each
	cut -d' ' -f1 "$1" | sort | uniq -c | tr -s ' ' | sed 's/^ //' | paste -sd, -
}

# 128 that claim, all at once and again until there is nothing left
seq 500 | sed 's/.*/{"project":"p","title":"t&"}/' | tera-add ticket - |
	tera-enqueue - >/dev/null
lines 128 'POST /api/worker/jobs/start {"worker":"@"}' >asks
perl many.pl "$at" 1 <asks >claims
is "128 claimers: each job and 128 times nothing" "$(statuses claims)" \
	"500 200,128 204"
is "no job twice" "$(sed -n 's/^200 //p' claims | jq -r .job_id | sort -u | wc -l)" 500
is "and they run" "$(tera-ls job state=running | wc -l)" 500
is "each claim is sealed under its claimer" "$(sqlite3 tera.db "SELECT count(*)
	FROM job j JOIN event e ON e.job_id = j.id AND e.noun = 'job'
	AND e.what = 'running' JOIN seal s ON s.seq = (SELECT min(seq) FROM seal
	WHERE seq >= e.seq) WHERE s.actor = 'loopback: ' || j.worker")" 500

# eight that move the same ticket
project=$(tera-show project p | field id)
seq 20 | sed 's/.*/{"project":"p","title":"m&"}/' | tera-add ticket - >moved
jq -r .id moved | while read -r ticket; do
	lines 8 "PATCH /api/projects/$project/tickets/$ticket {\"column_id\":\"in_progress\"}" |
		perl many.pl "$at" 0
done >moves
is "8 moves of each of 20 tickets" "$(statuses moves)" "160 200"
is "a job each" "$(tera-ls job state=pending | jq -r .ticket_id | sort | uniq -c |
	awk '$1 == 1' | wc -l) $(tera-ls job state=pending | wc -l)" "20 20"

# a claimer that goes away before it has the answer
gone() { # HEADER...: $status of its second try, that is answered
	running=$(tera-ls job state=running | wc -l)
	perl -MIO::Socket::INET -e '
		my $s = IO::Socket::INET->new($ARGV[0]) or die;
		print $s "POST /api/worker/jobs/start HTTP/1.1\r\n" .
			"Host: localhost\r\nContent-Length: 2\r\n" .
			"Content-Type: application/json\r\n$ARGV[1]\r\n\r\n{}";
		$s->flush; close $s' "$at" "$1"
	wait_for 20 more || :
	req POST /api/worker/jobs/start '{}' "$1"
}
more() { [ "$(tera-ls job state=running | wc -l)" -gt "$running" ]; }
gone 'Idempotency-Key: lost-answer-1'
gets "who lost the answer asks again" 200
is "there was one claim" "$(($(tera-ls job state=running | wc -l) - running))" 1
is "and it is that job" "$(tera-show job "$(value .job_id)" | field state)" running

ok "the history holds" tera-audit

# what is answered without being asked of the store again is what it holds
tickets=/api/projects/$project/tickets
count() { # of the board's tickets, asked twice
	req GET "$tickets"
	first=$(value length)
	req GET "$tickets"
	echo "$first $(value length)"
}
is "a board" "$(count)" "520 520"
req POST "$tickets" '{"title":"mine","column_id":"backlog"}'
is "and one that was added here" "$(count)" "521 521"
tera-add ticket project=p title=another >/dev/null
is "by a command" "$(count)" "522 522"
tera-move "$(value '.[-1].id')" 'done' >/dev/null # which the listener does for it
req GET "$tickets"
gets "changed by one that the listener runs" 200 '.[-1].column_id == "done"'
sqlite3 tera.db "UPDATE ticket SET deleted_at = created_at WHERE title = 'mine'"
is "by another program" "$(count)" "521 521"
{
	lines 40 "GET $tickets {}"
	echo "POST $tickets {\"title\":\"among\",\"column_id\":\"backlog\"}"
	lines 40 "GET $tickets {}"
	lines 20 "GET $tickets?limit=3 {}"
	lines 20 "GET /api/projects/$(uuid 7)/notes {}"
} | perl many.pl "$at" 0 >asked
is "120 who ask while it changes" "$(statuses asked)" "100 200,1 201,20 404"
is "what it was or is" "$(sed -n 's/^200 //p' asked | jq length | sort -nu |
	grep -vx '52[12]')" 3
is "and then what it is" "$(count)" "522 522"
req GET "$tickets?limit=2"
gets "another question has another answer" 200 'length == 2'
req GET "$tickets"
req GET "$tickets" - 'Host: tera.example'
gets "who may not see it does not" 403

# ETag
tag() { sed -n 's/^[Ee][Tt]ag: //p' headers; }
for door in listen cgi; do
	req GET "$tickets"
	tag=$(tag)
	like "$door: a strong ETag" "$tag" '^"[0-9a-f]{32}"$'
	is "$door: the same through both doors" "$tag" "${listens:=$tag}"
	like "$door: and it is asked about" "$(cat headers)" '^Cache-Control: private, no-cache$'
	req GET "$tickets" - "If-None-Match: $tag"
	gets "nothing is new" 304
	is "$door: no body" "$(wc -c <answer) $(tag)" "0 $tag"
	unlike "$door: nor another length" "$(cat headers)" '^Content-Length: .{1,3}$'
	req GET "$tickets" - "If-None-Match: \"a,b\" , W/$tag"
	gets "in a list" 304
	req GET "$tickets" - 'If-None-Match: *'
	gets "any" 304
	for other in '"0"' "${tag%?}" "x$tag" 'W/' '"' ; do
		req GET "$tickets" - "If-None-Match: $other"
		gets "not $other" 200
	done
	req GET /health - "If-None-Match: $tag"
	gets "not of another answer" 200
	req GET "$tickets/$(uuid 0)" - 'If-None-Match: *'
	gets "nor where nothing is" 404
	is "$door: an error has none" "$(tag)" ""
	req PATCH "$tickets/$(head -n 1 moved | field id)" '{"priority":"high"}' 'If-None-Match: *'
	gets "nor a change" 200
	is "$door: which has none" "$(tag)" ""
	req GET "$tickets" - "If-None-Match: $tag"
	gets "it has changed" 200
	[ "$door" = cgi ] || listens=$(tag)
done
hush
done_testing
