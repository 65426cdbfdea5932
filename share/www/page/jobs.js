// The queue: what runs, what waits, what ended, who works on what, and how the
// last day went; and the log of one job, as it is written.
import { ask, tell } from '../lib/api.js';
import '../lib/chart.js';
import { seconds } from '../lib/run.js';
import { tail } from '../lib/tail.js';
import { ago, count, html, lasted, nothing, plural, repeat, refused, span, state, usd } from '../lib/ui.js';

const groups = [
	['running', 'Running', 'Nothing runs.'],
	['waiting', 'Waiting', 'Nothing waits. A ticket that is moved to In Progress has its job here.'],
	['ended', 'Ended', 'Nothing has ended yet.'],
];
const group_of = (j) => (j.state === 'running' ? 'running' : j.finished_at ? 'ended' : 'waiting');

// As the queue is worked off: what may run, by priority, then by age.
const order = {
	running: (a, b) => (a.claimed_at < b.claimed_at ? -1 : 1),
	waiting: (a, b) => Number(Boolean(a.blocked)) - Number(Boolean(b.blocked)) || b.priority - a.priority || a.number - b.number,
	ended: (a, b) => (a.finished_at < b.finished_at ? 1 : -1),
};

const until = (at) => (new Date(at) - Date.now()) / 1000;
const since = (at) => -until(at);

const has_failed = (j) => j.state === 'failed';
const states = {
	'': ['any state', () => true], running: ['running', (j) => j.state === 'running'], pending: ['waiting', (j) => j.state === 'pending' && !j.blocked],
	blocked: ['blocked', (j) => j.state === 'pending' && j.blocked], paused: ['paused', (j) => j.state === 'paused'], failed: ['failed', has_failed],
	completed: ['done', (j) => j.state === 'completed'], cancelled: ['stopped', (j) => j.state === 'cancelled'],
};

// What was filtered is still so when one comes back.
const filter = { project: '', text: '', state: '', kind: '', worker: '' };

