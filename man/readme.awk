# Makes README.md of what mandoc prints of tera(7) as markdown: displays become
# fenced blocks, and escapes inside code go.
function plain(s) {
	gsub(/&#92;/, "\\", s)
	gsub(/&lt;/, "<", s)
	gsub(/&gt;/, ">", s)
	gsub(/&nbsp;/, " ", s)
	gsub(/\\_/, "_", s)
	gsub(/\\\*/, "*", s)
	gsub(/\\\[/, "[", s)
	gsub(/\\`/, "`", s)
	return s
}
function fence(on) {
	if (on != fenced) {
		print "```"
		fenced = on
	}
}
NR == 1, /^# NAME/ {
	if (/^# NAME/)
		print "# Tera"
	next
}
/^> / || /^>$/ {
	fence(1)
	print plain(substr($0, 3))
	next
}
/^\t[^*]/ && (fenced || last == "") && !bullet {
	fence(1)
	print plain(substr($0, 2))
	next
}
/^Debian - / { next }
{
	if (fenced && $0 == "")
		next
	if (fenced) {
		fence(0)
		print ""
	}
	bullet = /^\*\t/ || (bullet && /^\t/)
	last = $0
	gsub(/'`/, "`")
	gsub(/`'/, "`")
	n = split($0, part, "`")
	line = part[1]
	for (i = 2; i <= n; i++)
		line = line "`" (i % 2 == 0 ? plain(part[i]) : part[i])
	gsub(/&lt;/, "<", line)
	gsub(/&gt;/, ">", line)
	print line
}
