// Pull requests: what was proved, what was said, and a person's word.
import { request } from './api.js';
import { ago, comment_text, form, html, nothing, prose, refused, repeat, say, state, sure } from './ui.js';

const post = (p, what, body = {}) => request('POST', `api/pulls/${p.id}/${what}`, body);

// A merge cannot be undone, so wherever its button is, one is asked first.
export const merge = (p) => form({
	title: `Merge pull request ${p.number}`, action: 'Merge',
	intro: `${p.head_branch ? `${p.head_branch} into ${p.base_branch}. ` : ''}It cannot be undone, and the ticket is done then.`,
	fields: [{ name: 'method', label: 'How', kind: 'select', value: 'merge', options: [['merge', 'a merge commit'], ['squash', 'squashed to one commit'], ['rebase', 'rebased']] }],
	submit: ({ method }) => post(p, 'merge', { method }),
});

// Both queue a review job, which changes the branch and answers.
const queued = 'A review job is queued: an agent changes the branch and answers.';
export const changes = (p) => form({
	title: 'Ask for changes', action: 'Send', intro: queued,
	fields: [{ name: 'body', label: 'What should be different', kind: 'area', rows: 5, required: true, focus: true }],
	submit: ({ body }) => post(p, 'changes', { body }),
});
// Comments on lines of the diff of pull(): what diff_view wants for them.
export function line_part(pull, draw) {
	// On a line: below it, as one reads the code meanwhile.
	let at, fault, busy = false; // { path, line } that is written on
	function comment(path, line) {
		at = { path, line };
		fault = undefined;
		draw();
		requestAnimationFrame(() => requestAnimationFrame(() => document.getElementById('line-comment')?.focus()));
	}
	function leave() {
		if (!at) return;
		const { path, line } = at;
		at = undefined;
		draw();
		document.querySelector(`[aria-label="${CSS.escape(`Comment on line ${line} of ${path}`)}"]`)?.focus();
	}
	async function send(e) {
		e.preventDefault();
		const box = e.currentTarget.elements.body;
		if (busy) return;
		if (!box.value.trim()) {
			fault = 'What should be different is not said.';
			box.focus();
			return draw();
		}
		busy = true;
		draw();
		try {
			await post(pull(), 'comments', { body: box.value, ...at });
			box.value = '';
			leave();
		} catch (x) {
			fault = x.message;
			if (x.status === undefined) throw x;
		} finally {
			busy = false;
			draw();
		}
	}
	const line_form = () => html`<form class="write" @submit=${send} @input=${() => { if (fault) { fault = undefined; draw(); } }}
			@keydown=${(e) => {
				if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) e.currentTarget.requestSubmit();
				else if (e.key === 'Escape' && !e.currentTarget.elements.body.value) leave();
			}}>
		<label for="line-comment">What should be different in line ${at.line}</label>
		<textarea id="line-comment" name="body" rows="3" dir="auto" aria-describedby="line-hint"></textarea>
		<p class="hint" id="line-hint">${queued}</p>
		${fault ? html`<p class="fault" role="alert" dir="auto">${fault}</p>` : nothing}
		<div class="acts"><button class="main" ?disabled=${busy}>Send</button><button type="button" class="quiet" @click=${leave}>Cancel</button></div></form>`;

	return { comment, writing: () => at && { ...at, form: line_form() } };
}

export const approve = (p) => post(p, 'approve').then(() => say(`Pull request ${p.number} is approved.`), refused);
export const close = (p) => sure(`Close pull request ${p.number}`, 'It ends without a merge. The branch stays.', 'Close it', () => post(p, 'close'));

// What lives on a forge is decided there.
export const ours = (p) => p.state === 'open' && p.forge === 'local';

export const name = (p) => (p.forge === 'local' ? `Pull request ${p.number}`
	: html`<a href=${/^https?:/.test(p.pr_url) ? p.pr_url : '#'} rel="noopener noreferrer" target="_blank">Pull request #${p.pr_number ?? '?'}</a> on ${p.forge}`);

export const facts = (p) => html`${state(p.state, p.state === 'open' && p.approved_by ? `approved by ${p.approved_by}` : p.state)}
	${p.verify ? html`${state(p.verify.verdict)} <code>${p.verify.command}</code>` : html`<span class="state">no tests ran</span>`}
	<span class="mono" title=${p.head_branch}>${p.head_branch.length > 17 ? `${p.head_branch.slice(0, 16)}…` : p.head_branch} → ${p.base_branch}</span>`;

export const talk = (p, draw) => html`<ul class="comments">${repeat(p.comments, (c) => c.id, (c) => html`<li class="said ${c.bot ? 'bot' : ''}">
	<p class="who">${c.author ?? (c.bot ? 'the agent' : 'somebody')} · ${ago(c.created_at)}${c.path ? html` · <span class="mono">${c.path}${c.line ? `:${c.line}` : ''}</span>` : nothing}
		${c.bot ? nothing : c.addressed_at ? state('completed', 'answered') : state('pending', 'waits for an answer')}</p>${prose(comment_text(c), draw)}</li>`)}</ul>`;

export const acts = (p) => (ours(p) ? html`<div class="acts">
	${p.approved_by ? nothing : html`<button @click=${() => approve(p)}>Approve</button>`}
	<button class=${p.approved_by ? 'main' : ''} @click=${() => merge(p)}>Merge</button>
	<button @click=${() => changes(p)}>Ask for changes</button>
	<button class="danger quiet" @click=${() => close(p)}>Close</button></div>` : nothing);

// Those of a ticket.
export function pull_part(pulls, draw) {
	const current = () => pulls().findLast((p) => p.state === 'open');
	const lines = line_part(current, draw);

	const one = (p) => html`<div class="pull">
		<p class="facts"><strong>${name(p)}</strong> ${facts(p)}</p>
		${p.body ? html`<details><summary>Text</summary>${prose(p.body, draw)}</details>` : nothing}
		${talk(p, draw)} ${acts(p)}</div>`;

	return {
		comment: lines.comment,
		writing: lines.writing,
		view: () => (pulls().length ? html`<section aria-labelledby="h-pull"><h2 id="h-pull">${pulls().length > 1 ? 'Pull requests' : 'Pull request'}</h2>${repeat(pulls(), (p) => p.id, one)}</section>` : nothing),
	};
}
