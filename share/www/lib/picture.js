// What a node looks like, as SVG: on the canvas, and in a file.
import { HIGH, WIDE, label, type } from './graph.js';

export const font = 'system-ui, Segoe UI, Liberation Sans, DejaVu Sans, sans-serif';

const icons = {
	service: 'M8 1.5 14 5v6l-6 3.5L2 11V5z',
	database: 'M2 4c0-3.3 12-3.3 12 0v8c0 3.3-12 3.3-12 0zM2 4c0 3.3 12 3.3 12 0',
	cache: 'M9 1 3 9h4l-1 6 7-9H8z',
	queue: 'M1.5 3h3.2v10H1.5zM6.4 3h3.2v10H6.4zM11.3 3h3.2v10h-3.2z',
	api: 'M5 3 1 8l4 5M11 3l4 5-4 5',
	worker: 'M8 5a3 3 0 1 0 .01 0M8 1v2.5M8 12.5V15M1 8h2.5M12.5 8H15M3 3l1.8 1.8M11.2 11.2 13 13M13 3l-1.8 1.8M4.8 11.2 3 13',
	view: 'M1 8c3-6 11-6 14 0-3 6-11 6-14 0M8 6a2 2 0 1 0 .01 0',
	frontend: 'M1.5 2.5h13v11h-13zM1.5 6h13',
};

// The colours of the page, by their names in the style sheet.
export function colours() {
	const css = getComputedStyle(document.documentElement);
	return Object.fromEntries(['back', 'face', 'line', 'text', 'dim', 'accent', 'soft', 'good', 'bad', 'wait'].map((c) =>
		[c, css.getPropertyValue(`--${c}`).trim()]));
}

// Text for XML, which knows no control characters and no half of a pair.
export const escape = (s) => s.toWellFormed().replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '\ufffd')
	.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

let pen;
function width(text, size, weight) {
	pen ??= document.createElement('canvas').getContext('2d');
	pen.font = `${weight} ${size}px ${font}`;
	return pen.measureText(text).width;
}

// As many lines as there may be; what has no room is "…".
function lines_of(text, room, size, weight, most) {
	const fits = (s) => width(s, size, weight) <= room;
	const cut = (s) => {
		const all = [...s];
		let low = 0, high = all.length;
		while (low < high) {
			const middle = Math.ceil((low + high) / 2);
			if (fits(`${all.slice(0, middle).join('')}…`)) low = middle;
			else high = middle - 1;
		}
		return `${all.slice(0, low).join('')}…`;
	};
	const out = [];
	let rest = text.slice(0, 400).split(/\s+/).filter(Boolean);
	while (rest.length) {
		if (out.length === most - 1) {
			const last = rest.join(' ');
			out.push(fits(last) ? last : cut(last));
			break;
		}
		let n = 1;
		while (n < rest.length && fits(rest.slice(0, n + 1).join(' '))) n++;
		const line = rest.slice(0, n).join(' ');
		out.push(fits(line) ? line : cut(line));
		rest = rest.slice(n);
	}
	return out;
}

// What is in the box, from its top left corner.  facts: [[word, colour], ...]
// of its tickets, the first is the most important; notes: how many.
export function inside(n, id, { facts = [], notes = 0 }, c) {
	const kind = type(n), middle = WIDE / 2;
	const [word] = lines_of(kind, WIDE - 70, 11, 400, 1);
	const name = lines_of(label(n, id), WIDE - 20, 13, 600, 2);
	const first = name.length > 1 ? 34 : 41;
	const dot = width(' · ', 11, 400);
	let tail = '', room = WIDE - 14;
	facts.forEach(([text, colour], i) => {
		const weight = i ? 400 : 600;
		room -= width(text, 11, weight) + (i ? dot : 0);
		if (room < (i < facts.length - 1 ? dot * 2 : 0)) return;
		tail += `${i ? `<tspan fill="${c.dim}"> · </tspan>` : ''}<tspan fill="${c[colour]}" font-weight="${weight}">${escape(text)}</tspan>`;
	});
	if (room < 0) tail += `<tspan fill="${c.dim}"> …</tspan>`;
	return `<g font-family="${font}"><g transform="translate(9 7) scale(0.8)" fill="none" stroke="${c.accent}" stroke-width="1.5" stroke-linejoin="round" stroke-linecap="round"><path d="${icons[kind] ?? icons.service}"/></g>` +
		`<text x="27" y="17" font-size="11" fill="${c.dim}">${escape(word ?? '')}</text>` +
		(notes ? `<text x="${WIDE - 9}" y="17" font-size="11" text-anchor="end" fill="${c.dim}">${notes} ${notes === 1 ? 'note' : 'notes'}</text>` : '') +
		name.map((line, i) => `<text x="${middle}" y="${first + 16 * i}" font-size="13" font-weight="600" text-anchor="middle" fill="${c.text}">${escape(line)}</text>`).join('') +
		`<text x="${middle}" y="${HIGH - 7}" font-size="11" text-anchor="middle">${tail}</text></g>`;
}

