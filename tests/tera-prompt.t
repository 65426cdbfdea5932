#!/bin/sh
# tera-prompt: the template form, and that nothing in a value is one.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -u

mkdir -p config/prompt
# render TEMPLATE DOCUMENT [flags]
render() {
	printf '%s' "$1" >config/prompt/x.md
	doc=$2
	shift 2
	printf '%s\n' "$doc" | tera-prompt "$@" x
}

is 'a value' "$(render 'Hi {{a.b}}!' '{"a":{"b":"you"}}')" 'Hi you!'
is 'an absent value is nothing' "$(render '[{{a.b}}{{c}}]' '{"a":1}')" '[]'
is 'numbers and booleans' "$(render '{{n}} {{f}} {{t}}' '{"n":12345678,"f":0.5,"t":true}')" \
	'12345678 0.5 true'
is 'an object is indented JSON' "$(render '{{o}}' '{"o":{"a":[1]}}')" '{
  "a": [
    1
  ]
}'
is 'an element by number' "$(render '{{l.1}}' '{"l":["a","b"]}')" b
is 'a list' "$(render '{{#l}}<{{.}}>{{/l}}' '{"l":["a","b"]}')" '<a><b>'
is 'fields of the element before those outside' \
	"$(render '{{#l}}{{n}}{{m}} {{/l}}' '{"m":"M","n":"N","l":[{"n":"1"},{"m":"2"}]}')" \
	'1M N2 '
is 'truthy' "$(render '{{#a}}A{{/a}}{{#b}}B{{/b}}{{#c}}C{{/c}}{{#d}}D{{/d}}' \
	'{"a":"x","b":"","c":[],"d":{"e":1}}')" AD
is 'absent' "$(render '{{^a}}A{{/a}}{{^b}}B{{/b}}' '{"a":0,"b":1}')" A
is 'nested sections' "$(render '{{#a}}{{#b}}x{{/b}}{{^b}}y{{/b}}{{/a}}{{#z}}{{#a}}n{{/a}}{{/z}}' \
	'{"a":[{"b":true},{"b":false}]}')" xy
is 'a tag alone on its line takes the line' "$(render '1
{{#a}}
2
{{/a}}
{{! a remark }}
3' '{"a":true}')" '1
2
3'
is 'a value is not a template' "$(render '{{a}}' '{"a":"{{b}} {{#c}}","b":"no"}')" \
	'{{b}} {{#c}}'
# shellcheck disable=SC2016
is 'quotes, dollars and 4-byte characters stay' \
	"$(render '{{a}}' '{"a":"\" '\'' $(x) \\ 😀\nz"}')" '" '\'' $(x) \ 😀
z'
is '-D adds to the document' "$(render '{{a}}{{b.c}}' '{"a":1}' -D a=2 -D 'b:={"c":3}')" 23
is 'none is an empty one' "$(printf '{{a}}' >config/prompt/x.md; tera-prompt -D a=1 x </dev/null)" 1

printf 'one\n{{#a}}\n' >config/prompt/x.md
exits 'an open section is refused' 65 tera-prompt x </dev/null
like 'with its line' "$(cat err)" 'x.md: line 2: a section without its end'
printf 'one {{a' >config/prompt/x.md
exits 'an open tag is refused' 65 tera-prompt x </dev/null
printf '{{/a}}' >config/prompt/x.md
exits 'a stray end is refused' 65 tera-prompt x </dev/null
exits 'no such prompt' 66 tera-prompt nothing </dev/null
exits 'no way out of the directory' 66 tera-prompt ../../../etc/passwd </dev/null
echo '[1]' >in
exits 'the document is an object' 65 tera-prompt x <in
exits 'usage' 64 tera-prompt
printf '{{a}}' >config/prompt/x.md
exits 'a full disk is noticed' 74 sh -c 'tera-prompt -D a=1 x </dev/null >/dev/full'
for f in "$TOP"/share/prompt/*.md; do
	name=${f##*/}
	ok "$name is well formed" tera-prompt "${name%.md}"
done
done_testing
