# The configurations of contrib/httpd, for this machine.
# shellcheck shell=sh

# httpd_config FILE PORT BIN: prints it, with our paths.  BIN has tera-serve.
httpd_config() {
	sed "s,5010,$2,; s,/usr/local/bin,$3,g; s,/usr/local/share/tera,$TOP/share,g
		s,/var/lib/tera/tera.db,$TERA_STORE,
		s,/var/lib/tera\([\"/;]\),$PWD/tmp\1,
		s,/run/tera/,$PWD/run/,; s,/var/log/[a-z0-9]*/,$PWD/,
		/^[Uu]ser /d; /^Group /d" "$TOP/contrib/httpd/$1"
}
