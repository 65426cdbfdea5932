// What pages are drawn with.
//
// lit-html, because it is the whole of what a page needs and no more: a page is
// a function from what it knows to HTML, and what did not change is not
// touched, so the focus, a scroll position and half a typed word stay.  Text in
// ${...} is text, never HTML.  It is 7 KB, its files are modules as a browser
// takes them, and there is no virtual tree to pay for with 1,000 cards.
// (preact would need an import map, which the Content-Security-Policy forbids.)
import { html, nothing, render, svg } from '../vendor/lit-html/lit-html.js';
import { repeat } from '../vendor/lit-html/directives/repeat.js';

export { html, nothing, render, repeat, svg };

// --- words ---

const minute = 60, hour = 3600, day = 86400;

// How long: "7 s", "5 min", "3 h", "12 d".
export function span(seconds) {
	if (seconds < minute) return `${Math.max(0, Math.floor(seconds))} s`;
	if (seconds < hour) return `${Math.floor(seconds / minute)} min`;
	if (seconds < 2 * day) return `${Math.floor(seconds / hour)} h`;
	return `${Math.floor(seconds / day)} d`;
}
// How long something took: "340 ms", "1.9 s", "5 min".
export const lasted = (seconds) => (seconds < 1 ? `${Math.round(seconds * 1000)} ms` : seconds < minute ? `${seconds.toFixed(1)} s` : span(seconds));
export function ago(at) {
	if (!at) return nothing;
	const t = new Date(at), seconds = (Date.now() - t) / 1000;
	return html`<time datetime=${at} title=${t.toLocaleString()}>${seconds < 5 ? 'just now' : `${span(seconds)} ago`}</time>`;
}
export const usd = (n) => (n >= 100 ? `$${n.toFixed(0)}` : `$${n.toFixed(2)}`);
export function count(n) {
	if (n < 1000) return String(n);
	if (n < 1e6) return `${(n / 1000).toFixed(n < 1e4 ? 1 : 0)}k`;
	return `${(n / 1e6).toFixed(1)}M`;
}
export const plural = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;

// --- telling ---

// A line at the foot of the page: what was done, with a way back where there is
// one; what went wrong stays until it is put away.
export function say(text, { bad = false, act, label } = {}) {
	const box = document.getElementById('say');
	const line = document.createElement('div');
	const away = () => {
		render(nothing, line);
		line.remove();
	};
	line.className = bad ? 'line bad' : 'line';
	if (bad) line.setAttribute('role', 'alert');
	render(html`<span>${text}</span>
		${act ? html`<button @click=${() => { away(); act(); }}>${label}</button>` : nothing}
		<button class="quiet" aria-label="Put away" @click=${away}>×</button>`, line);
	box.append(line);
	while (box.children.length > 4) box.firstChild.remove();
	if (!bad) setTimeout(away, act ? 12000 : 5000);
}

// What a refusal of the server is to a person, at the foot of the page.
export function refused(e) {
	if (e.name === 'AbortError') return;
	say(e.message, { bad: true });
	if (e.status === undefined) throw e; // a fault of ours: the console has it
}

// For eyes that do not see: what the keyboard just did.
export function announce(text) {
	let box = document.getElementById('announce');
	if (!box) {
		box = document.createElement('div');
		box.id = 'announce';
		box.className = 'unseen';
		box.setAttribute('aria-live', 'assertive');
		document.body.append(box);
	}
	box.textContent = text;
}

// --- asking ---

let ids = 0;

// A box over the page; body(close) gives its HTML.  It ends with what close()
// is given, or with undefined when it is left by Escape.  What had the focus
// has it again.
export function dialog(title, body, kind = '') {
	return new Promise((done) => {
		const from = document.activeElement;
		const box = document.createElement('dialog');
		const id = `dialog-${++ids}`;
		let result;
		const close = (value) => {
			result = value;
			box.close();
		};
		box.className = kind;
		box.setAttribute('aria-labelledby', id);
		box.addEventListener('close', () => {
			box.remove();
			from?.isConnected && from.focus();
			done(result);
		});
		const draw = () => render(html`<header><h2 id=${id}>${title}</h2>
			<button class="quiet" aria-label="Close" @click=${() => close()}>×</button></header>
			${body(close, draw)}`, box);
		draw();
		document.body.append(box);
		box.showModal();
		(box.querySelector('[autofocus], main input, main textarea, main select') ?? box.querySelector('footer button'))?.focus();
	});
}

/*
 * A form in such a box.  fields: a list of
 *   { name, label, kind, value, ... } with kind
 *     text (the default), number, area, check;
 *     select with options [[value, word], ...]; many, likewise, of which any
 *     number can be had: its value is a list
 *   or HTML that stands between them.
 * Also hint (a sentence below), required, max (characters), rows, half (two
 * beside each other) and shown(values): is it there at all?
 * submit(values) does it; what it refuses is said in the box, and nothing that
 * was typed is lost.  An empty field is null.  The answer is what submit gave.
 */
