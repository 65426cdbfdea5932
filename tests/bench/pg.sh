# A PostgreSQL of its own for a bench: pg_start, then psql and pgbench find it.
# shellcheck shell=sh

pg_bin=$(find /usr/lib/postgresql -name initdb 2>/dev/null | sort | tail -n 1)
pg_bin=${pg_bin%/initdb}
pg_as= # it refuses to run as root
if [ "$(id -u)" -eq 0 ]; then
	pg_as="setpriv --reuid=nobody --regid=nogroup --clear-groups"
fi
pg_dir=
pg_ctl() {
	# shellcheck disable=SC2086 # a command and its words
	(cd "$pg_dir" && $pg_as "$pg_bin/pg_ctl" -D "$pg_dir/data" "$@")
}
pg_stop() {
	[ -n "$pg_dir" ] || return 0
	pg_ctl -m immediate stop >/dev/null 2>&1 || :
	rm -rf "$pg_dir"
}
# pg_start [SETTING]: in $pg_dir, on a socket there only; stopped at the end
pg_start() {
	if [ -z "$pg_bin" ] || ! command -v pgbench >/dev/null; then
		echo "PostgreSQL is not installed: contrib/install-packages bench" >&2
		exit 69
	fi
	pg_dir=$(mktemp -d "${TMPDIR:-/tmp}/tera-pg.XXXXXX")
	trap 'pg_stop; bench_end' EXIT
	[ -z "$pg_as" ] || chown nobody "$pg_dir"
	# shellcheck disable=SC2086
	(cd "$pg_dir" && $pg_as "$pg_bin/initdb" -A trust -U bench -E UTF8 \
		--locale=C -D "$pg_dir/data") >pg.log 2>&1 || {
		cat pg.log >&2
		exit 1
	}
	cat >>"$pg_dir/data/postgresql.conf" <<-END
		listen_addresses = ''
		unix_socket_directories = '$pg_dir'
		${1-}
	END
	pg_ctl -w -l "$pg_dir/log" start >/dev/null
	export PGHOST="$pg_dir" PGUSER=bench PGDATABASE=postgres
}
