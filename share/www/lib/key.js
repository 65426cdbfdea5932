// The keyboard.  keys() names the list that counts now; each is
// [key, what it does, function]; "g p" are two keys one after the other.
// Typing in a field is typing.
import { dialog, html } from './ui.js';

let lists = () => [];
let first = '';

export function keys(now) {
	lists = now;
}

const typing = (e) => e.target.closest?.('input, textarea, select, [contenteditable], dialog');

addEventListener('keydown', (e) => {
	if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || typing(e)) return;
	const all = lists().flatMap(([, list]) => list);
	const press = first ? `${first} ${e.key}` : e.key;
	first = '';
	const found = all.find(([key]) => key === press);
	if (found) {
		e.preventDefault();
		found[2]?.(e);
	} else if (all.some(([key]) => key.startsWith(`${press} `))) {
		first = press;
		setTimeout(() => (first = ''), 1500);
	}
});

export function sheet() {
	return dialog('Keyboard', (close) => html`<main class="keys">${lists().map(([title, list]) => html`<section>
		<h3>${title}</h3>
		<dl>${list.map(([key, what]) => html`<div><dt>${key.split(' ').map((k) => html`<kbd>${k}</kbd>`)}</dt><dd>${what}</dd></div>`)}</dl>
	</section>`)}</main><footer><button class="main" @click=${() => close()}>Close</button></footer>`);
}