export default function jobs([number], draw) {
	let all = [], day = [], projects = [];
	let job, attempts = []; // the one whose log is shown
	let log;
	const faults = new Map();
	let question = 0; // of two answers that overtook each other the later question counts

	async function load() {
		const mine = ++question;
		const of = filter.project ? { project: Number(filter.project) } : {};
		const one = number ? ask('job.show', { job: number }) : [];
		const [list, hours, names, [shown]] = await Promise.all([ask('ui.jobs', of), ask('ui.day', of), ask('project.list'), one]);
		if (mine !== question) return;
		[all, day, projects] = [list, hours, names];
		if (!shown) return;
		job = { ...shown, ...all.find((j) => j.id === shown.id) };
		attempts = shown.attempts;
		if (!log) {
			log = tail(job, draw);
			// what has its height from its lines is shown with them, so that nothing moves
			if (job.finished_at) await Promise.race([log.first, new Promise((done) => setTimeout(done, 1500))]);
		} else if (!job.finished_at) log.again();
	}
	async function changed(events) {
		if (!events.some((e) => ['job', 'attempt', 'project', 'ticket'].includes(e.noun))) return;
		await load();
		draw();
	}

	function kept(j) {
		const f = filter, text = f.text.toLowerCase();
		return states[f.state][1](j) && (!f.kind || j.kind === f.kind) && (!f.worker || j.worker === f.worker)
			&& (!text || [`#${j.ticket}`, String(j.number), j.title, j.worker, j.message, j.reason].some((s) => s?.toLowerCase().includes(text)));
	}

	async function act(j, verb, more = {}) {
		faults.delete(j.id);
		try {
			await tell(verb, { job: j.id, ...more });
			await load();
		} catch (e) {
			faults.set(j.id, e.message);
			if (e.status === undefined) throw e;
		}
		draw();
	}

	// --- the view ---

	function hours() {
		const of = new Map(day.map((h) => [h.hour, h]));
		return Array.from({ length: 24 }, (_, i) => {
			const at = new Date(Date.now() - (23 - i) * 3600e3).toISOString().slice(0, 13);
			return [Date.parse(`${at}:00:00Z`) / 1000, of.get(at) ?? {}];
		});
	}
	function chart(label, hours, parts, say) {
		const all = hours.reduce((n, [, h]) => n + parts.reduce((sum, [p]) => sum + (h[p] ?? 0), 0), 0);
		return html`<figure class="chart"><figcaption>${label} <strong>${say(all)}</strong></figcaption><tera-chart .data=${{ label, hours, parts, say }}></tera-chart></figure>`;
	}
	// half a job, as an axis may have it, is none
	const whole = (n, axis) => (axis && n % 1 ? '' : String(n));

	const when = {
		running: (j) => html`for ${span(since(j.claimed_at))}, lease ${until(j.lease_until) > 0 ? `${span(until(j.lease_until))} more` : 'over'}`,
		waiting: (j) => html`for ${span(since(j.created_at))}${j.run_after && until(j.run_after) > 0 ? `, not before ${span(until(j.run_after))}` : nothing}`,
		ended: (j) => html`${ago(j.finished_at)}${j.claimed_at ? `, took ${lasted((new Date(j.finished_at) - new Date(j.claimed_at)) / 1000)}` : nothing}`,
	};

	function acts(j) {
		const one = (word, verb) => html`<button class=${verb === 'job.cancel' ? 'danger quiet' : ''} aria-label="${word} job ${j.number}" @click=${() => act(j, verb)}>${word}</button>`;
		if (j.stop) return html`<span class="state pending">${j.stop === 'pause' ? 'pausing…' : 'stopping…'}</span>`;
		switch (j.state) {
		case 'running': return [one('Pause', 'job.pause'), one('Cancel', 'job.cancel')];
		case 'pending': return [one('Cancel', 'job.cancel')];
		case 'paused': return [one('Resume', 'job.retry'), one('Cancel', 'job.cancel')];
		case 'failed': case 'cancelled': return one('Retry', 'job.retry');
		}
		return nothing;
	}

	const priority = (j) => (j.finished_at || j.state === 'running' ? html`<span class="num">${j.priority}</span>` : html`
		<button class="quiet" aria-label="Lower the priority of job ${j.number}" @click=${() => act(j, 'job.set', { priority: j.priority - 1 })}>−</button>
		<span class="num">${j.priority}</span>
		<button class="quiet" aria-label="Raise the priority of job ${j.number}" @click=${() => act(j, 'job.set', { priority: j.priority + 1 })}>+</button>`);

	const row = (group) => (j) => html`<tr data-job=${j.number}>
		<td class="num"><a href="#/jobs/${j.number}" aria-label="Log of job ${j.number}" aria-current=${j.number === job?.number ? 'true' : nothing}>${j.number}</a></td>
		<td class="what"><a href="#/ticket/${j.ticket}" dir="auto">#${j.ticket} ${j.title}</a>
			<span class="hint">${j.kind === 'ticket' ? nothing : `${j.kind} · `}<a href="#/board/${j.project}" dir="auto">${j.project_name}</a></span>
			${faults.has(j.id) ? html`<p class="fault" role="alert">${faults.get(j.id)}</p>` : nothing}</td>
		<td>${state(j.state, j.state === 'pending' && j.blocked ? 'blocked' : undefined)} ${j.reason && j.reason !== 'ok' ? j.reason : nothing} ${j.verdict ? state(j.verdict) : nothing}
			${j.message ? html`<span class="hint" dir="auto">${j.message}</span>` : nothing}</td>
		<td class="mono">${j.worker ?? nothing}</td>
		<td class="hint time">${when[group](j)}</td>
		<td class="num" data-label="tries">${j.tries} of ${j.max_tries}</td>
		<td class="prio-cell" data-label="priority">${priority(j)}</td>
		<td class="num">${[j.turns ? plural(j.turns, 'turn') : 0, j.tokens ? count(j.tokens) : 0, j.cost_usd ? usd(j.cost_usd) : 0].filter(Boolean).join(' · ')}</td>
		<td><div class="acts">${acts(j)}</div></td></tr>`;

	function table([group, title, none]) {
		const mine = all.filter((j) => group_of(j) === group), list = mine.filter(kept).sort(order[group]);
		return html`<section class="jobs" aria-labelledby="h-${group}"><h2 id="h-${group}">${title} <span class="num">${list.length}${list.length < mine.length ? ` of ${mine.length}` : ''}${group === 'ended' && mine.length === 100 ? ', the last' : ''}</span></h2>
			${list.length ? html`<div class="scroll" tabindex="0" role="region" aria-label=${title}><table>
				<thead><tr><th>Job</th><th>Ticket</th><th>State</th><th>Worker</th><th>${group === 'ended' ? 'Ended' : 'Time'}</th><th>Tries</th><th>Priority</th><th>Used</th><th><span class="unseen">What to do</span></th></tr></thead>
				<tbody>${repeat(list, (j) => j.id, row(group))}</tbody></table></div>` : html`<p class="none">${mine.length ? 'None that fits the filter.' : none}</p>`}</section>`;
	}

	// Who works: each with what it has, and else with what it did last.
	function workers() {
		const of = new Map();
		for (const j of all) if (j.worker) of.set(j.worker, [...of.get(j.worker) ?? [], j]);
		return [...of].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, list]) => {
			const at = list.filter((j) => j.state === 'running'), done = list.filter((j) => j.finished_at).sort(order.ended);
			return html`<li><button class="quiet mono" aria-pressed=${filter.worker === name ? 'true' : 'false'} @click=${() => set('worker', filter.worker === name ? '' : name)}>${name}</button>
				${at.length ? at.map((j) => html`<span>${state('running', html`<span class="spin"></span>job ${j.number}`)} <a href="#/ticket/${j.ticket}" dir="auto">#${j.ticket} ${j.title}</a></span>`)
					: html`<span class="hint">idle${done.length ? html`, job ${done[0].number} ended ${ago(done[0].finished_at)}` : nothing}</span>`}
				${done.length ? html`<span class="hint">${plural(done.length, 'job')} done, ${done.filter(has_failed).length} failed</span>` : nothing}</li>`;
		});
	}

	function set(key, value) {
		filter[key] = value;
		if (key === 'project') load().then(draw, refused);
		draw();
	}
	const select = (key, label, options) => html`<select aria-label=${label} @change=${(e) => set(key, e.target.value)}>${options.map(([v, word]) =>
		html`<option value=${v} ?selected=${String(v) === filter[key]}>${word}</option>`)}</select>`;

	const one = () => html`<section class="jobs one ${job.finished_at ? '' : 'live'}" aria-labelledby="h-one">
		<div class="head"><h2 id="h-one">Job ${job.number}: <a href="#/ticket/${job.ticket_id}" dir="auto">${job.title ?? 'its ticket'}</a></h2>
			${state(job.state, job.state === 'pending' && job.blocked ? 'blocked' : undefined)} <div class="acts">${acts(job)}</div> <a href="#/jobs" aria-label="Close the log of job ${job.number}">Close</a></div>
		${job.message ? html`<p class="hint" dir="auto">${job.reason && job.reason !== 'ok' ? `${job.reason}: ` : nothing}${job.message}</p>` : nothing}
		${faults.has(job.id) ? html`<p class="fault" role="alert">${faults.get(job.id)}</p>` : nothing}
		${attempts.length ? html`<ul class="list">${attempts.map((a) => html`<li><strong>Attempt ${a.fence}</strong> <span class="mono">${a.worker}</span> ${state(a.outcome ?? 'running')}
			${a.reason && a.reason !== 'ok' ? a.reason : nothing} ${a.verdict ? state(a.verdict) : nothing} <span class="grow"></span>
			<span class="num">${[a.turns ? plural(a.turns, 'turn') : 0, a.cost_usd ? usd(a.cost_usd) : 0, a.ended_at ? lasted(seconds(a.started_at, a.ended_at)) : 0].filter(Boolean).join(' · ')}</span>
			<span class="hint">${ago(a.started_at)}</span></li>`)}</ul>` : nothing}
		${log.view()}</section>`;

	return {
		load, changed,
		close: () => log?.close(),
		kind: 'wide',
		title: () => (job ? `Job ${job.number}` : 'Jobs'),
		keys: [
			['/', 'Filter by words', () => document.getElementById('words')?.focus()],
			['x', 'Filter nothing', () => {
				const again = filter.project;
				for (const key in filter) filter[key] = '';
				if (again) load().then(draw, refused);
				draw();
			}],
		],
		view() {
			const h = hours(), who = workers();
			const kinds = [...new Set(all.map((j) => j.kind))].sort();
			return html`<div class="head tools"><h1>Jobs</h1>
				<input id="words" type="search" aria-label="Filter by words" placeholder="Filter" .value=${filter.text} @input=${(e) => set('text', e.target.value)} @keydown=${(e) => {
					if (e.key !== 'Escape') return;
					set('text', '');
					e.target.blur();
				}}>
				${select('state', 'State', Object.entries(states).map(([v, [word]]) => [v, word]))}
				${kinds.length > 1 || filter.kind ? select('kind', 'Kind', [['', 'any kind'], ...kinds.map((k) => [k, k])]) : nothing}
				${select('project', 'Project', [['', 'all projects'], ...projects.map((p) => [p.number, p.name])])}</div>
				${job ? one() : nothing}
				<div class="charts" role="group" tabindex="0" aria-label="The last day">
					${chart('Attempts', h, [['completed', 'good', 'done'], ['failed', 'bad'], ['other', 'dim']], whole)}
					${chart('Tests', h, [['pass', 'good'], ['fail', 'bad']], whole)}
					${chart('Tokens', h, [['tokens', 'accent']], count)}
					${chart('Cost', h, [['cost_usd', 'accent', 'cost']], usd)}</div>
				${who.length ? html`<section class="jobs" aria-labelledby="h-workers"><h2 id="h-workers">Workers <span class="num">${who.length}</span></h2><ul class="list workers">${who}</ul></section>` : nothing}
				${groups.map(table)}`;
		},
	};
}
