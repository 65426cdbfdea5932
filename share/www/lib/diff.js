// A diff as tera-diff(1) gives it, a file an object: unified, or side by side;
// with what people said on its lines, and a place to say more: comment(path,
// line) is called for a line, and where writing is { path, line, form } the form
// stands below it.  draw() is called when the Markdown of comments can be drawn.
import { comment_text, html, nothing, plural, prose } from './ui.js';

// Lines of a file beyond which it is folded up at first.
const LONG = 400;

export function diff_view({ files, side, comments = [], comment, writing, set_side, draw = () => {} }) {
	const add = files.reduce((n, f) => n + f.additions, 0), del = files.reduce((n, f) => n + f.deletions, 0);
	return html`<div class="diff-head"><span>${plural(files.length, 'file')} <span class="plus">+${add}</span> <span class="minus">−${del}</span></span>
		<span class="grow"></span>
		<span class="pair" role="group" aria-label="How the diff is shown"><button aria-pressed=${side ? 'false' : 'true'} @click=${() => set_side(false)}>Unified</button>
		<button aria-pressed=${side ? 'true' : 'false'} @click=${() => set_side(true)}>Side by side</button></span></div>
		${files.map((f) => file(f, side, comments.filter((c) => c.path === f.path),
			{ comment, draw, writing: writing?.path === f.path ? writing : undefined }))}`;
}

function file(f, side, comments, way) {
	const lines = f.hunks.reduce((n, h) => n + h.lines.length, 0);
	const name = f.old_path && f.old_path !== f.path ? `${f.old_path} → ${f.path}` : f.path;
	const whole = comments.filter((c) => !c.line);
	return html`<details class="file" ?open=${lines <= LONG}>
		<summary><span class="mono" dir="ltr">${name}</span> ${f.status === 'modified' ? nothing : html`<span class="state">${f.status}</span>`}
			<span class="plus">+${f.additions}</span> <span class="minus">−${f.deletions}</span></summary>
		${whole.map((c) => said(c, way))}
		${f.binary ? html`<p class="none">A binary file.</p>` : nothing}
		<div class="scroll" tabindex="0" role="region" aria-label="Changes of ${f.path}"><table class=${side ? 'diff side' : 'diff'}>
			<colgroup>${side ? html`<col class="n"><col><col class="n"><col>` : html`<col class="n"><col class="n"><col>`}</colgroup>
			${f.hunks.map((h) => html`<tbody><tr class="hunk"><td colspan=${side ? 4 : 3}>${h.header}</td></tr>
				${side ? pairs(h.lines).map(([a, b]) => row_side(f, a, b, comments, way)) : h.lines.map((l) => row(f, l, comments, way))}</tbody>`)}
		</table></div>
		${f.truncated ? html`<p class="none">The rest is too long to be shown here.</p>` : nothing}</details>`;
}

const kinds = { '+': 'plus', '-': 'minus', ' ': '', '\\': 'note' };

// A comment is on a line of the new file.
const on = (comments, l) => (l?.new ? comments.filter((c) => c.line === l.new) : []);
const said = (c, way) => html`<div class="said"><p class="who">${c.author ?? 'somebody'}${c.bot ? ' (agent)' : nothing}</p>${prose(comment_text(c), way.draw)}</div>`;
const below = (comments, l, span, way) => {
	const list = on(comments, l), form = l?.new && way.writing?.line === l.new ? way.writing.form : nothing;
	return list.length || form !== nothing ? html`<tr class="talk"><td colspan=${span}>${list.map((c) => said(c, way))}${form}</td></tr>` : nothing;
};
const number = (f, l, way) => (l?.new && way.comment
	? html`<td class="n"><button class="quiet" aria-label="Comment on line ${l.new} of ${f.path}" title="Comment" @click=${() => way.comment(f.path, l.new)}>${l.new}</button></td>`
	: html`<td class="n">${l?.new ?? nothing}</td>`);
// The mark is no part of the text: it moves no tab stop and is not copied.
const code = (l, kind) => html`<td class="code ${kind}" data-sign=${l && l.kind !== ' ' ? l.kind : nothing}>${l?.text ?? nothing}</td>`;

const row = (f, l, comments, way) => html`<tr class=${kinds[l.kind] ?? ''}><td class="n">${l.old ?? nothing}</td>${number(f, l, way)}${code(l, '')}</tr>${below(comments, l, 3, way)}`;

const row_side = (f, a, b, comments, way) => html`<tr><td class="n">${a?.old ?? nothing}</td>${code(a, a ? kinds[a.kind] : 'gap')}${number(f, b, way)}${code(b, b ? kinds[b.kind] : 'gap')}</tr>${below(comments, b, 4, way)}`;

// What went beside what came in its place.
function pairs(lines) {
	const out = [];
	let gone = [], come = [];
	const flush = () => {
		for (let i = 0; i < Math.max(gone.length, come.length); i++) out.push([gone[i], come[i]]);
		gone = [];
		come = [];
	};
	for (const l of lines) {
		if (l.kind === '-') gone.push(l);
		else if (l.kind === '+') come.push(l);
		else {
			flush();
			out.push([l, l]);
		}
	}
	flush();
	return out;
}
