# Turns sql/migrate/*.sql and sql/*.sql into one C file (POSIX awk).
#
# A migration becomes a string of `migrations`, in the order of its number.
# A file of verbs is cut at lines of the form
#   -- :verb NAME FLAGS...        FLAGS: as in verb.h
#   -- :in KEY:TYPE[!] ...        what the input may hold (! = required)
# and becomes the table `verbs`, sorted by the file and its order.
#
# A part that several verbs share is cut at `-- :define NAME` and put in where
# a script says $(NAME); files are read in the order of their names, api.sql
# rest.sql and import.sql last.
#
# A statement after a line of the form
#   -- :if :NAME     or     -- :unless :NAME
# or two of them runs only when that parameter is not NULL, or is: what is not
# run is not compiled either (lib/verb.h).  It ends at the line that ends with a
# semicolon.
#
# Comments and indentation do not reach the store: SQLite parses the text of
# the schema at every start.  now() is the time, RFC 3339 with milliseconds: in
# the schema, which must not need a function that the sqlite3 shell lacks, it
# is written out, and in a verb it is the parameter :now.
function quote(s) {
	gsub(/\\/, "&&", s)
	gsub(/"/, "\\\"", s)
	gsub(/\n/, "\\n", s)
	return "\"" s "\\n\"\n"
}
function clean(s) {
	if (s ~ /^[ \t]*--/)
		return ""
	sub(/[ \t]+-- .*$/, "", s)
	gsub(/^[ \t]+|[ \t]+$/, "", s)
	gsub(/now\(\)/, FILENAME ~ /migrate\// ? \
		"strftime('%Y-%m-%dT%H:%M:%fZ')" : ":now", s)
	return s
}
function expand(s,   at, len, name) {
	while (match(s, /\$\([a-z_]+\)/)) {
		at = RSTART
		len = RLENGTH
		name = substr(s, at + 2, len - 3)
		if (!(name in def)) {
			print FILENAME ":" FNR ": no such part: " name >"/dev/stderr"
			exit 1
		}
		s = substr(s, 1, at - 1) def[name] substr(s, at + len)
	}
	return s
}
function finish() {
	if (open == "migration")
		migrations = migrations "\n,\n"
	else if (open == "verb")
		table = table "},\n"
	open = ""
}
BEGIN {
	print "/* Made by sql/embed.awk. */"
	print "#include \"verb.h\""
}
FNR == 1 {
	finish()
	if (FILENAME ~ /migrate\//) {
		open = "migration"
		migrations = migrations "\"\"\n"
	}
}
/^-- :define / {
	finish()
	open = "define"
	part = $3
	def[part] = ""
	next
}
/^-- :verb / {
	finish()
	open = "verb"
	flags = ""
	for (i = 4; i <= NF; i++)
		flags = flags (flags == "" ? "" : " | ") "VERB_" toupper($i)
	table = table "{ \"" $3 "\", " flags ",\n"
	spec = 1
	next
}
/^-- :in/ && open == "verb" {
	sub(/^-- :in */, "")
	table = table "\"" $0 "\",\n"
	spec = 0
	next
}
/^-- :(if|unless) :/ {
	mark = mark ($2 == ":if" ? "@" : "!") $3 " "
	next
}
{
	line = expand(clean($0))
	if (line == "")
		next
	line = mark line
	mark = ""
	if (open == "define")
		def[part] = def[part] (def[part] == "" ? "" : "\n") line
	if (open == "migration")
		migrations = migrations quote(line)
	else if (open == "verb") {
		if (spec) {
			table = table "\"\",\n"
			spec = 0
		}
		table = table quote(line)
	}
}
END {
	finish()
	print "const char *const migrations[] = {"
	printf "%s", migrations
	print "(void *)0 };"
	print "const struct verb verbs[] = {"
	printf "%s", table
	print "{ (void *)0, 0, (void *)0, (void *)0 } };"
}
