// Pull requests: what was proved, what was said, and a person's word.
import { request } from './api.js';
import { ago, comment_text, form, html, nothing, prose, refused, repeat, say, state, sure } from './ui.js';

const post = (p, what, body = {}) => request('POST', `api/pulls/${p.id}/${what}`, body);

// queues a review job, which changes the branch and answers
export const comment = (p, path, line) => form({
	title: line ? `${path}, line ${line}` : 'Ask for changes', action: 'Send',
	intro: 'A review job is queued: an agent changes the branch and answers.',
	fields: [{ name: 'body', label: 'What should be different', kind: 'area', rows: 5, required: true, focus: true }],
	submit: ({ body }) => post(p, line ? 'comments' : 'changes', line ? { body, path, line } : { body }),
});
export const merge = (p) => form({
	title: `Merge pull request ${p.number}`, action: 'Merge',
	intro: `${p.head_branch} into ${p.base_branch}. The ticket is done then.`,
	fields: [{ name: 'method', label: 'How', kind: 'select', value: 'merge', options: [['merge', 'a merge commit'], ['squash', 'squashed to one commit'], ['rebase', 'rebased']] }],
	submit: ({ method }) => post(p, 'merge', { method }),
});
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
	<button @click=${() => comment(p)}>Ask for changes</button>
	<button class="danger quiet" @click=${() => close(p)}>Close</button></div>` : nothing);

// Those of a ticket.
export function pull_part(pulls, draw) {
	const current = () => pulls().findLast((p) => p.state === 'open');

	const one = (p) => html`<div class="pull">
		<p class="facts"><strong>${name(p)}</strong> ${facts(p)}</p>
		${p.body ? html`<details><summary>Text</summary>${prose(p.body, draw)}</details>` : nothing}
		${talk(p, draw)} ${acts(p)}</div>`;

	return {
		comment: (path, line) => comment(current(), path, line),
		view: () => (pulls().length ? html`<section aria-labelledby="h-pull"><h2 id="h-pull">${pulls().length > 1 ? 'Pull requests' : 'Pull request'}</h2>${repeat(pulls(), (p) => p.id, one)}</section>` : nothing),
	};
}
