// The queue: what runs, what waits, what ended, and how the last day went.
import { ask, tell } from '../lib/api.js';
import { bars } from '../lib/bars.js';
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

export default function jobs(args, draw) {
	let all = [], day = [], projects = [], project = '';
	const faults = new Map();

	async function load() {
		const of = project ? { project: Number(project) } : {};
		[all, day, projects] = await Promise.all([ask('ui.jobs', of), ask('ui.day', of), ask('project.list')]);
	}
	async function changed(events) {
		if (!events.some((e) => ['job', 'attempt', 'project', 'ticket'].includes(e.noun))) return;
		await load();
		draw();
	}

	async function act(j, verb, more = {}) {
		faults.delete(j.id);
		try {
			await tell(verb, { job: j.id, ...more });
			await load();
		} catch (e) {
			faults.set(j.id, e.message);
			draw();
			if (e.status === undefined) throw e;
		}
		draw();
	}

	// --- the view ---

	function hours() {
		const of = new Map(day.map((h) => [h.hour, h]));
		return Array.from({ length: 24 }, (_, i) => {
			const at = new Date(Date.now() - (23 - i) * 3600e3).toISOString().slice(0, 13);
			return [new Date(`${at}:00Z`).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hour12: false }), of.get(at) ?? {}];
		});
	}

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
		<td class="num">${j.number}</td>
		<td class="what"><a href="#/ticket/${j.ticket}" dir="auto">#${j.ticket} ${j.title}</a>
			<span class="hint">${j.kind === 'ticket' ? nothing : `${j.kind} · `}<a href="#/board/${j.project}" dir="auto">${j.project_name}</a></span>
			${faults.has(j.id) ? html`<p class="fault" role="alert">${faults.get(j.id)}</p>` : nothing}</td>
		<td>${state(j.state, j.state === 'pending' && j.blocked ? 'blocked' : undefined)} ${j.reason && j.reason !== 'ok' ? j.reason : nothing} ${j.verdict ? state(j.verdict) : nothing}
			${j.message ? html`<span class="hint" dir="auto">${j.message}</span>` : nothing}</td>
		<td class="mono" data-word=${j.worker ? 'Worker' : nothing}>${j.worker ?? nothing}</td>
		<td class="hint time">${when[group](j)}</td>
		<td class="num" data-word="Tries">${j.tries} of ${j.max_tries}</td>
		<td class="prio-cell" data-word="Priority">${priority(j)}</td>
		<td class="num">${[j.turns ? plural(j.turns, 'turn') : 0, j.tokens ? count(j.tokens) : 0, j.cost_usd ? usd(j.cost_usd) : 0].filter(Boolean).join(' · ')}</td>
		<td><div class="acts">${acts(j)}</div></td></tr>`;

	function table([group, title, none]) {
		const list = all.filter((j) => group_of(j) === group).sort(order[group]);
		return html`<section class="jobs" aria-labelledby="h-${group}"><h2 id="h-${group}">${title} <span class="num">${list.length}${group === 'ended' && list.length === 100 ? ', the last' : ''}</span></h2>
			${list.length ? html`<div class="scroll" tabindex="0" role="region" aria-label=${title}><table>
				<thead><tr><th>Job</th><th>Ticket</th><th>State</th><th>Worker</th><th>${group === 'ended' ? 'Ended' : 'Time'}</th><th>Tries</th><th>Priority</th><th>Used</th><th><span class="unseen">What to do</span></th></tr></thead>
				<tbody>${repeat(list, (j) => j.id, row(group))}</tbody></table></div>` : html`<p class="none">${none}</p>`}</section>`;
	}

	return {
		load, changed,
		kind: 'wide',
		title: () => 'Jobs',
		keys: [],
		view() {
			const h = hours();
			return html`<div class="head"><h1>Jobs</h1>
				<select aria-label="Project" @change=${(e) => {
					project = e.target.value;
					load().then(draw, refused);
				}}><option value="">all projects</option>${projects.map((p) => html`<option value=${p.number} ?selected=${String(p.number) === project}>${p.name}</option>`)}</select></div>
				<div class="charts" role="group" aria-label="The last day">
					${bars('Attempts', h, [['completed', 'good'], ['failed', 'bad'], ['other', 'dim']], (n) => String(n))}
					${bars('Tests', h, [['pass', 'good'], ['fail', 'bad']], (n) => String(n))}
					${bars('Tokens', h, [['tokens', 'plain']], count)}
					${bars('Cost', h, [['cost_usd', 'plain']], usd)}</div>
				${groups.map(table)}`;
		},
	};
}
