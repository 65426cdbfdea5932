#!/bin/sh
# tera-json: records apart and together, for shell scripts.
# shellcheck disable=SC2016 # dollars that stay
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu

printf '%s\n' '{"a":{"b":[1,"two"]},"n":9223372036854775807,"s":"it'\''s\na line","nil":null,"f":false}' >rec
is "a path" "$(tera-json get 'a.b[1]' <rec)" two
is "an SQLite path" "$(tera-json get '$.a.b[0]' <rec)" 1
is "an object" "$(tera-json get a <rec)" '{"b":[1,"two"]}'
is "64 bits survive" "$(tera-json get n <rec)" 9223372036854775807
is "lines of a single one" "$(tera-json get s <rec)" "it's
a line"
is "one line each of many" "$(tera-json get s n nope <rec | wc -l)" 3
exits "absent is no" 1 tera-json get nope <rec
exits "so is null" 1 tera-json get nil <rec
exits "not of many" 0 tera-json get nope n <rec
eval "$(tera-json sh s=s b='a.b[1]' none=nope <rec)"
# shellcheck disable=SC2154
is "assignments" "$s|$b|$none" "it's
a line|two|"
echo '{"x":"$(touch pwned) `touch pwned` '"'"'; touch pwned"}' >evil
eval "$(tera-json sh x=x <evil)"
not_ok "that run nothing" test -e pwned
exits "a name that is none" 64 tera-json sh '1=x' <rec
exits "nor this" 64 tera-json sh 'a b=x' <rec
printf 'text\n' >file
is "new" "$(tera-json new t=x n:=1 f@file l:='[1]')" '{"t":"x","n":1,"f":"text\n","l":[1]}'
is "an empty one" "$(tera-json new)" '{}'
is "set" "$(printf '%s\n' '{"a":1,"b":2}' | tera-json set b=x c:=null)" '{"a":1,"b":"x","c":null}'
exits "not JSON" 65 tera-json get a <file
exits "nor an object" 65 sh -c 'echo "[1]" | tera-json get a'
exits "nor nothing" 65 tera-json get a </dev/null
exits "no such file" 66 tera-json new a@nofile
exits "a broken operand" 64 tera-json new a
exits "broken JSON" 65 tera-json new 'a:={'
exits "no path" 64 tera-json get <rec
exits "no such work" 64 tera-json frob a <rec
exits "nothing" 64 tera-json
done_testing
