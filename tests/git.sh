# Repositories for the tests of the git group; sourced after lib.sh.
# shellcheck shell=sh
export GIT_USER_NAME=Ann GIT_USER_EMAIL=ann@example.org
export GIT_AUTHOR_NAME=Seed GIT_AUTHOR_EMAIL=seed@example.org
export GIT_COMMITTER_NAME=Seed GIT_COMMITTER_EMAIL=seed@example.org
export GIT_CONFIG_NOSYSTEM=1
unset GH_TOKEN GITHUB_TOKEN TERA_SECRETS

# A bare remote $T/$1.git with one commit on main, and a clone of it in $T/$1.
remote() {
	git init -q --bare -b main "$T/$1.git"
	git init -q -b main "$T/$1"
	(
		cd "$T/$1" || exit
		git remote add origin "$T/$1.git"
		printf 'one\ntwo\nthree\n' >a
		echo b >b
		echo '*.log' >.gitignore
		commit first
		git push -q origin main
	)
}

# Commits all in the current directory.
commit() {
	git add -A && git commit -q -m "$1"
}

# A job record: job branch source [more members]
job() {
	printf '{"job_id":"%s","ticket_id":"7","title":"Do it","branch":"%s"' \
		"$1" "$2"
	printf ',"repo_url":"%s","base_branch":null%s}\n' "$3" "${4:-}"
}

# The text of a member of the record in file $2.
member() {
	sed -n "s/.*\"$1\":\"\\([^\"]*\\)\".*/\\1/p" "$2"
}
