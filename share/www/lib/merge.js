// Three states of the same thing, put together: what it was, what I made of it,
// what somebody else made of it.
//
// A thing is a Map or an object of such; a list, a word or a number is one
// value.  What only one of the two changed is as that one has it; where both
// changed the same value it is as I have it, and among the clashes:
//     { path: ['nodes', 'cart', 'data', 'label'], mine, theirs }
// A value that is not there is undefined.

const plain = (v) => v !== null && typeof v === 'object' && !Array.isArray(v);
const entries = (v) => (v instanceof Map ? [...v] : Object.entries(v));
const get = (v, key) => (v instanceof Map ? v.get(key) : Object.hasOwn(v, key) ? v[key] : undefined);
// fromEntries, as a key may be __proto__
const make = (like, list) => (like instanceof Map ? new Map(list) : Object.fromEntries(list));

export function same(a, b) {
	if (Object.is(a, b)) return true;
	if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((v, i) => same(v, b[i]));
	if (!plain(a) || !plain(b)) return false;
	const list = entries(a);
	return list.length === entries(b).length && list.every(([k, v]) => v !== undefined && same(v, get(b, k)));
}

export function merge(was, mine, theirs) {
	const clashes = [];
	return { merged: value(was, mine, theirs, [], clashes), clashes };
}

function value(was, mine, theirs, path, clashes) {
	if (mine === theirs || mine === was) return theirs;
	if (theirs === was) return mine;
	if (same(mine, theirs) || same(was, mine)) return theirs;
	if (same(was, theirs)) return mine;
	// where a thing stands is not worth a question
	if (path.at(-1) === 'position') return mine ?? theirs;
	if (!plain(mine) || !plain(theirs)) {
		clashes.push({ path, mine, theirs });
		return mine;
	}
	const keys = new Set([...entries(theirs), ...entries(mine)].map(([k]) => k));
	return make(mine, [...keys].map((k) =>
		[k, value(plain(was) ? get(was, k) : undefined, get(mine, k), get(theirs, k), [...path, k], clashes)])
		.filter(([, v]) => v !== undefined));
}

export const at = (thing, path) => path.reduce((v, key) => (plain(v) ? get(v, key) : undefined), thing);

// The thing with another value there; what is on the way is made.
export function put(thing, [key, ...rest], v) {
	const now = plain(thing) ? thing : {};
	const next = rest.length ? put(get(now, key), rest, v) : v;
	const list = entries(now);
	const i = list.findIndex(([k]) => k === key);
	if (next === undefined) return make(now, list.filter(([k]) => k !== key));
	if (i < 0) list.push([key, next]);
	else list[i] = [key, next];
	return make(now, list);
}
