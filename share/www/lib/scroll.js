// A long list of which only what is visible is in the document: 10,000 lines of
// a log scroll like ten.
//
// long_list(redraw) gives an object; its view(items, height, line, label) is
// HTML: height(item) in pixels is known beforehand, line(item) draws one.  It
// stays at the end while it is there, as a log that goes on should; with more,
// a function, it begins at its top instead, and more() is called near its end.  A
// short one that stays at its end is a part of the page, and does not scroll by
// itself.
import { html, repeat } from './ui.js';

const MORE = 400; // pixels above and below what is visible
const SHORT = 40; // lines

export function long_list(redraw, more) {
	let top = 0, room = 600, at_end = !more, box_id, moved = 0;

	function scrolled(e) {
		const box = e.currentTarget;
		const rest = box.scrollHeight - box.scrollTop - box.clientHeight;
		const end = !more && rest <= 4;
		if (more && rest < 2 * box.clientHeight) more();
		if (Math.abs(box.scrollTop - top) < 40 && end === at_end && room === box.clientHeight) return;
		top = box.scrollTop;
		room = box.clientHeight;
		at_end = end;
		redraw();
	}

	return {
		// somebody looks at something: it stays where it is
		hold() {
			top = document.getElementById(box_id)?.scrollTop ?? 0;
			at_end = false;
		},
		// so much was put before all: who reads further down is not moved
		put_before(pixels) {
			if (top <= 0) return;
			top += pixels;
			moved += pixels;
		},
		to_top() {
			top = moved = 0;
			const box = document.getElementById(box_id);
			if (box) box.scrollTop = 0;
		},
		view(items, height, line, label, id) {
			const shown = [];
			box_id = id;
			let y = 0, before = 0;
			if (!more && items.length <= SHORT)
				return html`<div class="long whole" id=${id} role="log" aria-live="off" aria-label=${label}>${repeat(items, (i) => i.key, line)}</div>`;
			const total = items.reduce((sum, i) => sum + height(i), 0);
			const from = at_end ? Math.max(0, total - room) : top;
			// at its end it begins with a whole line
			let spare = 0;
			if (at_end) {
				for (const item of items) {
					if (spare >= from) break;
					spare += height(item);
				}
				spare -= from;
			}
			for (const item of items) {
				const h = height(item);
				if (y + h < from - MORE) before = y + h;
				else if (y <= from + room + MORE) shown.push(item);
				y += h;
			}
			const after = total - before - shown.reduce((sum, i) => sum + height(i), 0);
			queueMicrotask(() => {
				const box = document.getElementById(id);
				if (box && moved) box.scrollTop += moved;
				moved = 0;
				if (!box || !at_end) return;
				box.scrollTop = box.scrollHeight;
				if (room !== box.clientHeight) {
					room = box.clientHeight;
					redraw();
				}
			});
			return html`<div class="long" id=${id} tabindex="0" role="log" aria-live="off" aria-label=${label} @scroll=${scrolled}>
				<div .style=${`height:${before}px`}></div>
				${repeat(shown, (i) => i.key, line)}
				<div .style=${`height:${Math.max(0, after) + spare}px`}></div></div>`;
		},
	};
}
