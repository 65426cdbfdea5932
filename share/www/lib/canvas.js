// The sheet that a graph is drawn on: cytoscape, and what it has not, a handle
// by which an edge is pulled out of a node.
//
// Ids here have their kind in front, "n…" a node and "e…" an edge: so are those
// that are selected.  When a person does something it calls
//     selected(Set)          what is selected now
//     moved(Map id -> {x,y}) nodes were dragged there
//     connect(from, to, at)  pulled from a node to another; or to undefined,
//                            where there is none, at that place
//     open(id)               pressed twice; or open(undefined, at), on the sheet
//
// Content-Security-Policy: all of it is drawn on <canvas> and what little style
// it sets it sets by CSSOM, which is allowed; nodes are pictures of data:, which
// are, too.  One thing would be refused, a <style> that says "position:
// relative" of its element: it makes none where something has the id of that.
import cytoscape from '../vendor/cytoscape.js';
import { HIGH, WIDE, from, to, words } from './graph.js';
import { colours, font, inside, node_image, svg_of } from './picture.js';

const STYLE_ID = '__________cytoscape_stylesheet';
const svg_ns = 'http://www.w3.org/2000/svg';

const style = (c) => [
	{ selector: 'node', style: {
		shape: 'round-rectangle', width: WIDE, height: HIGH, 'corner-radius': 6, 'background-color': c.face, 'border-color': c.line, 'border-width': 1.5,
		'background-image': 'data(picture)', 'background-width': WIDE, 'background-height': HIGH, 'background-image-crossorigin': 'null',
		'overlay-opacity': 0,
	} },
	{ selector: 'edge', style: {
		'curve-style': 'bezier', 'control-point-step-size': 44, width: 1.5, 'line-color': c.dim, 'target-arrow-shape': 'triangle', 'target-arrow-color': c.dim, 'arrow-scale': 1,
		label: 'data(words)', 'font-family': font, 'font-size': 11, color: c.text, 'text-background-color': c.back, 'text-background-opacity': 1, 'text-background-padding': 3, 'text-background-shape': 'roundrectangle',
		'text-wrap': 'ellipsis', 'text-max-width': 200, 'overlay-opacity': 0, 'loop-direction': '0deg', 'loop-sweep': '-60deg',
	} },
	{ selector: 'edge:loop', style: { 'control-point-step-size': 64 } },
	{ selector: 'node:selected, node.over', style: { 'border-color': c.accent, 'border-width': 3, 'background-color': c.soft } },
	{ selector: 'edge:selected', style: { width: 3, 'line-color': c.accent, 'target-arrow-color': c.accent, color: c.accent, 'font-weight': 600 } },
	{ selector: 'core', style: { 'active-bg-opacity': 0, 'selection-box-color': c.accent, 'selection-box-opacity': 0.15, 'selection-box-border-color': c.accent, 'selection-box-border-width': 1 } },
];