const whole = (wide, high, box, content) =>
	`<svg xmlns="http://www.w3.org/2000/svg" width="${wide}" height="${high}" viewBox="${box}">${content}</svg>`;
export const address = (svg) => `data:image/svg+xml,${encodeURIComponent(svg).replace(/[()']/g, (c) => `%${c.charCodeAt(0).toString(16)}`)}`;
export const node_image = (content) => address(whole(WIDE, HIGH, `0 0 ${WIDE} ${HIGH}`, content));

// All of it as one file.  nodes: [{ at, content }], at least one; lines:
// [{ points, words, middle }] as the canvas draws them.
export function svg_of(title, nodes, lines, c) {
	const xs = [], ys = [];
	for (const { at } of nodes) {
		xs.push(at.x - WIDE / 2, at.x + WIDE / 2);
		ys.push(at.y - HIGH / 2, at.y + HIGH / 2);
	}
	for (const { points } of lines)
		for (const p of points) {
			xs.push(p.x);
			ys.push(p.y);
		}
	const pad = 24, r = (n) => Math.round(n * 10) / 10;
	const left = r(Math.min(...xs) - pad), up = r(Math.min(...ys) - pad);
	const wide = r(Math.max(...xs) + pad - left), high = r(Math.max(...ys) + pad - up);
	const way = ([a, ...rest]) => {
		const z = rest.pop();
		let d = `M${r(a.x)},${r(a.y)}`;
		if (!rest.length) return `${d} L${r(z.x)},${r(z.y)}`;
		rest.forEach((p, i) => {
			const q = rest[i + 1];
			const to = q ? { x: (p.x + q.x) / 2, y: (p.y + q.y) / 2 } : z;
			d += ` Q${r(p.x)},${r(p.y)} ${r(to.x)},${r(to.y)}`;
		});
		return d;
	};
	const edge = (e) => `<path d="${way(e.points)}" fill="none" stroke="${c.dim}" stroke-width="1.5" marker-end="url(#end)"/>`;
	const word = (e) => {
		const w = width(e.words, 11, 400) + 8;
		return `<rect x="${r(e.middle.x - w / 2)}" y="${r(e.middle.y - 8)}" width="${r(w)}" height="16" rx="3" fill="${c.back}"/>` +
			`<text x="${r(e.middle.x)}" y="${r(e.middle.y + 4)}" font-size="11" text-anchor="middle" font-family="${font}" fill="${c.text}">${escape(e.words)}</text>`;
	};
	const node = ({ at, content }) => `<g transform="translate(${r(at.x - WIDE / 2)} ${r(at.y - HIGH / 2)})">` +
		`<rect width="${WIDE}" height="${HIGH}" rx="6" fill="${c.face}" stroke="${c.line}" stroke-width="1.5"/>${content}</g>`;
	return {
		wide, high,
		text: whole(wide, high, `${left} ${up} ${wide} ${high}`, `<title>${escape(title)}</title>` +
			`<defs><marker id="end" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 10 5 0 10z" fill="${c.dim}"/></marker></defs>` +
			`<rect x="${left}" y="${up}" width="${wide}" height="${high}" fill="${c.back}"/>` +
			lines.map(edge).join('') + nodes.map(node).join('') + lines.filter((e) => e.words).map(word).join('')),
	};
}

// The same as a PNG, twice as large unless that is more than browsers paint.
export async function png_of({ text, wide, high }) {
	const image = new Image();
	image.src = address(text);
	await image.decode();
	const scale = Math.min(2, 8000 / wide, 8000 / high);
	const sheet = document.createElement('canvas');
	sheet.width = Math.ceil(wide * scale);
	sheet.height = Math.ceil(high * scale);
	sheet.getContext('2d').drawImage(image, 0, 0, sheet.width, sheet.height);
	return new Promise((done) => sheet.toBlob(done, 'image/png'));
}
