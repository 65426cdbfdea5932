# tera.jq: small definitions for filters over Tera's records; see tera-jq(7).
#
#     tera-ls job | jq -L DIR 'include "tera"; failed'
#
# A filter of this module lets a record pass or not, or says one thing about
# it; none of them changes a record.

# The kind of a record, by its keys.
def kind_of:
	if has("noun") and has("what") then "event"
	elif has("step") and has("seq") then "log"
	elif has("job_id") and has("started_at") then "attempt"
	elif has("head_branch") then "pr"
	elif has("ticket_id") and has("state") and has("kind") then "job"
	elif has("column_id") and has("title") then "ticket"
	elif has("execution_mode") and has("name") then "project"
	else null end;

# --- which ---

# Work that is not over: live jobs and attempts, tickets that are not done,
# open pull requests, projects that were not removed.
def open:
	kind_of as $k
	| select(
		if $k == "job" then .state | IN("pending", "running", "paused")
		elif $k == "attempt" then .ended_at == null
		elif $k == "ticket" then .column_id != "done" and .deleted_at == null
		elif $k == "pr" then .state == "open"
		elif $k == "project" then .deleted_at == null
		else false end);

# What failed: jobs, attempts, tickets, and any record with an error.
def failed:
	select(.state == "failed" or .outcome == "failed"
		or .status == "failed" or .error != null);

# What ended well.
def done:
	select(.state == "completed" or .outcome == "completed"
		or .state == "merged" or .column_id == "done");

def running: select(.state == "running");
def queued: select(.state == "pending");
def blocked: select(.blocked == true);
def high: select(.priority == "high" or (.priority | numbers > 0));

# of("7"), of(7), of("UUID"): records of that ticket, job or project; by the
# number only what has it.
def of($id):
	($id | tostring | ltrimstr("#")) as $i
	| select([.id, .job_id, .ticket_id, .project_id, .ticket_number,
			.number] | map(tostring) | index($i) != null);

# --- when ---

# Seconds since 1970 of a time as it is stored, or of a day.
def epoch:
	if test("^[0-9]{4}-[0-9]{2}-[0-9]{2}$") then . + "T00:00:00Z" else . end
	| sub("\\.[0-9]+Z$"; "Z")
	| fromdateiso8601;

# The time of a record: when it happened, ended or last changed.
def time:
	.at // .finished_at // .ended_at // .claimed_at // .started_at
	// .updated_at // .created_at;

# "2026-11-21", a time as it is stored, or a span until now: 90s 30m 12h 7d 2w.
def moment($t):
	if $t | test("^[0-9]+[smhdw]$")
	then now - ($t[:-1] | tonumber)
		* ({"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}[$t[-1:]])
	else $t | epoch end;

def since($t): moment($t) as $m
	| select((time // "1970-01-01" | epoch) >= $m);
def before($t): moment($t) as $m
	| select((time // "9999-12-31" | epoch) < $m);

# How many seconds a job or an attempt took; null while it runs.
def took:
	(.ended_at // .finished_at) as $to | (.started_at // .claimed_at) as $from
	| if $to == null or $from == null then null
	else ($to | epoch) - ($from | epoch) end;

# --- how much ---

def cost: .cost_usd // .usage.cost_usd // 0;
def tokens:
	(.input_tokens // .usage.input_tokens // 0)
	+ (.output_tokens // .usage.output_tokens // 0);

# sum(cost), count(.state): of a list, [inputs] or the array of jq -s.
def sum(f): map(f) | add // 0;
def count(f):
	reduce .[] as $r ({}; .[$r | f | tostring] += 1);

# --- for eyes ---

# "#7 title": a line for a person.
def short:
	"#\(.number // .ticket_number // "?") "
	+ (.title // .name // .message // .state // "");
