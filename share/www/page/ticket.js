// A ticket: what is wanted, what was done about it, and what people say.
import { ask, request, tell } from '../lib/api.js';
import { diff_view } from '../lib/diff.js';
import { pull_part } from '../lib/pull.js';
import { run_part } from '../lib/run.js';
import * as ticket from '../lib/ticket.js';
import { ago, html, nothing, prose, refused, repeat, state, usd } from '../lib/ui.js';

export default function ticket_page([number], draw) {
	let t, card, project, board, graph, jobs = [], attempts = new Map(), comments = [], needs = [], wanted_by = [], pulls = [];
	let diff, side = false; // diff: undefined not asked for, a list, or an Error
	let fault;
	const run = run_part(number, draw);

	let question = 0; // of two answers that overtook each other the later question counts

	async function load() {
		const mine = ++question;
		const [now] = await ask('ticket.show', { ticket: number });
		const of = { ticket: now.id }, project_of = { project: now.project_id };
		const all = await Promise.all([
			ask('project.show', project_of), ask('board.show', project_of), ask('graph.show', project_of),
			ticket.cards(now.project_id, [now.id]), ask('comment.list', of), ask('dependency.list', project_of),
			load_pulls(of), load_jobs(of), run.load(),
		]);
		if (mine !== question) return;
		t = now;
		let deps;
		[[project], [board], [graph], [card], comments, deps, pulls, [jobs, attempts]] = all;
		needs = deps.filter((d) => d.ticket_id === t.id);
		wanted_by = deps.filter((d) => d.needs_id === t.id);
		if (Array.isArray(diff)) await load_diff();
	}
	// with what was said on each
	async function load_pulls(of) {
		const list = await ask('pr.list', of);
		return Promise.all(list.map(async (p) => (await ask('pr.show', { pr: p.id }))[0]));
	}
	async function load_jobs(of) {
		const list = await ask('job.list', of);
		const tried = await Promise.all(list.map((j) => ask('attempt.list', { job: j.id })));
		return [list, new Map(list.map((j, i) => [j.id, tried[i]]))];
	}

	async function changed(events) {
		const mine = events.filter((e) => e.ticket_id === t.id || jobs.some((j) => j.id === e.job_id));
		const nouns = new Set(mine.map((e) => e.noun));
		// what it waits for, or what waits for it
		const near = events.some((e) => e.noun === 'ticket' && [...needs, ...wanted_by].some((d) => [d.needs_id, d.ticket_id].includes(e.ticket_id)));
		const around = events.some((e) => e.project_id === t.project_id && ['project', 'board', 'graph'].includes(e.noun));
		if (nouns.has('log')) await run.more();
		if (near || around || [...nouns].some((n) => n !== 'log')) await load();
		draw();
	}

	async function load_diff() {
		const pr = pulls.findLast((p) => p.state === 'open');
		const path = pr ? `api/pulls/${pr.id}/diff` : `api/projects/${t.project_id}/tickets/${t.id}/diff`;
		try {
			diff = JSON.parse(await request('GET', path));
		} catch (e) {
			if (e.away || e.status === undefined) throw e;
			diff = e;
		}
		draw();
	}

	// --- what is done ---

	async function act(what) {
		fault = undefined;
		try {
			await ticket.act(what, card);
			await load();
		} catch (e) {
			fault = e.message;
			draw();
			if (e.status === undefined) throw e;
			if (e.conflict) await load().catch(refused);
		}
		draw();
	}
	async function move(e) {
		const select = e.target;
		fault = undefined;
		try {
			await ticket.move(t, select.value);
		} catch (x) {
			fault = x.message;
			select.value = t.column_id;
		}
		draw();
	}
	const edit = () => ticket.edit(t, graph);
	const remove = () => ticket.remove(t).then(() => (location.hash = `#/board/${project.number}`), refused);
	const free = (d) => tell('dependency.remove', { ticket: d.ticket_id, needs: d.needs_id }).catch(refused);

	async function comment(e) {
		e.preventDefault();
		const box = e.currentTarget.elements.body;
		if (!box.value.trim()) return;
		try {
			await request('POST', `api/projects/${t.project_id}/tickets/${t.id}/comments`, { body: box.value }).catch((x) => {
				// a server without that route
				if (x.status !== 404) throw x;
				return tell('comment.add', { ticket: t.id, body: box.value });
			});
			box.value = '';
		} catch (x) {
			refused(x);
		}
	}

	// --- the view ---

	function links() {
		const { node, edge } = ticket.names(graph);
		const nodes = t.associated_node_ids, edges = t.associated_edge_ids;
		if (nodes.includes('*') || edges.includes('*')) return html`<li class="node">the whole graph</li>`;
		const all = [...nodes.map((id) => node.get(String(id)) ?? `${id} (gone)`), ...edges.map((id) => edge.get(String(id)) ?? `${id} (gone)`)];
		return all.length ? all.map((word) => html`<li class="node" dir="auto">${word}</li>`) : html`<li class="hint">none</li>`;
	}

	const other = (d, n, id) => html`<li><a href="#/ticket/${n}">#${n}</a> ${id !== t.id ? nothing : d.met ? state('completed') : state('pending', 'not done')}
		<button class="quiet" aria-label="${id === t.id ? `No longer wait for ticket ${n}` : `Ticket ${n} no longer waits for this`}" @click=${() => free(d)}>×</button></li>`;

	const cost = () => [...attempts.values()].flat().reduce((sum, a) => sum + (a.cost_usd ?? 0), 0);

	const facts = () => html`<aside class="side" aria-label="About the ticket"><dl>
		<dt><label for="column">Column</label></dt>
		<dd><select id="column" .value=${t.column_id} @change=${move}>${board.columns.map((c) => html`<option value=${c.id} ?selected=${c.id === t.column_id}>${c.title}</option>`)}
			${board.columns.some((c) => c.id === t.column_id) ? nothing : html`<option value=${t.column_id} selected>${t.column_id}</option>`}</select></dd>
		<dt>State</dt><dd>${state(card?.job && ticket.live(card.job) ? card.job.state : t.status === 'failed' ? 'failed' : '', card?.job && ticket.live(card.job)
			? (card.job.state === 'running' ? 'running' : t.blocked ? 'blocked' : 'waiting') : t.status.replaceAll('_', ' '))}</dd>
		<dt>Priority</dt><dd><span class="prio ${t.priority}">${t.priority}</span></dd>
		<dt>Cost</dt><dd class="num">${usd(cost())}</dd>
		<dt>Concerns</dt><dd><ul class="nodes">${links()}</ul></dd>
		<dt>Waits for</dt><dd><ul class="deps">${needs.map((d) => other(d, d.needs, t.id))}</ul>
			<button class="quiet" @click=${() => ticket.wait_for(t)}>Add</button></dd>
		${wanted_by.length ? html`<dt>Wait for it</dt><dd><ul class="deps">${wanted_by.map((d) => other(d, d.ticket, d.ticket_id))}</ul></dd>` : nothing}
		<dt>Created</dt><dd>${ago(t.created_at)}</dd>
		<dt>Changed</dt><dd>${ago(t.updated_at)}</dd></dl></aside>`;

	const conversation = () => html`<section aria-labelledby="h-comments"><h2 id="h-comments">Comments</h2>
		<ul class="comments">${repeat(comments, (c) => c.id, (c) => html`<li class="said"><p class="who">${c.author ?? 'somebody'} · ${ago(c.created_at)}</p>${prose(c.body, draw)}</li>`)}</ul>
		<form class="write" @submit=${comment}><label for="comment" class="unseen">Comment</label>
			<textarea id="comment" name="body" rows="2" dir="auto" placeholder="Comment, in Markdown" @keydown=${(e) => {
				if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) e.currentTarget.form.requestSubmit();
			}}></textarea><button>Comment</button></form></section>`;

	const changes = () => html`<section aria-labelledby="h-diff"><h2 id="h-diff">Changes</h2>
		${diff === undefined ? html`<button @click=${() => load_diff().catch(refused)}>Show the diff</button>`
			: diff instanceof Error ? html`<p class="fault">${diff.message}</p>`
				: !diff.length ? html`<p class="none">The branch changes nothing.</p>`
					: diff_view({
						files: diff, side, set_side: (on) => { side = on; draw(); },
						comments: pulls.flatMap((p) => p.comments),
						comment: pulls.some((p) => p.state === 'open') ? pulls_part.comment : undefined,
						writing: pulls_part.writing(), draw,
					})}</section>`;

	const pulls_part = pull_part(() => pulls, draw);

	function view() {
		const acts = t.deleted_at || !card ? [] : ticket.acts(card);
		return html`<article class="ticket">
			<header class="head"><h1 dir="auto"><span class="number">#${t.number}</span> ${t.title}</h1>
				${acts.map((what) => html`<button class=${what === 'stop' ? 'danger' : 'main'} @click=${() => act(what)}>${ticket.act_words[what]}</button>`)}
				${t.deleted_at ? html`<button class="main" @click=${() => tell('ticket.restore', { ticket: t.id }).catch(refused)}>Restore</button>`
					: html`<button @click=${edit}>Edit</button><button class="danger quiet" @click=${remove}>Remove</button>`}</header>
			${t.deleted_at ? html`<p class="fault">This ticket was removed.</p>` : nothing}
			${fault ? html`<p class="fault" role="alert" dir="auto">${fault}</p>` : nothing}
			<div class="two"><div>
				<section class="wish" aria-label="Description">${t.description ? prose(t.description, draw)
					: html`<p class="none">No description. An agent has only the title: <button class="quiet" @click=${edit}>write one</button></p>`}
					${t.acceptance ? html`<h2>Acceptance criteria</h2>${prose(t.acceptance, draw)}` : nothing}</section>
				${pulls_part.view()}
				${run.view(jobs, attempts)}
				${jobs.length || pulls.length ? changes() : nothing}
				${conversation()}
			</div>${facts()}</div></article>`;
	}

	return {
		load, changed, view,
		title: () => (t ? `#${t.number} ${t.title}` : ''),
		project: () => project?.number,
		keys: [
			['e', 'Edit', () => edit()],
			['r', 'Run, or Retry', () => ['run', 'retry', 'resume'].filter((w) => ticket.acts(card).includes(w)).forEach(act)],
			['b', 'To the board', () => (location.hash = `#/board/${project.number}`)],
			['w', 'Write a comment', () => document.getElementById('comment')?.focus()],
		],
	};
}
