#!/bin/sh
# tera-call: any verb by its name.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu

tera-init -q
ok "lists the verbs" tera-call
cp out verbs
head -n 1 verbs >first
exits "each an object" 0 tera-json get verb write in <first
like "among them" "$(cat verbs)" '"verb":"job.claim","write":true'
ok "runs one" tera-call project.add name=p
is "answers" "$(field name <out)" p
printf '%s\n' '{"name":"a"}' 'x' '{"name":"b"}' >in
exits "takes a stream" 65 tera-call project.add - <in
is "the good lines count" "$(tera-call project.list | wc -l)" 3
like "the bad one is named" "$(cat err)" 'line 2: not JSON'
exits "no is 1" 1 tera-call job.claim
exits "no such verb" 66 tera-call project.frob
exits "a missing key" 65 tera-call project.show
exits "an unknown key is passed over" 0 tera-call project.list x=y
done_testing
