// A long list of which only what is visible is in the document: 10,000 lines of
// a log scroll like ten.
//
// long_list(redraw) gives an object; its view(items, height, line, label) is
// HTML: height(item) in pixels is known beforehand, line(item) draws one.  It
// stays at the end while it is there, as a log that goes on should; with more,
// a function, it begins at its top instead, and more() is called near its end.
import { html, repeat } from './ui.js';

const MORE = 400; // pixels above and below what is visible

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
			const total = items.reduce((sum, i) => sum + height(i), 0);
			const from = at_end ? Math.max(0, total - room) : top;
			for (const item of items) {
				const h = height(item);
				if (y + h < from - MORE) before = y + h;
				else if (y <= from + room + MORE) shown.push(item);
				y += h;
			}
			const after = total - before - shown.reduce((sum, i) => sum + height(i), 0);
			queueMicrotask(() => {
				const box = document.getElementById(id);
				if (box && at_end) box.scrollTop = box.scrollHeight;
				if (box && moved) box.scrollTop += moved;
				moved = 0;
			});
			return html`<div class="long" id=${id} tabindex="0" role="log" aria-live="off" aria-label=${label} @scroll=${scrolled}>
				<div .style=${`height:${before}px`}></div>
				${repeat(shown, (i) => i.key, line)}
				<div .style=${`height:${Math.max(0, after)}px`}></div></div>`;
		},
	};
}