export function canvas(told) {
	const box = document.createElement('div');
	const sheet = document.createElement('div');
	const band = document.createElementNS(svg_ns, 'svg');
	const handle = document.createElement('button');
	box.id = STYLE_ID;
	box.className = 'canvas';
	sheet.className = 'sheet';
	band.setAttribute('class', 'band');
	band.setAttribute('aria-hidden', 'true');
	handle.className = 'handle';
	handle.textContent = '→';
	handle.tabIndex = -1;
	handle.hidden = true;
	handle.title = 'Drag to another component to connect';
	handle.setAttribute('aria-label', 'Connect to another component');
	box.append(sheet, band, handle);

	let cy, c = colours(), quiet = 0, graph, facts, at, fitted = false;
	// What is done to it by us is not what a person does.
	const by_us = (f) => {
		quiet++;
		try {
			return f();
		} finally {
			quiet--;
		}
	};

	function make() {
		cy = cytoscape({ container: sheet, style: style(c), minZoom: 0.1, maxZoom: 3, boxSelectionEnabled: true, selectionType: 'single' });
		let soon = false;
		cy.on('select unselect', () => {
			if (quiet || soon) return;
			soon = true;
			queueMicrotask(() => {
				soon = false;
				told.selected(new Set(cy.$(':selected').map((e) => e.id())));
			});
		});
		let dropped;
		cy.on('dragfree', 'node', (e) => {
			if (!dropped) {
				dropped = new Map();
				queueMicrotask(() => {
					told.moved(dropped);
					dropped = undefined;
				});
			}
			dropped.set(e.target.id().slice(1), { ...e.target.position() });
		});
		cy.on('dbltap', (e) => {
			if (e.target === cy) told.open(undefined, e.position);
			else told.open(e.target.id());
		});
		cy.on('mouseover', 'node', (e) => hover(e.target.id()));
		cy.on('mouseout', 'node', () => leave());
		cy.on('pan zoom position resize', grip);
		cy.on('tapstart', () => sheet.focus({ preventScroll: true }));
	}

	// --- the handle ---

	let hovered, leaving, pull;
	function hover(id) {
		clearTimeout(leaving);
		hovered = id;
		grip();
	}
	function leave() {
		clearTimeout(leaving);
		leaving = setTimeout(() => {
			hovered = undefined;
			grip();
		}, 500);
	}
	function grip() {
		const chosen = cy.$('node:selected');
		const node = pull ? cy.getElementById(pull.id) : hovered ? cy.getElementById(hovered) : chosen.length === 1 ? chosen : undefined;
		handle.hidden = !node?.length;
		if (handle.hidden) return;
		const p = node.renderedPosition(), half = (WIDE / 2) * cy.zoom();
		handle.style.left = `${p.x + half}px`;
		handle.style.top = `${p.y}px`;
		handle.dataset.of = node.id();
	}
	const in_sheet = (e) => {
		const r = sheet.getBoundingClientRect();
		return { x: e.clientX - r.left, y: e.clientY - r.top };
	};
	const in_graph = (p) => ({ x: (p.x - cy.pan().x) / cy.zoom(), y: (p.y - cy.pan().y) / cy.zoom() });
	const node_at = (p) => cy.nodes().toArray().reverse().find((n) => {
		const q = n.position();
		return Math.abs(q.x - p.x) <= WIDE / 2 && Math.abs(q.y - p.y) <= HIGH / 2;
	});
	function end_pull() {
		pull = undefined;
		band.replaceChildren();
		cy.nodes('.over').removeClass('over');
		grip();
	}
	handle.addEventListener('pointerenter', () => clearTimeout(leaving));
	handle.addEventListener('pointerleave', () => pull || leave());
	handle.addEventListener('pointerdown', (e) => {
		if (e.button) return;
		e.preventDefault();
		handle.setPointerCapture(e.pointerId);
		pull = { id: handle.dataset.of, start: in_sheet(e), far: false };
	});
	handle.addEventListener('pointermove', (e) => {
		if (!pull) return;
		const p = in_sheet(e);
		pull.far ||= Math.hypot(p.x - pull.start.x, p.y - pull.start.y) > 12;
		const over = node_at(in_graph(p));
		cy.nodes('.over').removeClass('over');
		if (over && over.id() !== pull.id) over.addClass('over');
		const line = band.firstChild ?? band.appendChild(document.createElementNS(svg_ns, 'line'));
		line.setAttribute('x1', pull.start.x);
		line.setAttribute('y1', pull.start.y);
		line.setAttribute('x2', p.x);
		line.setAttribute('y2', p.y);
	});
	handle.addEventListener('pointerup', (e) => {
		if (!pull) return;
		const { id, far } = pull, place = in_graph(in_sheet(e)), over = node_at(place);
		end_pull();
		if (!far) told.connect(id.slice(1));
		else if (over?.id() !== id) told.connect(id.slice(1), over?.id().slice(1), place);
	});
	handle.addEventListener('pointercancel', end_pull);
	const escape = (e) => e.key === 'Escape' && pull && end_pull();
	addEventListener('keydown', escape);

	// --- what is shown ---

	function paint(selected) {
		const known = new Set();
		cy.batch(() => {
			for (const [key, n] of graph.nodes) {
				const id = `n${key}`, picture = node_image(inside(n, key, facts(key), c)), p = at.get(key);
				known.add(id);
				const el = cy.getElementById(id);
				if (!el.length) cy.add({ group: 'nodes', data: { id, picture }, position: { ...p } });
				else {
					if (el.data('picture') !== picture) el.data('picture', picture);
					if (!el.grabbed() && (el.position('x') !== p.x || el.position('y') !== p.y)) el.position({ ...p });
				}
			}
			for (const [key, e] of graph.edges) {
				// one that leads nowhere cannot be drawn; the list has it
				if (!graph.nodes.has(from(e)) || !graph.nodes.has(to(e))) continue;
				const id = `e${key}`, source = `n${from(e)}`, target = `n${to(e)}`;
				known.add(id);
				let el = cy.getElementById(id);
				if (el.length && (el.data('source') !== source || el.data('target') !== target)) {
					el.remove();
					el = cy.collection();
				}
				if (!el.length) cy.add({ group: 'edges', data: { id, source, target, words: words(e) } });
				else if (el.data('words') !== words(e)) el.data('words', words(e));
			}
			cy.elements().forEach((el) => {
				if (!known.has(el.id())) el.remove();
				else if (el.selected() !== selected.has(el.id())) selected.has(el.id()) ? el.select() : el.unselect();
			});
		});
	}

	// Whole, but not larger than it is; smaller than can be read only when asked.
	function fit(least = 0.1) {
		if (!cy?.nodes().length) return;
		cy.fit(cy.elements(), 30);
		if (cy.zoom() > 1 || cy.zoom() < least) {
			cy.zoom(Math.min(1, Math.max(least, cy.zoom())));
			cy.center();
		}
	}

	const sight = new ResizeObserver(() => {
		if (!cy || !sheet.clientWidth) return;
		cy.resize();
		if (!fitted && cy.nodes().length) {
			fitted = true;
			fit(0.4);
		}
	});
	sight.observe(sheet);

	return {
		box, sheet,
		show(now) {
			({ graph, facts, at } = now);
			by_us(() => {
				if (!cy) make();
				paint(now.selected);
			});
			if (!fitted && sheet.clientWidth && cy.nodes().length) {
				fitted = true;
				cy.resize();
				fit(0.4);
			}
			grip();
		},
		recolour(selected) {
			c = colours();
			cy?.style(style(c));
			if (cy) by_us(() => paint(selected));
		},
		fit,
		zoom(by) {
			cy.zoom({ level: cy.zoom() * by, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } });
		},
		pan: (x, y) => cy.panBy({ x, y }),
		middle: () => in_graph({ x: cy.width() / 2, y: cy.height() / 2 }),
		// Into sight, if it is not.
		reveal(ids) {
			const all = cy.collection(ids.map((id) => cy.getElementById(id)).filter((e) => e.length).flatMap((e) => e.toArray()));
			if (!all.length) return;
			const b = all.renderedBoundingBox(), room = 8;
			if (b.w > cy.width() || b.h > cy.height()) return void cy.fit(all, 30);
			const shift = (low, high, size) => (low < room ? room - low : high > size - room ? size - room - high : 0);
			cy.panBy({ x: shift(b.x1, b.x2, cy.width()), y: shift(b.y1, b.y2, cy.height()) });
		},
		svg(title) {
			const nodes = [...graph.nodes].map(([key, n]) => ({ at: at.get(key), content: inside(n, key, facts(key), c) }));
			// boxes on each other leave an edge no way: it is not drawn, there or here
			const drawn = (p) => Number.isFinite(p?.x) && Number.isFinite(p?.y);
			const lines = cy.edges().map((e) => ({
				points: [e.sourceEndpoint(), ...(e.controlPoints() ?? []), e.targetEndpoint()], middle: e.midpoint(), words: e.data('words'),
			})).filter((e) => drawn(e.middle) && e.points.every(drawn));
			return svg_of(title, nodes, lines, c);
		},
		close() {
			sight.disconnect();
			removeEventListener('keydown', escape);
			clearTimeout(leaving);
			cy?.destroy();
			box.remove();
		},
	};
}
