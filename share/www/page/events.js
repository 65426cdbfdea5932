// The history: what happened, by whom, and whether its seal holds.
import { ask, request } from '../lib/api.js';
import { long_list } from '../lib/scroll.js';
import { ago, count, empty, html, nothing, plural, refused, state } from '../lib/ui.js';

const PAGE = 300;
// Of what is rare nothing may be found for long: so many events are looked
// through at once.
const STRETCH = 20000;
// A chain that is not longer is looked at without being asked.
const SHORT = 20000;
const LINE = 30; // pixels, as style.css has it

const nouns = ['project', 'graph', 'board', 'ticket', 'dependency', 'comment', 'note', 'setting', 'job', 'attempt', 'log', 'pr', 'pr_comment'];

// What was filtered is still so when one comes back.
const filter = { noun: '', project: '', text: '' };

export default function events(args, draw) {
	let all = [], projects = [], head = 0;
	let from; // what is before this was not looked at yet
	let busy = false, fault;
	let seal; // undefined: not asked; null: asked; an answer, or an Error
	let sealed_at;
	const open = new Set();
	const list = long_list(draw, more);
	let question = 0; // only the last one that was asked counts

	const wanted = () => ({
		...(filter.noun ? { noun: filter.noun } : {}), ...(filter.project ? { project: Number(filter.project) } : {}),
		...(filter.text.trim() ? { text: filter.text.trim() } : {}),
	});

	// Also when the server was away: what came meanwhile is put before, and who
	// reads stays where he is.
	async function load() {
		projects = await ask('project.list');
		const [now] = await ask('event.head');
		if (from === undefined || now.seq < head || now.seq > head + STRETCH) {
			await begin(now.seq);
			if (head <= SHORT && seal === undefined) check();
		} else await catch_up(now.seq);
	}
	async function begin(seq) {
		question++;
		head = seq;
		from = seq + 1;
		all = [];
		fault = undefined;
		busy = false;
		list.to_top();
		await more();
	}
	async function more() {
		if (busy || from <= 1) return;
		const mine = question;
		busy = true;
		fault = undefined;
		try {
			const end = all.length + PAGE;
			while (from > 1 && all.length < end) {
				const since = Math.max(0, from - 1 - STRETCH);
				const got = await ask('ui.events', { ...wanted(), before: from, since, limit: PAGE });
				if (mine !== question) return;
				all.push(...got.map(known));
				from = got.length === PAGE ? got.at(-1).seq : since + 1;
				draw();
			}
		} catch (e) {
			if (mine !== question) return;
			if (!all.length) throw e;
			fault = e;
		} finally {
			if (mine === question) busy = false;
		}
		draw();
	}
	const known = (e) => ({ ...e, key: e.seq });

	async function catch_up(seq) {
		const mine = question;
		if (seq <= head) return;
		const got = await ask('ui.events', { ...wanted(), since: head, before: seq + 1, limit: STRETCH });
		if (mine !== question) return;
		head = seq;
		all.unshift(...got.map(known));
		list.put_before(got.reduce((sum, e) => sum + height(e), 0));
	}
	async function changed(list_of) {
		await catch_up(list_of.at(-1).seq);
		if (list_of.some((e) => e.noun === 'project')) projects = await ask('project.list');
		draw();
	}

	async function check() {
		seal = null;
		draw();
		try {
			seal = JSON.parse(await request('GET', 'api/audit'));
		} catch (e) {
			seal = e;
		}
		sealed_at = new Date().toISOString();
		draw();
	}

	// --- the view ---

	// Where the thing is to be seen.
	function place(e) {
		if (e.gone) return;
		if (e.pr) return [`#/review/${e.pr}`, `pull request ${e.pr}`];
		if (e.job && e.noun !== 'ticket') return [`#/jobs/${e.job}`, `job ${e.job}`];
		if (e.ticket) return [`#/ticket/${e.ticket}`, `#${e.ticket} ${e.title}`];
		if (e.project && e.noun === 'graph') return [`#/graph/${e.project}`, 'the graph'];
		if (e.project) return [`#/board/${e.project}`, e.noun === 'project' ? e.project_name : `the ${e.noun === 'note' ? 'notes' : 'board'}`];
	}
	const short = (v) => (typeof v === 'string' ? v : JSON.stringify(v));
	const what = (e) => Object.entries(e.data).filter(([k, v]) => v !== null && v !== '' && !['number', 'version', 'seq', 'pr', 'fence'].includes(k) && !(k === 'title' && e.title))
		.map(([k, v]) => `${k.replace(/_id$/, '').replaceAll('_', ' ')}: ${short(v).slice(0, 120)}`).join(' · ');
	const text = (e) => `${JSON.stringify(e.data, null, 2)}\n\nid    ${e.id ?? '-'}\nseq   ${e.seq}\nseal  ${e.hash || 'not sealed yet'}`;
	const lines = (e) => Math.min(16, text(e).split('\n').length) * 19 + 16;
	const height = (e) => (open.has(e.seq) ? LINE + lines(e) + 10 : LINE);

	function toggle(e) {
		list.hold();
		if (!open.delete(e.seq)) open.add(e.seq);
		draw();
	}

	function line(e) {
		const to = place(e), is_open = open.has(e.seq), at = new Date(e.at);
		return html`<div class="event" data-seq=${e.seq}>
			<button class="quiet num" aria-expanded=${is_open ? 'true' : 'false'} aria-label="Event ${e.seq}" @click=${() => toggle(e)}>${e.seq} ${is_open ? '▴' : '▾'}</button>
			<time class="num" datetime=${e.at} title=${at.toLocaleString()}>${Date.now() - at < 72e6 ? at.toLocaleTimeString([], { hour12: false }) : at.toLocaleDateString([], { day: 'numeric', month: 'short', year: '2-digit' })}</time>
			<b>${e.noun.replace('_', ' ')} ${state(e.what, e.what)}</b>
			<span class="about" dir="auto">${to ? html`<a href=${to[0]}>${to[1]}</a>` : nothing}</span>
			<span class="text" dir="auto" title=${what(e)}>${what(e)}</span>
			<span class="who" dir="auto" title=${e.actor ?? nothing}>${e.late ? html`<span class="state failed" title="Another program wrote it; the next command sealed it.">late</span> ` : nothing}${e.actor}</span>
			${is_open ? html`<pre tabindex="0" dir="auto" .style=${`height:${lines(e)}px`}>${text(e)}</pre>` : nothing}</div>`;
	}

	function seal_view() {
		if (seal === null) return html`<span class="hint"><span class="spin"></span>Checking the seal…</span>`;
		return html`${seal === undefined ? html`<span class="hint">The seal was not checked.</span>`
			: seal instanceof Error ? html`<span class="fault">The seal could not be checked: ${seal.message}</span>`
				: seal.holds ? html`<span>${state('pass', 'The chain holds:')} ${plural(seal.events, 'event')}${seal.unsealed ? `, ${seal.unsealed} not sealed yet` : nothing}, ${ago(sealed_at)}
					<span class="hint">head <code title="${seal.head}: note it down, and tera-audit(1) holds the chain against it later">${seal.head.slice(0, 16)}</code></span></span>`
					: html`<span class="fault" role="alert">The chain does NOT hold: event ${seal.first_bad} was altered, removed or put in between.</span>`}
			<button @click=${check}>Check the seal</button>`;
	}

	let typing;
	function pick(key, value) {
		filter[key] = value;
		clearTimeout(typing);
		typing = setTimeout(() => begin(head).then(draw, refused), key === 'text' ? 250 : 0);
		draw();
	}

	return {
		load, changed,
		kind: 'wide',
		title: () => 'Events',
		keys: [
			['/', 'Filter by words', () => document.getElementById('words')?.focus()],
			['s', 'Check the seal', check],
			['t', 'To the newest', () => {
				list.to_top();
				draw();
			}],
		],
		close: () => clearTimeout(typing),
		view: () => html`<div class="head tools"><h1>Events</h1>
			<input id="words" type="search" aria-label="Filter by words" placeholder="Filter" .value=${filter.text} @input=${(e) => pick('text', e.target.value)} @keydown=${(e) => {
				if (e.key !== 'Escape') return;
				pick('text', '');
				e.target.blur();
			}}>
			<select aria-label="What" @change=${(e) => pick('noun', e.target.value)}><option value="">of anything</option>${nouns.map((n) =>
				html`<option value=${n} ?selected=${n === filter.noun}>${n.replace('_', ' ')}</option>`)}</select>
			<select aria-label="Project" @change=${(e) => pick('project', e.target.value)}><option value="">all projects</option>${projects.map((p) =>
				html`<option value=${p.number} ?selected=${String(p.number) === filter.project}>${p.name}</option>`)}</select></div>
			<div class="seal" role="status">${seal_view()}</div>
			${fault ? html`<p class="fault" role="alert">${fault.message} <button @click=${more}>Try again</button></p>` : nothing}
			${all.length ? list.view(all, height, line, 'Events, the newest first', 'events')
				: busy ? html`<p class="loading">Looking… ${count(from - 1)} to go</p>`
					: head ? html`<p class="none">No event fits the filter.</p>` : empty('Nothing has happened yet.', html`<a href="#/">Create a project</a>`)}
			<p class="hint">${all.length ? `${plural(all.length, 'event')}${from > 1 ? `, back to ${from}; scroll for more` : ', all there are'}` : nothing}</p>`,
	};
}
