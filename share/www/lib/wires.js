// Lines between the cards of a board: from what is waited for to what waits.
// Those of one card while the mouse or the keyboard is at it, or all.
export function wires(cards) {
	let all = false, id, asked = false;

	const place = (t, box) => {
		const at = t && document.querySelector(`[data-id="${CSS.escape(t.id)}"]`)?.getBoundingClientRect();
		return at && { left: at.left - box.left, right: at.right - box.left, y: at.top + 5 - box.top };
	};

	function pairs() {
		const by_number = new Map([...cards().values()].map((t) => [t.number, t]));
		const list = [];
		for (const t of cards().values())
			for (const n of t.needs ?? []) {
				const from = by_number.get(n);
				if (from && (all || t.id === id || from.id === id)) list.push([from, t]);
			}
		return list;
	}

	function path(from, to) {
		// in one column the line goes round its left side
		if (Math.abs(from.left - to.left) < 10)
			return `M${from.left},${from.y} C${from.left - 26},${from.y} ${to.left - 26},${to.y} ${to.left},${to.y}`;
		const right = from.left < to.left;
		const x1 = right ? from.right : from.left, x2 = right ? to.left : to.right, bend = right ? 40 : -40;
		return `M${x1},${from.y} C${x1 + bend},${from.y} ${x2 - bend},${to.y} ${x2},${to.y}`;
	}

	function paint() {
		asked = false;
		const svg = document.querySelector('svg.wires');
		if (!svg) return;
		const list = all || id ? pairs() : [];
		if (!list.length) return svg.replaceChildren();
		const box = svg.getBoundingClientRect();
		svg.replaceChildren(...list.flatMap(([from, to]) => {
			const a = place(from, box), b = place(to, box);
			if (!a || !b) return [];
			const line = document.createElementNS(svg.namespaceURI, 'path');
			line.setAttribute('d', path(a, b));
			line.setAttribute('class', from.column_id === 'done' ? 'met' : 'open');
			const end = document.createElementNS(svg.namespaceURI, 'circle');
			end.setAttribute('cx', Math.abs(a.left - b.left) < 10 || a.left < b.left ? b.left : b.right);
			end.setAttribute('cy', b.y);
			end.setAttribute('r', 3.5);
			return [line, end];
		}));
	}
	function draw() {
		if (asked) return;
		asked = true;
		requestAnimationFrame(paint);
	}
	addEventListener('scroll', draw, true);
	addEventListener('resize', draw);

	return {
		draw,
		all: () => all,
		at(now) {
			if (now === id) return;
			id = now;
			draw();
		},
		toggle() {
			all = !all;
			draw();
		},
		close() {
			removeEventListener('scroll', draw, true);
			removeEventListener('resize', draw);
		},
	};
}
