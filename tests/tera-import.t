#!/bin/sh
# tera-import: a Terarchitect installation, from dumps that a real PostgreSQL
# made (tests/import/make), from its API, its settings and its memory.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/http.sh
. "$TOP/tests/http.sh"
set -eu
dumps=$TOP/tests/import
a=10000000-0000-4000-8000-000000000001
printf '%064d\n' 0 | tr 0 a >key

# fresh NAME: a new store of that name
fresh() {
	TERA_STORE=$T/$1.db
	tera-init -q
}
# all: what is in the store, but for what only this store knows
all() {
	sqlite3 "$TERA_STORE" "SELECT * FROM project; SELECT id, nodes, edges, version FROM graph; SELECT id, columns FROM board;
		SELECT * FROM ticket; SELECT * FROM comment; SELECT * FROM note; SELECT * FROM job; SELECT * FROM log; SELECT * FROM pr; SELECT * FROM pr_comment;
		SELECT key, secret, iif(secret, '', value), created_at, updated_at FROM setting; SELECT text, project_id FROM memory"
}
state() { sqlite3 "$TERA_STORE" .dump | grep -v 'INSERT INTO kept' | cksum; }
sums() { grep '"taken"' "$1" | grep -v '"table"'; }
job() { tera-show job b0000000-0000-4000-8000-00000000000"$1"; }
ticket() { tera-show ticket 40000000-0000-4000-8000-00000000000"$1"; }

fresh copy
rc=0
tera-import -c "$dumps/copy.sql" key@key >checked || rc=$?
is "checked only: the status" "$rc" 78
is "nothing was taken" "$(tera-ls project)" ""
rc=0
tera-import "$dumps/copy.sql" key@key >said || rc=$?
is "a secret under another key: the status" "$rc" 78
is "what was done is what was checked" "$(cat said)" "$(cat checked)"
is "it says what it took and left" "$(sums said)" '{"kind":"project","taken":2,"there":0,"left":0}
{"kind":"graph","taken":1,"there":0,"left":1}
{"kind":"board","taken":1,"there":0,"left":0}
{"kind":"ticket","taken":6,"there":0,"left":0}
{"kind":"comment","taken":1,"there":0,"left":0}
{"kind":"note","taken":2,"there":0,"left":0}
{"kind":"job","taken":6,"there":0,"left":2}
{"kind":"log","taken":20,"there":0,"left":0}
{"kind":"pr","taken":2,"there":0,"left":0}
{"kind":"pr_comment","taken":2,"there":0,"left":1}
{"kind":"setting","taken":5,"there":1,"left":2}'
is "and why, with the line" "$(grep '"left":1,"reason"' said)" '{"table":"rag_embeddings","taken":0,"left":1,"reason":"passages are found by their words here"}
{"table":"settings","taken":0,"left":1,"reason":"no program read them"}
{"kind":"graph","id":"20000000-0000-4000-8000-000000000002","line":348,"left":1,"reason":"the project has a graph already"}
{"kind":"job","id":"b0000000-0000-4000-8000-000000000008","line":294,"left":1,"reason":"no such kind of job: plan"}
{"kind":"job","id":"b0000000-0000-4000-8000-000000000007","line":291,"left":1,"reason":"ticket 6 has a live job of this kind already"}
{"kind":"pr_comment","id":"90000000-0000-4000-8000-000000000003","line":378,"left":1,"reason":"no such pull request in the project: 99"}
{"kind":"setting","id":"OPENCODE_CMD","line":308,"left":1,"reason":"no such setting here"}
{"kind":"setting","id":"openai_api_key","line":310,"left":1,"reason":"a secret does not open with this key"}'
is "and what it changed" "$(grep -c '"note":' said)" 5
is "every line is JSON" "$(jq -c . said | wc -l)" "$(wc -l <said)"

