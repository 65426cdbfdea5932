// The board: every column, every card, live.
import { ask } from '../lib/api.js';
import * as ticket from '../lib/ticket.js';
import { columns_dialog, notes_part, removed_dialog } from '../lib/board.js';
import { wires } from '../lib/wires.js';
import { noChange } from '../vendor/lit-html/lit-html.js';
import { announce, empty, html, nothing, plural, refused, repeat, say, span, state, usd } from '../lib/ui.js';

const rank = { high: 0, medium: 1, low: 2 };
const states = {
	'': 'any state', running: 'running', pending: 'waiting', failed: 'failed', blocked: 'blocked', pr: 'with a pull request',
};
const is = {
	running: (t) => t.job?.state === 'running',
	pending: (t) => t.job?.state === 'pending' || t.job?.state === 'paused',
	failed: (t) => t.status === 'failed' || t.job?.state === 'failed',
	blocked: (t) => t.blocked,
	pr: (t) => t.pr?.state === 'open',
};

// What was filtered is still so when one comes back from a ticket.
const kept = new Map();

export default function board([number], draw_page) {
	let project, columns = [], version, graph = { nodes: [], edges: [] }, notes = [];
	let label = new Map();
	const cards = new Map(); // id -> card
	const faults = new Map(); // id -> what the server said to the last try
	let active; // the id of the card that the keyboard is at
	let lifted; // { id, column }: carried by the keyboard
	let dragging = false, focus_next;
	const filter = kept.get(number) ?? { text: '', node: '', priority: '', state: '' };
	kept.set(number, filter);
	const lines = wires(() => cards);

	// While a card is carried by the mouse nothing is drawn: it is the
	// browser's.
	const draw = () => dragging || draw_page();

	// --- what is shown ---

	async function load() {
		const here = { project: number };
		let all, now;
		[[project], [now], [graph], notes, all] = await Promise.all([
			ask('project.show', here), ask('board.show', here), ask('graph.show', here), ask('note.list', here), ticket.cards(number),
		]);
		take_board(now);
		label = ticket.names(graph).node;
		cards.clear();
		for (const t of all) cards.set(t.id, t);
	}
	function take_board(now) {
		columns = [...now.columns].sort((a, b) => (a.order ?? 0) - (b.order ?? 0));
		version = now.version;
	}

	async function changed(events) {
		const mine = events.filter((e) => e.project_id === project.id);
		const stale = new Set();
		let rest = false;
		for (const e of mine) {
			const t = cards.get(e.ticket_id);
			// a step of a run: the event says all
			if (e.noun === 'log' && t?.job?.id === e.job_id && t?.job.state === 'running')
				Object.assign(t.job, { step: e.data.step, summary: e.data.summary });
			else if (['board', 'graph', 'note', 'project'].includes(e.noun)) rest = true;
			else if (e.noun === 'ticket' && e.what === 'removed') cards.delete(e.ticket_id);
			else if (e.ticket_id && e.noun !== 'log' && e.noun !== 'comment') stale.add(e.ticket_id);
			// what waits for it may be free now
			if (e.noun === 'ticket' && t)
				for (const other of cards.values()) if (other.needs?.includes(t.number)) stale.add(other.id);
		}
		if (stale.size) await refresh([...stale]);
		if (rest) await refresh_board();
		draw();
	}
	// Of two answers about a card that overtook each other the later question
	// counts.
	let question = 0;
	const asked = new Map();
	async function refresh(ids) {
		const mine = ++question;
		for (const id of ids) asked.set(id, mine);
		const got = new Map((await ticket.cards(number, ids)).map((t) => [t.id, t]));
		for (const id of ids) {
			if (asked.get(id) !== mine) continue;
			asked.delete(id);
			if (got.has(id)) cards.set(id, got.get(id));
			else cards.delete(id);
		}
	}
	async function refresh_board() {
		const here = { project: number };
		let now;
		[[project], [now], [graph], notes] = await Promise.all([
			ask('project.show', here), ask('board.show', here), ask('graph.show', here), ask('note.list', here)]);
		take_board(now);
		label = ticket.names(graph).node;
	}

	function shown(t) {
		const f = filter;
		if (f.priority && t.priority !== f.priority) return false;
		if (f.node && !t.nodes?.includes(f.node) && !t.nodes?.includes('*')) return false;
		if (f.state && !is[f.state](t)) return false;
		if (!f.text) return true;
		const text = f.text.toLowerCase();
		return t.title.toLowerCase().includes(text) || `#${t.number}`.startsWith(text) || String(t.number) === text;
	}
	// What was done last is on top; else what is urgent, then what is old.
	const order = (column) => (column === 'done' || column === 'in_review'
		? (a, b) => (a.updated_at < b.updated_at ? 1 : a.updated_at > b.updated_at ? -1 : b.number - a.number)
		: (a, b) => (rank[a.priority] ?? 1) - (rank[b.priority] ?? 1) || a.number - b.number);

	function lists() {
		const known = new Map(columns.map((c) => [c.id, { ...c, cards: [], all: 0 }]));
		for (const t of cards.values()) {
			// a column that was taken away, or never was on this board
			if (!known.has(t.column_id)) known.set(t.column_id, { id: t.column_id, title: t.column_id, cards: [], all: 0, stray: true });
			const list = known.get(t.column_id);
			list.all++;
			if (shown(t)) list.cards.push(t);
		}
		for (const list of known.values()) list.cards.sort(order(list.id));
		return [...known.values()];
	}

	// --- what is done ---

	const title_of = (id) => columns.find((c) => c.id === id)?.title ?? id;

	function full(column_id) {
		const column = columns.find((c) => c.id === column_id);
		if (!column?.limit) return false;
		let n = 0;
		for (const t of cards.values()) n += t.column_id === column_id;
		return n >= column.limit;
	}

	const too_many = (id, act) => say(`${title_of(id)} is full: its limit is ${columns.find((c) => c.id === id).limit}.`,
		{ bad: true, label: 'Move anyway', act });

	// The card is in its new column at once; the server may put it back.
	async function move(t, to, anyway = false) {
		const from = t.column_id;
		if (to === from) return;
		if (!anyway && full(to)) return too_many(to, () => move(t, to, true));
		t.column_id = to;
		faults.delete(t.id);
		draw();
		try {
			const now = await ticket.move(t, to);
			Object.assign(t, { version: now.version, status: now.status });
			announce(`Ticket ${t.number} is in ${title_of(to)}.`);
		} catch (e) {
			t.column_id = from;
			fault(t, e);
		}
		draw();
	}

	async function act(what, t, anyway = false) {
		if (what === 'run' && !anyway && t.column_id !== 'in_progress' && full('in_progress'))
			return too_many('in_progress', () => act(what, t, true));
		faults.delete(t.id);
		draw();
		try {
			await ticket.act(what, t);
			await refresh([t.id]);
		} catch (e) {
			fault(t, e);
		}
		draw();
	}
	// Where one clicked it is said why not; somebody else's change is shown.
	async function fault(t, e) {
		faults.set(t.id, e.conflict ? `Somebody else changed it meanwhile: look again. (${e.message})` : e.message);
		announce(e.message);
		if (e.status === undefined) throw e;
		if (e.conflict) await refresh([t.id]).catch(refused);
		draw();
	}

	function toggle_lines() {
		lines.toggle();
		draw();
	}
	const add = () => ticket.add(number, graph, columns);

	// --- the keyboard ---

	const card_of = (element) => element.closest?.('[data-id]');

	function step(e) {
		const at = card_of(e.target);
		if (!at || !e.target.matches('a.title')) return;
		const all = lists(), t = cards.get(at.dataset.id);
		if (!t) return;
		if (lifted) return carry(e, t, all);
		const x = all.findIndex((c) => c.id === t.column_id), y = all[x].cards.indexOf(t);
		const side = (d) => {
			for (let i = x + d; all[i]; i += d) if (all[i].cards.length) return all[i].cards[Math.min(y, all[i].cards.length - 1)];
		};
		const to = { ArrowDown: () => all[x].cards[y + 1], ArrowUp: () => all[x].cards[y - 1],
			ArrowLeft: () => side(-1), ArrowRight: () => side(1),
			Home: () => all[x].cards[0], End: () => all[x].cards.at(-1) }[e.key];
		if (to) {
			e.preventDefault();
			const next = to();
			if (next) focus_card(next.id);
		} else if (e.key === ' ') {
			e.preventDefault();
			lifted = { id: t.id, column: t.column_id };
			announce(`Ticket ${t.number} is lifted. Left and right choose a column, space drops it, escape leaves it.`);
			draw();
		}
	}
	function carry(e, t, all) {
		const columns_now = all.filter((c) => !c.stray);
		const x = columns_now.findIndex((c) => c.id === lifted.column);
		const side = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
		e.preventDefault();
		if (side) {
			lifted.column = (columns_now[x + side] ?? columns_now[x]).id;
			announce(title_of(lifted.column));
			document.querySelector(`[data-column="${CSS.escape(lifted.column)}"]`)?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
		} else if (e.key === ' ' || e.key === 'Enter') {
			const to = lifted.column;
			lifted = undefined;
			focus_next = t.id;
			move(t, to);
		} else if (e.key === 'Escape' || e.key === 'Tab') {
			lifted = undefined;
			announce('It stays where it was.');
		}
		draw();
	}
	function focus_card(id) {
		active = id;
		focus_next = id;
		draw();
	}

	// --- the mouse and the finger: Sortable ---

	let sortable;
	const lists_made = [];
	async function arm() {
		sortable ??= import('../vendor/sortable.js').then(() => self.Sortable);
		const Sortable = await sortable;
		for (const list of document.querySelectorAll('ul.cards:not([data-armed])')) {
			list.dataset.armed = '';
			let before;
			lists_made.push(Sortable.create(list, {
				group: 'board', sort: false, draggable: '.card', filter: 'button, .fault', preventOnFilter: false,
				animation: 0, delay: 180, delayOnTouchOnly: true, touchStartThreshold: 6,
				forceFallback: true, fallbackOnBody: true, fallbackTolerance: 5, scroll: true, bubbleScroll: true,
				scrollSensitivity: 60, scrollSpeed: 14, ghostClass: 'ghost', fallbackClass: 'carried',
				onStart(e) {
					dragging = true;
					before = e.item.previousSibling;
				},
				onMove(e) {
					for (const c of document.querySelectorAll('.column.over')) c.classList.remove('over');
					e.to.closest('.column').classList.add('over');
				},
				onEnd(e) {
					// The nodes are lit's: back to where it knows them.
					before.after(e.item);
					for (const c of document.querySelectorAll('.column.over')) c.classList.remove('over');
					setTimeout(() => {
						dragging = false;
						draw();
					});
					const t = cards.get(e.item.dataset.id);
					if (t) move(t, e.to.dataset.column);
				},
			}));
		}
	}
	function after() {
		if (focus_next) {
			document.querySelector(`[data-id="${CSS.escape(focus_next)}"] a.title`)?.focus();
			focus_next = undefined;
		}
		arm();
		lines.draw();
	}

	// --- the view ---

	function job_line(t) {
		const j = t.job;
		if (!j) return nothing;
		const what = j.kind === 'review' ? 'review ' : '';
		if (j.state === 'running')
			return html`<p class="run"><span class="spin"></span>${what}${j.stop ? 'stopping…' : j.step ? html`<b dir="auto">${j.step.replaceAll('_', ' ')}</b> <span dir="auto">${j.summary}</span>` : 'starting…'}</p>`;
		if (j.state === 'pending')
			// for what it waits is said once, above
			return html`<p class="run">${state('pending', t.blocked ? (t.needs ? 'queued' : 'blocked') : `${what}waiting`)}${j.run_after > new Date().toISOString()
				? html` for ${span((new Date(j.run_after) - Date.now()) / 1000)}` : nothing}${j.tries ? ` · try ${j.tries + 1} of ${j.max_tries}` : nothing}${j.message ? html` · <span dir="auto">${j.message}</span>` : nothing}</p>`;
		if (j.state === 'paused') return html`<p class="run">${state('paused')}</p>`;
		if (j.state === 'failed')
			return html`<p class="run">${state('failed', `${what}failed: ${j.reason}`)} <span dir="auto">${j.message}</span></p>`;
		if (j.state === 'cancelled' && t.column_id !== 'done') return html`<p class="run">${state('cancelled', `${what}stopped`)}</p>`;
		return nothing;
	}

	function facts(t) {
		const list = [];
		if (t.priority !== 'medium') list.push(html`<span class="prio ${t.priority}">${t.priority}</span>`);
		const nodes = t.nodes ?? [];
		if (nodes.includes('*')) list.push(html`<span class="node">whole graph</span>`);
		else for (const id of nodes.slice(0, 2)) list.push(html`<span class="node" dir="auto">${label.get(String(id)) ?? id}</span>`);
		if (nodes.length > 2) list.push(html`<span class="node">+${nodes.length - 2}</span>`);
		if (t.needs) list.push(html`<span class=${t.blocked ? 'state blocked' : 'state'}>${t.blocked ? 'waits for' : 'after'} ${t.needs.map((n) => `#${n}`).join(' ')}</span>`);
		if (t.pr) list.push(html`<span class="state ${t.pr.state}">PR ${t.pr.pr_number ? `#${t.pr.pr_number}` : ''} ${t.pr.state === 'open' && t.pr.approved_by ? 'approved' : t.pr.state}</span>`);
		if (t.job?.verdict && t.column_id !== 'done') list.push(state(t.job.verdict));
		if (t.job?.turns) list.push(html`<span class="num">${plural(t.job.turns, 'turn')}</span>`);
		if (t.cost_usd) list.push(html`<span class="num">${usd(t.cost_usd)}</span>`);
		return list.length ? html`<p class="facts">${list}</p>` : nothing;
	}

	const card = (first) => (t) => {
		const on = active ? t.id === active : t.id === first;
		const fault_now = faults.get(t.id);
		return html`<li class="card ${t.priority} ${lifted?.id === t.id ? 'lifted' : ''}" data-id=${t.id} data-number=${t.number}>
			<h3><span class="number">#${t.number}</span> <a class="title" href="#/ticket/${t.number}" draggable="false" dir="auto" tabindex=${on ? 0 : -1}>${t.title}</a></h3>
			${facts(t)}${job_line(t)}
			${fault_now ? html`<p class="fault" role="alert" dir="auto">${fault_now}</p>` : nothing}
			<div class="acts">${ticket.acts(t).map((what) => html`<button class=${what === 'stop' ? 'quiet' : ''} tabindex=${on ? 0 : -1}
				aria-label="${ticket.act_words[what]} ticket ${t.number}" @click=${() => act(what, t)}>${ticket.act_words[what]}</button>`)}</div>
		</li>`;
	};

	const none = {
		backlog: 'Nothing to do. Add a ticket: n.',
		in_progress: 'Nothing runs. Drag a ticket here, or press Run on it.',
		in_review: 'Nothing waits for a person.',
		done: 'Nothing is done yet.',
	};

	const column = (first) => (c) => html`<section class="column ${lifted?.column === c.id ? 'over' : ''} ${c.limit && c.all >= c.limit ? 'full' : ''}"
			data-column=${c.id} aria-labelledby="column-${c.id}">
		<header><h2 id="column-${c.id}" dir="auto">${c.title}</h2>
			<span class="num" title=${c.limit ? 'tickets, and how many there may be' : 'tickets'}>${c.cards.length === c.all ? c.all : `${c.cards.length} of ${c.all}`}${c.limit ? ` / ${c.limit}` : ''}</span></header>
		<ul class="cards" data-column=${c.id}>${repeat(c.cards, (t) => t.id, card(first))}</ul>
		${c.cards.length ? nothing : html`<p class="none">${c.all ? 'None that the filter shows.' : none[c.id] ?? 'No tickets.'}</p>`}
	</section>`;

	const pick = (name, words, title) => html`<select aria-label=${title} .value=${filter[name]} @change=${(e) => {
		filter[name] = e.target.value;
		draw();
	}}>${words.map(([value, word]) => html`<option value=${value} ?selected=${filter[name] === value}>${word}</option>`)}</select>`;

	const tools = () => html`<div class="head tools">
		<h1 class="unseen" dir="auto">Board of ${project.name}</h1>
		<button class="main" @click=${add}>New ticket</button>
		<input id="filter" type="search" placeholder="Filter (/)" aria-label="Filter by title or number" .value=${filter.text}
			@input=${(e) => { filter.text = e.target.value; draw(); }}
			@keydown=${(e) => { if (e.key === 'Escape') { filter.text = ''; draw(); } }}>
		${pick('node', [['', 'any component'], ...label], 'Component')}
		${pick('priority', [['', 'any priority'], ...ticket.priorities], 'Priority')}
		${pick('state', Object.entries(states), 'State')}
		<span class="grow"></span>
		<button aria-pressed=${lines.all() ? 'true' : 'false'} @click=${toggle_lines}>Dependencies</button>
		<button @click=${() => columns_dialog(number, columns, version, cards)}>Columns</button>
		<button @click=${() => removed_dialog(number)}>Removed</button></div>`;

	function view() {
		if (dragging) return noChange;
		const all = lists();
		const visible = all.flatMap((c) => c.cards);
		if (active && !visible.some((t) => t.id === active)) active = undefined;
		queueMicrotask(after);
		return html`${tools()}
			${cards.size ? nothing : empty('The board is empty. A ticket says what is wanted; an agent does it when it is moved to In Progress.',
				html`<button class="main" @click=${add}>Write the first ticket</button>`)}
			<p class="unseen" id="card-help">Arrow keys go from card to card. Space lifts one, left and right choose its column, space drops it.</p>
			<div class="board" role="group" aria-label="Columns" aria-describedby="card-help" @keydown=${step}
				@focusin=${(e) => { const id = card_of(e.target)?.dataset.id; if (id && id !== active) { active = id; draw(); } lines.at(id); }}
				@focusout=${() => { lines.at(); if (lifted && !focus_next) { lifted = undefined; draw(); } }}
				@mouseover=${(e) => lines.at(card_of(e.target)?.dataset.id)}
				@mouseleave=${() => lines.at()}
				@click=${(e) => { if (dragging) e.preventDefault(); }}>
				<svg class="wires" aria-hidden="true"></svg>
				${repeat(all, (c) => c.id, column(visible[0]?.id))}</div>
			${notes_part(number, notes, graph)}`;
	}

	return {
		load, changed, view,
		kind: 'wide',
		title: () => project?.name ?? '',
		project: () => project?.number,
		keys: [
			['n', 'New ticket', () => add()],
			['/', 'Filter', () => document.getElementById('filter')?.focus()],
			['d', 'All dependencies drawn, or none', toggle_lines],
			['↑ ↓ ← →', 'From card to card'],
			['Enter', 'Open the card'],
			['Space', 'Lift the card; ← → choose a column, Space drops it, Escape leaves it'],
			['r', 'The first button of the card: Run, Stop, Retry, Approve or Merge',
				() => card_of(document.activeElement)?.querySelector('.acts button')?.click()],
			['c', 'To the first card', () => document.querySelector('.card a.title[tabindex="0"]')?.focus()],
		],
		close() {
			lines.close();
			for (const list of lists_made) list.destroy();
		},
	};
}