export function form({ title, intro, fields, action, danger, submit }) {
	let fault, busy = false;
	const inputs = fields.filter((f) => f.name);
	const now = Object.fromEntries(inputs.map((f) => [f.name, f.value ?? (f.kind === 'many' ? [] : f.kind === 'check' ? false : '')]));

	const read = (element) => {
		const data = new FormData(element), values = {};
		for (const f of inputs) {
			if (f.kind === 'many') values[f.name] = data.getAll(f.name);
			else if (f.kind === 'check') values[f.name] = data.has(f.name);
			else {
				const text = data.get(f.name);
				if (text === null) continue; // it is not shown
				if (text.trim() === '') values[f.name] = null;
				else values[f.name] = f.kind === 'number' ? Number(text) : text.replace(/\r\n/g, '\n');
			}
		}
		return values;
	};
	const body = (close, draw) => html`<form method="dialog" novalidate
		@input=${(e) => { fault = undefined; Object.assign(now, read(e.currentTarget)); draw(); }}
		@submit=${async (e) => {
			e.preventDefault();
			if (busy) return;
			const element = e.currentTarget;
			const wrong = [...element.elements].find((i) => i.willValidate && !i.validity.valid);
			if (wrong) {
				fault = `${wrong.labels?.[0]?.textContent.trim() ?? wrong.name}: ${wrong.validationMessage}`;
				wrong.focus();
				return draw();
			}
			busy = true;
			fault = undefined;
			draw();
			try {
				close((await submit(read(element))) ?? true);
			} catch (x) {
				fault = x.message;
				busy = false;
				draw();
				if (x.status === undefined) throw x;
			}
		}}
		@keydown=${(e) => {
			if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) e.currentTarget.requestSubmit();
		}}>
		<main>
			${intro ? html`<p>${intro}</p>` : nothing}
			${fields.map((f) => (f.name ? (f.shown && !f.shown(now) ? nothing : field(f)) : f))}
		</main>
		<footer>
			<p class="fault" role="alert">${fault ?? nothing}</p>
			<button type="button" class="quiet" @click=${() => close()}>Cancel</button>
			<button class=${danger ? 'danger' : 'main'} ?disabled=${busy}>${action}</button>
		</footer></form>`;
	return dialog(title, body);
}

function field(f) {
	const id = `field-${f.name}`;
	const hint = f.hint ? html`<p class="hint" id="${id}-hint">${f.hint}</p>` : nothing;
	const hinted = f.hint ? `${id}-hint` : nothing;
	if (f.kind === 'check')
		return html`<div class="field check"><label><input type="checkbox" name=${f.name} ?checked=${f.value}> ${f.label}</label>${hint}</div>`;
	if (f.kind === 'many') {
		const has = new Set(f.value ?? []);
		return html`<fieldset class="field"><legend>${f.label}</legend>${hint}
			<div class="many">${f.options.length ? f.options.map(([value, word]) =>
				html`<label><input type="checkbox" name=${f.name} value=${value} ?checked=${has.has(value)}> <span dir="auto">${word}</span></label>`)
				: html`<p class="hint">${f.empty}</p>`}</div></fieldset>`;
	}
	let input;
	if (f.kind === 'area')
		input = html`<textarea id=${id} name=${f.name} rows=${f.rows ?? 6} dir="auto" aria-describedby=${hinted}
			?required=${f.required} ?autofocus=${f.focus} .defaultValue=${f.value ?? ''}></textarea>`;
	else if (f.kind === 'select')
		input = html`<select id=${id} name=${f.name} aria-describedby=${hinted}>${f.options.map(([value, word]) =>
			html`<option value=${value} ?selected=${value === f.value}>${word}</option>`)}</select>`;
	else
		input = html`<input id=${id} name=${f.name} type=${f.kind === 'number' ? 'number' : 'text'} step="any" min=${f.min ?? nothing}
			value=${f.value ?? ''} dir="auto" autocomplete="off" maxlength=${f.max ?? nothing} aria-describedby=${hinted}
			?required=${f.required} ?autofocus=${f.focus} spellcheck=${f.code ? 'false' : nothing}>`;
	return html`<div class="field ${f.half ? 'half' : ''}"><label for=${id}>${f.label}</label>${input}${hint}</div>`;
}

// Yes or no, for what cannot be taken back.
export const sure = (title, text, action, submit) => form({ title, intro: text, fields: [], action, danger: true, submit });

// --- pieces ---

const words = {
	pending: 'waiting', running: 'running', completed: 'done', failed: 'failed', cancelled: 'stopped', paused: 'paused',
	pass: 'tests pass', fail: 'tests fail', error: 'tests could not run', unknown: 'tests did not end',
};
// A state, as a word in its colour.
export const state = (word, text = words[word] ?? word) => html`<span class="state ${word}">${text}</span>`;

export const empty = (text, ...actions) => html`<div class="empty"><p>${text}</p>${actions}</div>`;

// A comment without the mark by which an agent knows its own.
export const comment_text = (c) => c.body.replace(/\s*<!-- terarchitect-bot -->\s*/g, '');

// Text in Markdown; the two scripts for it come when the first is shown.
let markdown;
export function prose(text, redraw) {
	if (!text) return nothing;
	if (markdown) return html`<div class="prose" dir="auto">${markdown(text)}</div>`;
	import('./md.js').then((m) => {
		markdown = m.markdown;
		redraw();
	});
	return html`<div class="prose plain" dir="auto">${text}</div>`;
}
