# The stand-in (standin.py) and Tera with the same things in them, for benches
# that ask both the same requests.
# shellcheck shell=sh
# shellcheck source=tests/bench/pg.sh
. "$TOP/tests/bench/pg.sh"

free_port() {
	perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1,
		LocalAddr => "127.0.0.1:0")->sockport'
}
# uuids FROM N: the ids of so many tickets and jobs that bare fill made
uuids() {
	awk -v a="$1" -v n="$2" 'BEGIN { for (i = a; i < a + n; i++)
		printf "%08x-0000-7000-8000-%012x\n", i, i }'
}
# both QUEUED MOVABLE THEIRS: a store and a database with 10 projects: the
# first has QUEUED tickets with a job that waits, and MOVABLE ones that can be
# moved; of both the stand-in has THEIRS, which is enough for it.  The second
# has 1,000 tickets.  Then both serve: Tera on $ours, the stand-in on $theirs;
# $big and $board are the projects' ids.
both() {
	for need in gunicorn python3; do # Debian's, whose modules they find
		[ -x "/usr/bin/$need" ] || {
			echo "no $need: contrib/install-packages bench" >&2
			exit 69
		}
	done
	both_text="What is wanted here is told in a paragraph of some two hundred characters, which is about what people write before the board is more than a list of names, and which nobody reads aloud in a meeting"
	repo=/src/1.git # of new_store's project
	export repo
	new_store "$1"
	bare fill "$TERA_STORE" $(($1 + 1)) "$2" none
	echo '{"nodes":[{"id":"n1"}]}' | tera-graph p - >/dev/null
	for i in 2 3 4 5 6 7 8 9 10; do
		tera-add project name="project $i" repo_url="/src/$i.git"
	done >/dev/null
	big=$(tera-show project p | tera-json get id)
	board=$(tera-show project "project 2" | tera-json get id)
	seq 1000 | awk -v p="$board" -v text="$both_text" '{ printf \
		"{\"project\":\"%s\",\"title\":\"ticket %d of the board\",\"column_id\":\"%s\",\"description\":\"%s %d\",\"associated_node_ids\":[\"n1\"]}\n",
		p, $1, $1 % 3 ? "backlog" : "done", text, $1 }' |
		tera-add ticket - | jq -r .id >board.ids
	tera-set setting AGENT_MODEL value=m >/dev/null
	tera-set setting WORKER_MODE value=command >/dev/null

	pg_start ''
	/usr/bin/python3 -B "$TOP/tests/bench/standin.py"
	psql -q -X -v ON_ERROR_STOP=1 <<-END
		SET client_min_messages = warning;
		INSERT INTO project(id, name, repo_url, nodes) SELECT CASE i
		 WHEN 1 THEN '$big' WHEN 2 THEN '$board' ELSE gen_random_uuid() END,
		 CASE i WHEN 1 THEN 'p' ELSE 'project ' || i END,
		 '/src/' || i || '.git', '[{"id":"n1"}]' FROM generate_series(1, 10) i;
		INSERT INTO ticket(id, project_id, column_id, title) SELECT
		 (lpad(to_hex(i), 8, '0') || '-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid,
		 '$big', CASE WHEN i <= $3 THEN 'in_progress' ELSE 'backlog' END, 't' || i
		 FROM (SELECT generate_series(1, $3) UNION ALL
		  SELECT generate_series($1 + 1, $1 + $3)) ids(i);
		INSERT INTO job(ticket_id, project_id) SELECT id, project_id FROM ticket
		 WHERE number <= $3 ORDER BY number;
		CREATE TEMP TABLE ids(n serial, id uuid);
		\copy ids(id) FROM 'board.ids'
		INSERT INTO ticket(id, project_id, column_id, title, description, associated_node_ids)
		 SELECT id, '$board', CASE WHEN n % 3 > 0 THEN 'backlog' ELSE 'done' END,
		 'ticket ' || n || ' of the board', '$both_text ' || n, '["n1"]' FROM ids;
		INSERT INTO setting VALUES ('AGENT_MODEL', 'm'), ('WORKER_MODE', 'command');
		VACUUM ANALYZE; CHECKPOINT;
	END

	ours=127.0.0.1:$(free_port) theirs=127.0.0.1:$(free_port)
	cat >standin <<-END
		#!/bin/sh
		export PYTHONPYCACHEPREFIX='$PWD/pycache'
		exec /usr/bin/gunicorn --chdir '$TOP/tests/bench' -w 2 --threads 4 --keep-alive 60 \
			--log-level error -b $theirs standin:app
	END
	chmod +x standin
	./standin >standin.log 2>&1 &
	standin=$!
	tera-serve -l "$ours" 2>listen.log &
	listener=$!
	bench_pids="$bench_pids $standin $listener"
	for at in "$ours" "$theirs"; do
		wait_for 20 load "$at" GET /api/projects || {
			cat standin.log listen.log >&2
			exit 1
		}
	done
}
# pss PID...: kilobytes of memory of all of them, what they share counted once
pss() {
	for p; do
		awk '/^Pss:/ { print $2 }' "/proc/$p/smaps_rollup"
	done | awk '{ n += $1 } END { print n }'
}