is "projects in the order of their making" "$(tera-ls project | jq -c '[.number, .id]')" "[1,\"$a\"]
[2,\"10000000-0000-4000-8000-000000000002\"]"
is "a name with a tab, quotes, a backslash" "$(tera-show project 1 | jq -r .name)" "$(printf 'sh\\op "1"\t<b>')"
is "a text with every escape" "$(tera-show project 1 | jq -r .description)" \
	"$(printf 'line one\nline two\r\n\\N \\. \\\\ '\''q'\'' $$ ; --\303\251\360\237\230\200')"
is "no password" "$(tera-show project 1 | jq -r .repo_url)" https://github.com/acme/shop.git
unlike "not in an event either" "$(tera-ls event)" s3cret
is "times in UTC, of a dump with another zone" "$(tera-show project 1 | jq -r '.created_at + " " + .updated_at')" \
	"2026-02-01T10:00:00.123Z 2026-02-03T10:00:00.000Z"
is "the graph, whose nodes have ids" "$(tera-show graph 1 | jq -c '[.id, .version, [.nodes[].id], .nodes[0].data.label]')" \
	'["20000000-0000-4000-8000-000000000001",7,["node-1","node-2"],"A\tP\"I\\"]'
is "the board has its columns and ours" "$(tera-show board 1 | jq -c '[.columns[].id]')" \
	'["backlog","col_1700000000000","done","in_progress","in_review"]'
is "a ticket in a column of theirs" "$(ticket 4 | jq -r .column_id)" col_1700000000000
is "in one that is not on the board" "$(ticket 5 | jq -r .column_id)" backlog
is "the whole graph is meant" "$(ticket 1 | jq -c '[.associated_node_ids, .associated_edge_ids]')" '[["*"],["*"]]'
is "null is empty" "$(ticket 2 | jq -c '[.associated_node_ids, .priority, .description]')" '[[],"high",null]'
is "a note's ids, each once" "$(tera-ls note | jq -c '[.node_ids, .edge_ids]')" '[["node-1","node-2"],[]]
[[],["edge-1"]]'
is "logs in their order, though within a millisecond" "$(tera-log ticket=3 | jq -r .summary | tr '\n' ' ')" \
	"$(seq -f 'turn %.0f' 20 | tr '\n' ' ')"
is "a log's output, byte for byte" "$(tera-log ticket=3 | jq -r 'select(.seq == 1).raw_output' | od -An -c | tr -d ' \n')" \
	"$(printf '\t\b\f\v\r\n\\.\n\\N\001\177x\n' | od -An -c | tr -d ' \n')"
is "success and an empty step" "$(tera-log ticket=3 | jq -c 'select(.seq < 4) | [.success, .step]' | tr '\n' ' ')" \
	'[true,"worker_turn_1"] [false,"worker_turn_2"] [true,"step"] '
is "a pull request" "$(tera-ls pr ticket=3 | jq -c '[.id, .forge, .pr_number, .pr_url, .head_branch, .state]')" \
	'["80000000-0000-4000-8000-000000000001","github",12,"https://github.com/acme/shop/pull/12","ticket-40000000-0000-4000-8000-000000000003","open"]'
is "of a ticket that is done" "$(tera-ls pr ticket=1 | jq -r .state)" closed
is "its comments" "$(tera-show pr 2 | jq -c '.comments[] | [.number, .author, .bot, .addressed_at, .created_at]')" \
	'[12345678900,"bot",true,"2026-02-01T14:05:00.000Z","2026-02-01T13:59:00.000Z"]
[12345678901,"ann",false,null,"2026-02-01T14:00:00.000Z"]'
is "jobs that are over" "$(job 1 | jq -c '[.state, .reason, .kind, .created_at]') $(job 4 | jq -c '[.state, .reason]')" \
	'["completed","ok","setup","2026-02-01T11:00:01.000Z"] ["failed","error"]'
is "one that ran has failed" "$(job 2 | jq -c '[.state, .reason, .lease_until, .fence]') $(ticket 2 | jq -r .status)" \
	'["failed","lost",null,1] failed'
is "one that waits, waits" "$(job 6 | jq -r .state) $(ticket 6 | jq -r .status)" 'pending in_progress'
is "a review job is claimed first, and says what it is" \
	"$(tera-claim -W w | jq -c '[.job_id, .kind, .pr_number, .comment_body, .github_comment_id]')" \
	'["b0000000-0000-4000-8000-000000000005","review",12,"please\n\\rename",12345678901]'
ok "and one that ran can be tried again" tera-cancel -o pending b0000000-0000-4000-8000-000000000002
is "the secret opens with our key" "$(tera-call setting.value setting=github_agent_token | jq -r .value)" 'ghp_old token'
unlike "and lies encrypted" "$(sqlite3 tera.db .dump 2>/dev/null; sqlite3 "$TERA_STORE" .dump)" 'ghp_old'
is "old names of settings" "$(tera-ls setting | jq -r 'select(.secret | not) | .key + "=" + .value')" \
	'AGENT_LLM_URL=http://new:8000
AGENT_MODEL=gpt-4o
GIT_USER_NAME=Ann "\" é
WORKER_MODE=claude-code'
is "the events name the importer" "$(tera-ls event | jq -r 'select(.seq < 10).actor' | sort -u)" import
ok "the chain holds" tera-audit

before=$(state)
rc=0
tera-import "$dumps/copy.sql" key@key >again || rc=$?
is "twice changes nothing" "$(state)" "$before"
is "all is there" "$(sums again | jq -s 'map(.taken) | add') $(sums again | jq -s 'map(.there) | add')" '0 49'
tera-set project 1 name=renamed >/dev/null
tera-import "$dumps/copy.sql" >again 2>&1 || :
is "what was changed since stays so" "$(tera-show project 1 | jq -r .name)" renamed
like "a secret that is there is not asked for" "$(sums again | tail -n 1)" '"setting","taken":0,"there":6,"left":2'

# the other forms of the same dump
fresh one
tera-import "$dumps/copy.sql" key@key >said || :
all >want
for form in inserts columns; do
	fresh $form
	tera-import - key@key <"$dumps/$form.sql" >said || :
	all | cmp -s want - && rc=0 || rc=1
	report $rc "$form: the same store"
done
fresh part
(
	read -r _
	tera-import - key@key >said || :
) <"$dumps/copy.sql"
all | cmp -s want - && rc=0 || rc=1
report $rc "standard input, of which a line was read: the same store"
fresh cr
(printf '\357\273\277' && sed 's/$/\r/' "$dumps/copy.sql") >cr.sql
tera-import cr.sql key@key >said || :
all | cmp -s want - && rc=0 || rc=1
report $rc "with a mark of byte order and lines that end in CR LF: the same store"

fresh two
tera-import "$dumps/copy.sql" key@key >said.1 2>&1 &
pid=$!
tera-import "$dumps/copy.sql" key@key >said.2 2>&1 || :
wait $pid || :
is "two at once: one of them takes" "$(sums said.1 | jq -s 'map(.taken) | add > 0') $(sums said.2 | jq -s 'map(.taken) | add > 0')" \
	"$(if sums said.1 | grep -q '"log","taken":20'; then echo true false; else echo false true; fi)"
all | cmp -s want - && rc=0 || rc=1
report $rc "two at once: the same store"

# an older revision: fewer columns, a column_id that is a UUID, no schema
cat >old.sql <<END
SET standard_conforming_strings = off;
INSERT INTO projects (id, name, github_url) VALUES ('$a', E'o\\'ld', NULL);
CREATE TABLE "tickets" (id uuid NOT NULL, project_id uuid, title varchar(255), column_id text, n numeric(3,1) DEFAULT (1), CONSTRAINT x CHECK ((n > 0)), PRIMARY KEY (id));
INSERT INTO tickets VALUES ('40000000-0000-4000-8000-000000000001', '$a', 'back\\\\slash ''q''', 'done', -1.5), ('40000000-0000-4000-8000-000000000002'::uuid, '$a', U&'x', DEFAULT, 0);
COPY app_settings (key, value, created_at) FROM stdin;
VLLM_URL	http://old:8000	2025-01-01 00:00:00.000001
GIT_DASHBOARD_USER_NAME	Ann	2025-01-01T00:00:00+00:00
\\.
END
fresh old
exits "an older revision" 0 tera-import old.sql
is "its rows" "$(tera-ls project | jq -c '[.name, .execution_mode]') $(tera-ls ticket | jq -c '[.title, .column_id]' | tr '\n' ' ')" \
	"[\"o'ld\",\"docker\"] [\"back\\\\slash 'q'\",\"done\"] [\"U\",\"backlog\"] "
is "its settings under today's names" "$(tera-ls setting | jq -r '.key + " " + .created_at')" 'AGENT_LLM_URL 2025-01-01T00:00:00.000Z
GIT_USER_NAME 2025-01-01T00:00:00.000Z'

# what is no good as a whole changes nothing
fresh bad
before=$(state)
refused() { # name message-regexp FILE
	exits "$1" 65 tera-import "$3"
	like "$1: is said" "$(cat err)" "^tera-import: [^:]*: $2\$"
	is "$1: in one line" "$(wc -l <err) $(wc -c <out)" "1 0"
}
head -c 20000 "$dumps/copy.sql" >cut.sql
refused "cut in rows" 'line [0-9]*: COPY without an end: the dump is cut off' cut.sql
head -c 9000 "$dumps/copy.sql" >cut.sql
refused "cut between statements" 'line [0-9]*: the end is missing: the dump is cut off' cut.sql
head -n 120 "$dumps/copy.sql" | head -c -20 >cut.sql
refused "cut in a statement" 'line [0-9]*: a statement without an end' cut.sql
head -c 22000 "$dumps/inserts.sql" >cut.sql
refused "cut in an INSERT" 'line [0-9]*: (what begins here has no end|a statement without an end)' cut.sql
refused "an archive" 'an archive: pg_restore -f - makes it SQL' "$dumps/archive"
gzip -c "$dumps/copy.sql" >dump.gz
refused "compressed" 'compressed: gzip -dc first' dump.gz
iconv -t UTF-16 "$dumps/copy.sql" >wide.sql
refused "UTF-16" 'UTF-16: write it with pg_dump -f' wide.sql
sed "s/encoding = 'UTF8'/encoding = 'LATIN1'/" "$dumps/copy.sql" >latin.sql
refused "another encoding" "line 13: in the encoding 'LATIN1': make it with pg_dump -E UTF8" latin.sql
: >empty
refused "an empty file" 'no table of Terarchitect in it' empty
echo 'hello there' >text
refused "a text" 'no dump of PostgreSQL: line 1: a statement without an end' text
(echo && echo "INSERT INTO projects VALUES ('$a');") >bare.sql
refused "rows without columns" '.*line 2: INSERT without columns, and no CREATE TABLE before it' bare.sql
echo '{"a":1}' >json
refused "another JSON" 'neither settings nor a memory' json
echo '{"a":' >json
refused "half of JSON" 'not JSON' json
mkdir -p dir
refused "a directory" 'a directory: pg_restore -f - makes it SQL' dir
exits "a file that is not there" 66 tera-import nowhere.sql
exits "a key that is not there" 66 tera-import "$dumps/copy.sql" key@nowhere
exits "a key on the command line" 64 tera-import "$dumps/copy.sql" key=aa
exits "no source" 64 tera-import
is "nothing of all that changed the store" "$(state)" "$before"
is "a store elsewhere" "$(TERA_STORE=http://127.0.0.1:9 tera-import "$dumps/copy.sql" 2>&1 || echo $?)" \
	"tera-import: http://127.0.0.1:9: not on this machine, and this needs the file
78"
is "no store" "$(TERA_STORE=$T/none.db tera-import "$dumps/copy.sql" 2>/dev/null || echo $?)" 78
chmod a-w bad.db
if ! : 2>/dev/null >>bad.db; then
	exits "a store that is read-only" 77 tera-import "$dumps/copy.sql"
else
	skip 1 "root writes anywhere"
fi
chmod u+w bad.db

# rows that are no good are left and named, the rest comes
fresh rows
tab=$(printf '\t')
cat >rows.sql <<END
COPY projects (id, name, created_at) FROM stdin;
$a${tab}good${tab}2026-01-01 00:00:00
10000000-0000-4000-8000-000000000003${tab}few
10000000-0000-4000-8000-000000000004${tab}many${tab}\\N${tab}\\N
10000000-0000-4000-8000-000000000005${tab}$(printf 'lat\351in')${tab}\\N
10000000-0000-4000-8000-000000000006${tab}when${tab}infinity
10000000-0000-4000-8000-000000000007${tab}32nd${tab}2026-02-30 00:00:00
../../../../etc/passwd-0000-00000000${tab}path${tab}\\N
$a${tab}twice${tab}2026-01-02 00:00:00
\\.
COPY tickets (id, project_id, column_id, title) FROM stdin;
40000000-0000-4000-8000-000000000001${tab}$a${tab}done${tab}good
40000000-0000-4000-8000-000000000002${tab}10000000-0000-4000-8000-000000000009${tab}done${tab}of no project
40000000-0000-4000-8000-000000000003${tab}$a${tab}done${tab}$(printf '%0300d' 0)
\\.
COPY graphs (id, project_id, nodes, edges) FROM stdin;
20000000-0000-4000-8000-000000000001${tab}$a${tab}"text"${tab}[]
\\.
COPY notes (id, project_id, node_id) FROM stdin;
60000000-0000-4000-8000-000000000001${tab}$a${tab}a"b,\\\\,é
\\.
COPY prs (id, ticket_id, pr_number, pr_url) FROM stdin;
80000000-0000-4000-8000-000000000001${tab}40000000-0000-4000-8000-000000000001${tab}7${tab}u
\\.
COPY pr_review_comments (id, project_id, pr_number, github_comment_id, body) FROM stdin;
90000000-0000-4000-8000-000000000001${tab}$a${tab}7${tab}9223372036854775807${tab}large
90000000-0000-4000-8000-000000000002${tab}$a${tab}7${tab}-5${tab}negative
90000000-0000-4000-8000-000000000003${tab}$a${tab}7${tab}6${tab}
\\.
COPY alembic_version (v) FROM stdin;
1
\\.
END
exits "bad rows: the status" 65 tera-import rows.sql
is "each is named" "$(grep '"reason"' out)" '{"kind":"project","id":null,"line":3,"left":1,"reason":"2 values, and 3 columns"}
{"kind":"project","id":null,"line":4,"left":1,"reason":"more values than the 3 columns"}
{"kind":"project","id":null,"line":5,"left":1,"reason":"name: not UTF-8"}
{"table":"alembic_version","taken":0,"left":1,"reason":"no table of Terarchitect"}
{"kind":"project","id":"10000000-0000-4000-8000-000000000006","line":6,"left":1,"reason":"created_at: not a time: infinity"}
{"kind":"project","id":"10000000-0000-4000-8000-000000000007","line":7,"left":1,"reason":"created_at: not a time: 2026-02-30 00:00:00"}
{"kind":"project","id":"../../../../etc/passwd-0000-00000000","line":8,"left":1,"reason":"id: not a UUID in small letters"}
{"kind":"graph","id":"20000000-0000-4000-8000-000000000001","line":17,"left":1,"reason":"nodes: no list"}
{"kind":"ticket","id":"40000000-0000-4000-8000-000000000002","line":13,"left":1,"reason":"no such project: 10000000-0000-4000-8000-000000000009"}
{"kind":"ticket","id":"40000000-0000-4000-8000-000000000003","line":14,"left":1,"reason":"refused: title has 1 to 255 characters"}
{"kind":"pr_comment","id":"90000000-0000-4000-8000-000000000003","line":28,"left":1,"reason":"refused: comment is not blank"}'
is "the good ones came" "$(tera-ls project | jq -r .name) $(tera-ls ticket | jq -r .title)" 'good good'
is "a note's hostile ids" "$(tera-ls note | jq -c .node_ids)" '["a\"b","\\","é"]'
is "a comment's number, where it is a good one" "$(tera-show pr 1 | jq -c '[.comments[].number]')" '[1,2]'

# the key of the secrets
fresh key
printf '%064d\n' 0 | tr 0 z >nokey
exits "a key that is none" 78 tera-import "$dumps/copy.sql" key@nokey
like "is said" "$(grep github_agent out)" 'the key has not 64 hex digits'
exits "without the key" 78 tera-import "$dumps/copy.sql"
unlike "the secrets are left" "$(tera-ls setting)" github_agent_token
like "and named" "$(grep github_agent out)" '"left":1,"reason"'
TERARCHITECT_SECRET_KEY=$(cat key) tera-import "$dumps/copy.sql" >out || :
is "the same key as ours" "$(TERARCHITECT_SECRET_KEY=$(cat key) tera-call setting.value setting=github_agent_token | jq -r .value)" 'ghp_old token'

# a kill in the middle, and somebody else who writes
fresh kill
(
	sed '/^COPY public.execution_logs/q' "$dumps/copy.sql"
	seq -f "7%07.0f-0000-4000-8000-000000000000${tab}$a${tab}40000000-0000-4000-8000-000000000003${tab}s${tab}s${tab}s${tab}\\N${tab}\\N${tab}t${tab}2026-02-01 18:30:00+05:30${tab}x" 40000
	sed '1,/^COPY public.execution_logs/d' "$dumps/copy.sql"
) >large.sql
before=$(state)
tera-import large.sql key@key >out 2>err &
pid=$!
sleep 0.4
kill -9 $pid 2>/dev/null || :
{ wait $pid || :; } 2>/dev/null
is "after a kill nothing is there, or all" "$(state)" \
	"$([ -s out ] && state || echo "$before")"
fresh room
before=$(state)
rc=0
# a file of more than four megabytes cannot be written
(
	trap '' XFSZ
	ulimit -f 8192
	tera-import large.sql key@key >out 2>err
) || rc=$?
is "no room in the middle" "$rc $(wc -l <err) $(wc -c <out)" "74 1 0"
is "changes nothing" "$(state)" "$before"
tera-import large.sql key@key >out || :
is "then it runs" "$(grep '"log"' out)" '{"kind":"log","taken":40020,"there":0,"left":0}'

# its API: as a tera-serve has it, and as the old one writes it
fresh one # again: it is there
here=$TERA_STORE
listen
fresh api
exits "the API of a tera-serve" 0 tera-import "http://$at/"
is "what it took and left" "$(sums out)" '{"kind":"project","taken":2,"there":0,"left":0}
{"kind":"graph","taken":1,"there":1,"left":0}
{"kind":"board","taken":1,"there":1,"left":0}
{"kind":"ticket","taken":6,"there":0,"left":0}
{"kind":"note","taken":2,"there":0,"left":0}
{"kind":"job","taken":0,"there":0,"left":0,"reason":"the API does not give them: take a dump"}
{"kind":"log","taken":20,"there":0,"left":0}
{"kind":"pr","taken":2,"there":0,"left":0}
{"kind":"pr_comment","taken":0,"there":0,"left":0,"reason":"the API does not give them: take a dump"}
{"kind":"setting","taken":4,"there":0,"left":1}
{"kind":"memory","taken":0,"there":0,"left":0,"reason":"the API does not give them: take its files"}'
like "a secret is left" "$(cat out)" '"id":"github_agent_token","left":1,"reason":"a secret: the API does not give it"'
what="SELECT * FROM project; SELECT * FROM note; SELECT nodes, edges, version FROM graph; SELECT columns FROM board; SELECT seq, id, ticket_id, step, summary, raw_output, success, created_at FROM log;
	SELECT number, id, column_id, title, description, created_at, updated_at FROM ticket; SELECT ticket_id, pr_number, pr_url, state FROM pr; SELECT key, value FROM setting WHERE NOT secret"
is "and it is the same" "$(sqlite3 api.db "$what")" "$(sqlite3 one.db "$what")"
before=$(state)
tera-import "http://$at" >out
is "twice changes nothing" "$(state)" "$before"
hush
unset here

cat >old-api <<'END'
use IO::Socket::INET;
my $l = IO::Socket::INET->new(Listen => 9, LocalAddr => "127.0.0.1:0");
open(my $p, ">", "old.port.new"); print $p $l->sockport; close $p; rename "old.port.new", "old.port";
while (my $c = $l->accept) {
	my ($path) = (<$c> =~ m{^GET (\S+)});
	1 while ($_ = <$c>) && /\S/;
	$path =~ tr{/}{_};
	my ($status, $body) = ("404 NOT FOUND", "<!doctype html><title>404</title>");
	if (open(my $f, "<", "www/$path")) { local $/; ($status, $body) = ("200 OK", <$f>); }
	print $c "HTTP/1.0 $status\r\nContent-Type: application/json\r\nContent-Length: " . length($body) . "\r\n\r\n$body";
	close $c;
}
END
mkdir www
t1=40000000-0000-4000-8000-000000000001
p=www/_api_projects
cat >$p <<END
[{"created_at":"2026-02-01T10:00:00.123456+00:00","description":null,"execution_mode":"local","github_url":null,"id":"$a","name":"\u00fcber","project_path":"/srv/p","updated_at":"2026-02-01T10:00:00.123456+00:00"}]
END
echo "{\"edges\":[],\"id\":\"20000000-0000-4000-8000-000000000001\",\"nodes\":[{\"id\":\"n\"}],\"project_id\":\"$a\",\"version\":3}" >${p}_${a}_graph
echo "{\"columns\":[],\"id\":\"30000000-0000-4000-8000-000000000001\",\"project_id\":\"$a\"}" >${p}_${a}_kanban
echo "[{\"content\":\"c\",\"created_at\":\"2026-02-01T10:00:00+00:00\",\"edge_ids\":[],\"id\":\"60000000-0000-4000-8000-000000000001\",\"node_ids\":[\"n\"],\"project_id\":\"$a\",\"title\":null}]" >${p}_${a}_notes
echo "[{\"associated_edge_ids\":[],\"associated_node_ids\":[\"*\"],\"column_id\":\"done\",\"created_at\":\"2026-02-01T10:00:00\",\"description\":null,\"id\":\"$t1\",\"pr_number\":7,\"pr_url\":\"https://github.com/a/b/pull/7\",\"priority\":\"low\",\"project_id\":\"$a\",\"status\":\"completed\",\"title\":\"t\",\"updated_at\":\"2026-02-01T11:00:00\"}]" >${p}_${a}_tickets
echo '[{"created_at":"2026-02-01T10:00:02+00:00","id":"70000000-0000-4000-8000-000000000002","raw_output":null,"step":"b","success":true,"summary":"second"},
{"created_at":"2026-02-01T10:00:01.5","id":"70000000-0000-4000-8000-000000000001","raw_output":"x\u0000y","step":"a","success":true,"summary":"first"}]' >${p}_${a}_tickets_${t1}_logs
echo '{"AGENT_MODEL":"m","AGENT_API_KEY":true,"openai_api_key":false,"WORKER_MODEL":null}' >www/_api_settings
perl old-api &
test_pids="$test_pids $!"
wait_for 5 test -s old.port
old=http://127.0.0.1:$(cat old.port)
fresh oldapi
exits "the old API" 0 tera-import "$old"
is "a project" "$(tera-ls project | jq -c '[.name, .created_at, .execution_mode]')" '["über","2026-02-01T10:00:00.123Z","local"]'
is "a ticket" "$(tera-ls ticket | jq -c '[.id, .column_id, .created_at, .pr_number, .associated_node_ids]')" \
	"[\"$t1\",\"done\",\"2026-02-01T10:00:00.000Z\",7,[\"*\"]]"
is "logs" "$(tera-log ticket=1 | jq -c '[.summary, .created_at]' | tr '\n' ' ')" \
	'["first","2026-02-01T10:00:01.500Z"] ["second","2026-02-01T10:00:02.000Z"] '
is "a graph and a note" "$(tera-show graph 1 | jq -c '[.version, .nodes]') $(tera-ls note | jq -c .node_ids)" '[3,[{"id":"n"}]] ["n"]'
is "settings" "$(tera-ls setting | jq -r .key)" AGENT_MODEL
before=$(state)
ok "again" tera-import "$old/"
is "changes nothing" "$(state)" "$before"
fresh less
rm ${p}_${a}_graph ${p}_${a}_kanban
ok "a project may lack graph and board" tera-import "$old"
is "and has ours" "$(tera-show board 1 | jq '.columns | length')" 4
echo '[5, {"id":"../x"}, {"id":7}, []]' >${p}_${a}_notes
exits "elements that are no notes" 65 tera-import "$old"
is "are left" "$(sums out | grep '"note"')" '{"kind":"note","taken":0,"there":0,"left":4}'
fresh half
before=$(state)
rm ${p}_${a}_notes
exits "an answer that is missing" 66 tera-import "$old"
is "takes nothing" "$(state)" "$before"
like "and is said" "$(cat err)" "^tera-import: $old/api/projects/$a/notes: status 404\$"
echo '<html>' >www/_api_projects
exits "an answer that is no JSON" 69 tera-import "$old"
exits "nobody there" 69 tera-import http://127.0.0.1:1

# the settings file of the UI
fresh settings
cat >terarchitect-config.json <<'END'
{
  "AGENT_MODEL": "m", "AGENT_API_KEY": "sk-new", "github_agent_token": "", "MAX_CONCURRENT_AGENTS": 3,
  "GIT_USER_NAME": "", "VLLM_URL": "http://v", "nonsense": "x", "WORKER_MODEL": null
}
END
tera-set setting GIT_USER_NAME value=Ann >/dev/null
tera-set setting github_agent_token value=ghp_kept >/dev/null
exits "a settings file" 0 tera-import terarchitect-config.json
is "what it took" "$(cat out)" '{"kind":"setting","id":"nonsense","left":1,"reason":"no such setting here"}
{"kind":"setting","taken":5,"there":2,"left":1}'
is "the settings" "$(tera-ls setting | jq -r '[.key, .value] | join("=")')" 'AGENT_API_KEY=
AGENT_LLM_URL=http://v
AGENT_MODEL=m
MAX_CONCURRENT_AGENTS=3
github_agent_token='
is "an empty secret changes nothing" "$(tera-call setting.value setting=github_agent_token | jq -r .value)" ghp_kept
is "a new one does" "$(tera-call setting.value setting=AGENT_API_KEY | jq -r .value)" sk-new
ok "out again" tera-call api.settings.export
is "28 keys, secrets empty" "$(jq -c '[length, .AGENT_MODEL, .AGENT_API_KEY, .github_agent_token, .WORKER_MODEL]' out)" '[28,"m","","",""]'
(printf '\357\273\277\r\n' && cat out) >file.json
before=$(state)
ok "what came out goes in" tera-import file.json
is "and changes nothing" "$(state)" "$before"
echo '{"AGENT_MODEL":"n","WORKER_MODEL":["x"]}' >file.json
exits "a list is no value" 65 tera-import file.json
is "changes nothing either" "$(state)" "$before"
unlike "no secret in an event" "$(tera-ls event)" 'sk-new|ghp_kept'
for d in cgi listen; do
	door $d
	req GET /api/settings/export
	gets "the settings file" 200 'length == 28 and .AGENT_MODEL == "m" and .AGENT_API_KEY == ""'
	req POST /api/settings/import '{"AGENT_MODEL":"'$d'","AGENT_API_KEY":"","zz":1}'
	gets "is taken" 200 '.taken == ["AGENT_MODEL"] and .same == ["AGENT_API_KEY"] and .ignored == ["zz"]'
	req POST /api/settings/import '{"AGENT_MODEL":{}}'
	gets "an object is no value" 400 .error
	is "$d: it is set" "$(tera-show setting AGENT_MODEL | jq -r .value)" $d
	req POST /api/settings/import '{"AGENT_MODEL":"m"}'
done
hush

# a memory
fresh memory
tera-add project name=p >/dev/null
mkdir -p "mem/$a"
echo '{"docs":[{"idx":"chunk-1","passage":"one über all","extracted_entities":[]},{"passage":"two"},{"passage":"one über all"},{"passage":"..."}],"avg_ent_chars":1}' >"mem/$a/openie_results_ner_gpt.json"
cp "mem/$a/openie_results_ner_gpt.json" m.json
exits "whose it is, must be said" 64 tera-import m.json
exits "a project that is not there" 66 tera-import "mem/$a/openie_results_ner_gpt.json"
exits "into a project" 0 tera-import m.json project=p
is "each passage once" "$(cat out)" '{"kind":"memory","taken":3,"there":0,"left":0}'
is "is found" "$(tera-call memory.find project="$(tera-show project p | field id)" queries:='["über"]' | jq -r '.results[0].docs[0]')" 'one über all'
tera-import m.json project=p >out
is "twice changes nothing" "$(cat out)" '{"kind":"memory","taken":0,"there":3,"left":0}'
tera-import "$dumps/columns.sql" >/dev/null 2>&1 || :
exits "by the name of its directory" 0 tera-import "mem/$a/openie_results_ner_gpt.json"

# the dumps, made anew by the PostgreSQL that is here
if [ -z "${FULL-}" ] || ! command -v pg_dump >/dev/null; then
	skip 1 "FULL=1, and PostgreSQL"
else
	mkdir anew
	"$dumps/make" anew
	fresh anew
	tera-import anew/copy.sql key@key >said || :
	all | cmp -s want - && rc=0 || rc=1
	report $rc "a dump of today: the same store"
fi
done_testing
