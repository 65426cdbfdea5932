// The last day as a chart: a bar an hour, of one or more parts on each other.
// uPlot draws it: 50 KB, a canvas, an axis that finds its own steps, and one
// cursor over all charts of a page.  It is loaded where a chart is.
//
//     <tera-chart .data=${{ label, hours, parts, say }}>
//
// hours: [[seconds, { part: number }], ...]; parts: [[name, colour, word],
// ...] with the name of a colour of style.css; say(number) is how one is written.
import uPlot from '../vendor/uplot.js';

const HEIGHT = 150; // pixels, as style.css has it

const style = new Promise((done) => {
	const link = document.createElement('link');
	link.rel = 'stylesheet';
	link.href = new URL('../vendor/uplot.css', import.meta.url);
	link.onload = link.onerror = done;
	document.head.append(link);
});
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const clock = (t) => new Date(t * 1000).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hour12: false });
const dark = matchMedia('(prefers-color-scheme: dark)');

class Chart extends HTMLElement {
	#plot; #data; #shown; #size; #again = () => this.#draw(true);

	set data(data) {
		this.#data = data;
		this.#draw();
	}
	connectedCallback() {
		this.#size = new ResizeObserver(() => this.#plot?.setSize({ width: this.clientWidth, height: HEIGHT }));
		this.#size.observe(this);
		dark.addEventListener('change', this.#again);
		style.then(() => this.#draw());
	}
	disconnectedCallback() {
		this.#size.disconnect();
		dark.removeEventListener('change', this.#again);
		this.#plot?.destroy();
		this.#plot = undefined;
	}

	#draw(anew) {
		if (!this.isConnected || !this.#data || !this.clientWidth) return;
		const { label, hours, parts, say } = this.#data;
		const sum = (h, upto = parts.length) => parts.slice(0, upto).reduce((n, [p]) => n + (h[p] ?? 0), 0);
		const all = hours.reduce((n, [, h]) => n + sum(h), 0), top = Math.max(...hours.map(([, h]) => sum(h)));
		this.setAttribute('role', 'img');
		this.setAttribute('aria-label', `${label} in the last day: ${say(all)}, at most ${say(top)} an hour`);
		// what is below is drawn over what it is a part of
		const order = parts.map((_, i) => i).reverse();
		const data = [hours.map(([t]) => t), ...order.map((i) => hours.map(([, h]) => sum(h, i + 1)))];
		// it is drawn each half minute, and when anything happens
		const now = JSON.stringify(data);
		if (!anew && this.#plot && now === this.#shown) return;
		this.#shown = now;
		if (this.#plot && !anew) return this.#plot.setData(data);
		this.#plot?.destroy();
		const axis = { stroke: colour('dim'), font: `11px ${getComputedStyle(this).fontFamily}`, ticks: { stroke: colour('line'), width: 1, size: 4 } };
		this.#plot = new uPlot({
			width: this.clientWidth, height: HEIGHT, padding: [8, 8, 0, 0],
			cursor: { sync: { key: 'day' }, y: false, drag: { x: false, y: false }, points: { show: false } },
			scales: {
				x: { range: (u, min, max) => [min - 1800, max + 1800] },
				y: { range: (u, min, max) => [0, max > 0 ? max : 1] },
			},
			axes: [
				{ ...axis, grid: { show: false }, incrs: [3, 6, 12].map((h) => h * 3600), space: 44, size: 26, values: (u, at) => at.map(clock) },
				{ ...axis, grid: { stroke: colour('line'), width: 1 }, space: 28, size: 46, values: (u, at) => at.map((n) => say(n, true)) },
			],
			series: [
				{ label: 'Hour', value: (u, t) => (t == null ? '' : clock(t)) },
				...order.map((i) => ({
					label: parts[i][2] ?? parts[i][0], fill: colour(parts[i][1]), stroke: colour(parts[i][1]), width: 0, points: { show: false },
					paths: uPlot.paths.bars({ size: [0.75, 30] }),
					value: (u, v, s, at) => (at == null ? '' : say(this.#data.hours[at]?.[1][parts[i][0]] ?? 0)),
				})),
			],
		}, data, this);
	}
}
customElements.define('tera-chart', Chart);
