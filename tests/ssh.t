#!/bin/sh
# ssh: the whole line on a bare repository that only sshd gives access to.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu
sshd=$(command -v sshd || ls /usr/sbin/sshd 2>/dev/null || :)
if [ -z "$sshd" ] || ! command -v ssh >/dev/null; then
	skip_all 'no sshd(8): openssh-server is not installed'
fi
world

# --- a server of our own ---
mkdir -m 700 ssh
for k in host user stranger; do
	ssh-keygen -q -t ed25519 -N '' -C "$k" -f "ssh/$k"
done
cp ssh/user.pub ssh/authorized
[ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd # where Debian's sshd separates
port=$(perl -MIO::Socket::INET -e '
	print IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1)->sockport')
cat >ssh/sshd_config <<END
ListenAddress 127.0.0.1:$port
HostKey $T/ssh/host
AuthorizedKeysFile $T/ssh/authorized
PidFile none
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
AcceptEnv LC_*
END
"$sshd" -D -e -f "$T/ssh/sshd_config" 2>ssh/log &
test_pids=$!
reach() { # KEY
	cat >"ssh/config.$1" <<END
Host *
	IdentityFile $T/ssh/$1
	IdentitiesOnly yes
	UserKnownHostsFile $T/ssh/known
	StrictHostKeyChecking yes
END
	GIT_SSH_COMMAND="ssh -F $T/ssh/config.$1 -o BatchMode=yes -o ConnectTimeout=10"
	export GIT_SSH_COMMAND
}
printf '[127.0.0.1]:%s %s\n' "$port" "$(cat ssh/host.pub)" >ssh/known
reach user
url=ssh://$(id -un)@127.0.0.1:$port$T/p.git
up() { git ls-remote "$url" main; }
if ! wait_for 10 up; then
	note "$(cat ssh/log)"
	flunk "sshd(8) serves"
	done_testing
	exit 1
fi
# shellcheck disable=SC2016 # jq's
tera-set project p repo_url="$url" verify_command='grep -q more more.txt' >/dev/null
tera-add ticket project=p title='Say more' >/dev/null
t=$(tera-show ticket 1 | field id)
tip() { git -C p.git rev-parse "$1"; }

# --- from the ticket to the pull request, in pipes ---
tera-move 1 in_progress >/dev/null
tera-claim | tera-clone >cloned
is "a work tree over ssh" "$(field error.message <cloned || :)" ""
echo 'more' >"$(field workspace <cloned)/more.txt"
tera-verify <cloned | tera-commit -m 'Say more' | tera-push | tera-pr - >ended
is "no stage failed" "$(field error.message <ended || :)" ""
is "it is verified" "$(field verify.verdict <ended)" pass
is "it is pushed" "$(tip "ticket-$t")" "$(field head_oid <ended)"
tera-finish - <ended >/dev/null
is "the ticket is in review" "$(tera-show ticket 1 | field column_id)" in_review
like "the difference" "$(tera-pr diff 1)" '^\+more$'

# --- a comment, a second round on the same branch ---
tera-pr comment 1 'And more.' >/dev/null
tera-claim | tera-clone >cloned
is "the job of the review" "$(field kind <cloned)" review
echo 'and more' >>"$(field workspace <cloned)/more.txt"
tera-verify <cloned | tera-commit -m 'And more' | tera-push | tera-pr - |
	tera-finish - >/dev/null
is "two commits" "$(git -C p.git rev-list --count "main..ticket-$t")" 2

# --- somebody else pushed meanwhile ---
git clone -q -b "ticket-$t" p.git other
round() { # THEIR-FILE: both sides change something
	tera-pr comment 1 "More of $1." >/dev/null
	tera-claim | tera-clone >cloned
	(cd other && git pull -q && echo theirs >>"$1" && git add "$1" &&
		git commit -qm theirs && git push -q)
	echo ours >>"$(field workspace <cloned)/more.txt"
	tera-verify <cloned | tera-commit -m ours | tera-push >pushed
}
round x
is "a branch that moved is merged" "$(field push.result <pushed)" "done"
is "theirs stays" "$(git -C p.git show "ticket-$t:x")" theirs
tera-finish - <pushed >/dev/null
round more.txt
is "a conflict is no push" "$(field error.reason <pushed)" conflict
is "theirs stays, again" "$(tip "ticket-$t")" "$(git -C other rev-parse HEAD)"
ok "ours is in a bundle" git -C p.git bundle verify "$(field bundle <pushed)"
tera-finish - <pushed >/dev/null

tera-pr diff 1 >shown # of what is there now, which is what is merged
ok "merged over ssh" tera-pr merge 1
is "it is in main" "$(git -C p.git show main:more.txt | tail -n 1)" theirs
is "the ticket is done" "$(tera-show ticket 1 | field column_id)" "done"

# --- who is not let in ---
reach stranger
tera-add ticket project=p title='Not let in' >/dev/null
tera-move 2 in_progress >/dev/null
rm -rf state/mirror
tera-claim >claimed
tera-clone <claimed >cloned 2>err
like "a key that is refused is said, nobody is asked" \
	"$(field error.message <cloned)" 'denied|publickey|could not read'
is "what was there stays" "$(git -C p.git show main:more.txt | tail -n 1)" theirs
done_testing
