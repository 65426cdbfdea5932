// The graph of a project in the hands of one person: what is done to it, undone,
// and saved by itself, while others do the same.
//
// `now` is what is shown, `base` what the server has at `version`, as far as is
// known here.  What somebody else saves is put together with what is not saved
// yet (lib/merge.js); what both changed is asked for, and until that is
// answered nothing is saved.  All is kept in the browser's session meanwhile, so
// that neither a reload nor a log-in loses it.
import { ask, tell } from './api.js';
import { read, write } from './graph.js';
import { at, merge, put, same } from './merge.js';

const PAUSE_MS = 600; // of a person who types
const AGAIN_MS = 3000; // when the server is busy

export function store(project, drawn) {
	const key = () => `graph ${id}`;
	let id, base, version, timer, sending, closed = false;
	let undone = [], done = [], typing;
	const my = { now: read({ nodes: [], edges: [] }), clashes: [], fault: undefined };
	const dirty = () => base !== undefined && my.now !== base;

	// --- keeping ---

	function keep() {
		try {
			if (!id) return;
			if (!dirty()) sessionStorage.removeItem(key());
			else sessionStorage.setItem(key(), JSON.stringify({ version, base: write(base), now: write(my.now) }));
		} catch {
			// there is no room, or no leave: it is still here
		}
	}
	function find() {
		try {
			const kept = JSON.parse(sessionStorage.getItem(key()));
			if (kept) {
				version = kept.version;
				base = read(kept.base);
				my.now = read(kept.now);
			}
		} catch {
			// it was not ours
		}
	}
	function leaving(e) {
		keep();
		if (dirty()) e.preventDefault();
	}
	addEventListener('beforeunload', leaving);

	// --- the server ---

	async function load() {
		const [graph] = await ask('graph.show', { project });
		await sending?.catch(() => {});
		if (!id) {
			id = graph.project_id;
			find();
		}
		take(graph);
		my.fault = undefined;
		if (dirty()) soon(0);
	}
	function take(graph) {
		if (graph.version === version) return;
		const theirs = read(graph);
		if (base) {
			const { merged, clashes } = merge(base, my.now, theirs);
			const known = clashes.map((c) => c.path.join('\n'));
			my.clashes = [...my.clashes.filter((c) => !known.includes(c.path.join('\n'))), ...clashes];
			my.now = same(merged, theirs) ? theirs : merged;
		} else my.now = theirs;
		base = theirs;
		version = graph.version;
		typing = undefined;
		if (dirty()) soon();
	}
	function soon(ms = PAUSE_MS) {
		clearTimeout(timer);
		timer = setTimeout(save, ms);
	}

	async function save() {
		clearTimeout(timer);
		if (sending || my.clashes.length) return;
		if (dirty() && same(my.now, base)) my.now = base;
		if (!dirty()) return settle();
		const sent = my.now;
		let stale = false;
		my.fault = undefined;
		sending = tell('graph.set', { project, version, ...write(sent) });
		drawn();
		try {
			version = (await sending).version;
			base = sent;
		} catch (e) {
			if (e.conflict) stale = true;
			else {
				my.fault = e.away ? 'The server does not answer.' : e.message;
				if (e.status === 503 || e.status === 429) soon(AGAIN_MS);
				if (e.status === undefined) throw e;
			}
		} finally {
			sending = undefined;
		}
		try {
			if (stale) take((await ask('graph.show', { project }))[0]);
		} catch (e) {
			my.fault = e.message;
		}
		if (dirty() && !my.fault) soon(0);
		settle();
	}
	function settle() {
		keep();
		if (!closed) drawn();
	}

	// --- changes ---

	// word: what it is, for the button that undoes it; of: what is typed in, as
	// all that is typed there in one go is undone in one go.
	function change(next, word, of) {
		if (next === my.now) return;
		if (of && of === typing) done.at(-1).after = next;
		else done.push({ before: my.now, after: next, word });
		if (done.length > 200) done.shift();
		typing = of;
		undone = [];
		my.now = next;
		soon();
		drawn();
	}
	// Only what that change did is taken back, whatever came after it.
	function back(from, to, was, then) {
		const step = from.pop();
		if (!step) return undefined;
		my.now = merge(step[was], step[then], my.now).merged;
		to.push(step);
		typing = undefined;
		soon();
		drawn();
		return step.word;
	}

	return Object.assign(my, {
		load, change,
		async changed(newest) {
			await sending?.catch(() => {});
			if (newest !== version) take((await ask('graph.show', { project }))[0]);
		},
		undo: () => back(done, undone, 'after', 'before'),
		redo: () => back(undone, done, 'before', 'after'),
		// One change alone, whatever came after it.
		take_back: (before, after, word) => change(merge(after, before, my.now).merged, word),
		rest: () => (typing = undefined),
		can_undo: () => done.at(-1)?.word,
		can_redo: () => undone.at(-1)?.word,
		save,
		state: () => (my.clashes.length ? 'clash' : my.fault ? 'fault' : sending ? 'saving' : dirty() ? 'soon' : 'saved'),
		// Of what both changed: what I have now, or what the others have.
		mine: (clash) => at(my.now, clash.path),
		settle(clash, take_theirs) {
			my.clashes = my.clashes.filter((c) => c !== clash);
			if (take_theirs) change(put(my.now, clash.path, clash.theirs), 'take theirs');
			soon(0);
			drawn();
		},
		close() {
			closed = true;
			removeEventListener('beforeunload', leaving);
			keep();
			if (dirty() && !my.clashes.length) save().catch(() => {});
			else clearTimeout(timer);
		},
	});
}
