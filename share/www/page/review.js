// Pull requests that wait for a person, of all projects; and one of them, with
// all that one wants to see before a word is given.
import { ask, request } from '../lib/api.js';
import { diff_view } from '../lib/diff.js';
import * as pull from '../lib/pull.js';
import { ago, empty, html, nothing, plural, prose, refused, repeat, state } from '../lib/ui.js';

const which_words = [['open', 'open'], ['merged', 'merged'], ['closed', 'closed']];

// What was chosen is still so when one comes back from a ticket.
const kept = { which: 'open', project: '', side: false };

export default function review([number], draw) {
	let all = [], projects = [];
	let p, mine; // the one that is looked at, and what the list says of it
	let seen, diff; // what git says of it: undefined not yet, or an Error
	let head; // the head and base that these are of
	let question = 0; // of two answers that overtook each other the later question counts

	const lines = pull.line_part(() => p, draw);

	async function load() {
		const now = ++question;
		const [list, names, [one], [item]] = await Promise.all([
			ask('ui.pulls', { state: kept.which, ...(kept.project ? { project: Number(kept.project) } : {}) }), ask('project.list'),
			number ? ask('pr.show', { pr: number }) : [], number ? ask('ui.pulls', { pr: number }) : [],
		]);
		if (now !== question) return;
		[all, projects, p, mine] = [list, names, one, item];
		look();
	}
	async function changed(events) {
		if (!events.some((e) => ['pr', 'pr_comment', 'project'].includes(e.noun) || (e.noun === 'job' && e.what !== 'changed'))) return;
		await load();
		draw();
	}

	// git takes its time: the page is there before.  To have seen the diff is
	// what makes a merge possible.
	function look() {
		if (!p) return;
		const now = `${p.head_oid} ${p.merged_oid}`;
		if (now === head) return;
		head = now;
		const get = (path, take) => request('GET', path).then((text) => take(JSON.parse(text)), take).then(draw);
		const still = (take) => (got) => head === now && take(got);
		get(`api/projects/${p.project_id}/tickets/${p.ticket_id}/review`, still((got) => (seen = got.pr === p.id || got instanceof Error ? got : {})));
		get(`api/pulls/${p.id}/diff`, still((got) => (diff = got)));
	}
	function again() {
		head = seen = diff = undefined;
		look();
		draw();
	}

	// Those that a person can go on with are first.
	const waits = (x) => x.state === 'open' && !x.job;
	const order = (a, b) => Number(waits(b)) - Number(waits(a)) || (kept.which === 'open' ? a.number - b.number : b.number - a.number);
	const list = () => [...all].sort(order);

	function step(by) {
		const now = list(), at = now.findIndex((x) => x.id === p?.id);
		const to = now[at < 0 ? 0 : at + by];
		if (to) location.hash = `#/review/${to.number}`;
	}

	// --- the view ---

	function word(x) {
		if (x.state !== 'open') return state(x.state);
		if (x.job) return state(x.job.state, { running: 'an agent answers', pending: 'waits for an agent', paused: 'its job is paused' }[x.job.state]);
		return x.approved_by ? state('pass', `approved by ${x.approved_by}`) : state('review', 'waits for you');
	}

	const item = (x) => html`<li><a href="#/review/${x.number}" aria-current=${x.id === p?.id ? 'true' : nothing}>
		<span class="title" dir="auto"><span class="number">${x.number}</span> ${x.title}</span>
		<span class="facts">${word(x)} ${x.verdict ? state(x.verdict) : state('', 'no tests ran')}</span>
		<span class="facts hint"><span dir="auto">${x.project_name}</span> ${x.forge === 'local' ? nothing : html`<span>on ${x.forge}</span>`} ${ago(x.updated_at)}</span></a></li>`;

	const fault = (e) => html`<p class="fault" role="alert">${e.message}</p><button @click=${again}>Try again</button>`;

	function git() {
		if (!seen) return html`<p class="loading">Asking git…</p>`;
		if (seen instanceof Error) return fault(seen);
		const { commits = [], test_files = [] } = seen;
		return html`${commits.length ? html`<h2>${plural(commits.length, 'commit')}</h2><ul class="list">${commits.map((c) => html`<li>
				<code>${c.sha}</code> <span class="grow" dir="auto">${c.message}</span> <span class="hint">${c.author} · ${ago(c.created_at)}</span></li>`)}</ul>` : nothing}
			${test_files.length ? html`<h2>${plural(test_files.length, 'test file')}</h2><ul class="list">${test_files.map((f) => html`<li>
				<span class="mono">${f.path}</span> <span class="hint" dir="auto">${f.test_names.join(', ')}</span></li>`)}</ul>` : nothing}`;
	}
	function changes() {
		if (!diff) return html`<p class="loading">Asking git…</p>`;
		if (diff instanceof Error) return seen instanceof Error ? nothing : fault(diff); // git has said it once
		if (!diff.length) return html`<p class="none">The branch changes nothing.</p>`;
		return diff_view({
			files: diff, side: kept.side, set_side: side, comments: p.comments,
			comment: pull.ours(p) ? lines.comment : undefined, writing: lines.writing(), draw,
		});
	}
	function side(on) {
		kept.side = on;
		draw();
	}

	const proof = () => (p.verify ? html`<p class="facts">${state(p.verify.verdict)} <code>${p.verify.command}</code>${p.verify.attempts > 1 ? html` <span class="hint">at the ${p.verify.attempts}th try</span>` : nothing}</p>
		${p.verify.output ? html`<details><summary>Output</summary><pre tabindex="0" dir="auto">${p.verify.output}</pre></details>` : nothing}`
		: html`<p class="none">No tests ran: nothing proves this work. A project's verify_command does.</p>`);

	const one = () => html`<article class="ticket pull" aria-labelledby="h-pr">
		<p class="back"><a href="#/review">All pull requests</a></p>
		<header class="head"><h1 id="h-pr" dir="auto"><span class="number">${p.number}</span> ${p.title}</h1></header>
		<p class="facts">${word(mine)} ${p.forge === 'local' ? nothing : html`<span>${pull.name(p)}</span>`}
			<a href="#/ticket/${mine.ticket}">Ticket ${mine.ticket}</a> <a href="#/board/${mine.project}" dir="auto">${mine.project_name}</a>
			<span class="mono">${p.head_branch} → ${p.base_branch}</span></p>
		${p.state === 'open' && p.forge !== 'local' ? html`<p class="hint">It lives on ${p.forge}: it is approved and merged there.</p>` : pull.acts(p)}
		<section aria-label="Summary"><h2>Summary</h2>${seen?.summary || p.body ? prose(seen?.summary || p.body, draw) : html`<p class="none">No text.</p>`}</section>
		<section aria-label="Proof"><h2>Tests</h2>${proof()}</section>
		<section aria-label="Conversation"><h2>Conversation</h2>${p.comments.length ? pull.talk(p, draw)
			: html`<p class="none">Nobody has said anything. A number of a line in the changes is a place to say something.</p>`}</section>
		<section aria-label="Changes"><h2>Changes</h2><button class="quiet again" @click=${again}>Look again</button>${changes()}</section>
		<section aria-label="Commits">${git()}</section></article>`;

	const none = {
		open: 'No pull request waits. A job that ends well opens one; its ticket is in In Review then.',
		merged: 'None was merged yet.', closed: 'None was closed without a merge.',
	};
	const pick = (name) => (e) => {
		kept[name] = e.target.value;
		load().then(draw, refused);
	};

	return {
		load, changed,
		kind: 'wide',
		title: () => (p ? `Review: ${p.title}` : 'Review'),
		keys: [
			['j', 'The next pull request', () => step(1)],
			['k', 'The one before', () => step(-1)],
			['a', 'Approve', () => p && pull.ours(p) && pull.approve(p)],
			['c', 'Ask for changes', () => p && pull.ours(p) && pull.changes(p)],
			['m', 'Merge', () => p && pull.ours(p) && pull.merge(p)],
			['s', 'Unified, or side by side', () => side(!kept.side)],
		],
		view: () => html`<div class="review ${number ? 'chosen' : ''}"><section class="pulls" aria-label="Pull requests">
			<div class="head tools">${p ? html`<h2>Review</h2>` : html`<h1>Review</h1>`}
				<select aria-label="State" @change=${pick('which')}>${which_words.map(([v, w]) => html`<option value=${v} ?selected=${v === kept.which}>${w}</option>`)}</select>
				<select aria-label="Project" @change=${pick('project')}><option value="">all projects</option>${projects.map((x) =>
					html`<option value=${x.number} ?selected=${String(x.number) === kept.project}>${x.name}</option>`)}</select></div>
			${all.length ? html`<ul>${repeat(list(), (x) => x.id, item)}</ul>` : empty(none[kept.which], html`<a href="#/">To the projects</a>`)}</section>
			${p ? one() : all.length ? html`<p class="none choose">Choose one, or press j.</p>` : nothing}</div>`,
	};
}
