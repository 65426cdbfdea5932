// A small chart: 24 bars, an hour each, of one or more parts on each other.
// What it shows is also said: in a sentence, and in the title of each bar.
import { html, svg } from './ui.js';

const W = 240, H = 56, GAP = 2;

// hours: [[word, { part: number }], ...]; parts: [[name, class], ...]
export function bars(title, hours, parts, say) {
	const sum = (h) => parts.reduce((n, [p]) => n + (h[p] ?? 0), 0);
	const top = Math.max(...hours.map(([, h]) => sum(h)), 1e-9);
	const all = hours.reduce((n, [, h]) => n + sum(h), 0);
	const width = W / hours.length;
	return html`<figure class="bars"><figcaption>${title} <strong>${say(all)}</strong></figcaption>
		<svg viewBox="0 0 ${W} ${H}" preserveAspectRatio="none" role="img" aria-label="${title} in the last day: ${say(all)}, at most ${say(all ? top : 0)} an hour">
			${hours.map(([word, h], i) => {
				let y = H;
				return svg`<g><title>${word}: ${say(sum(h))}</title><rect class="slot" x=${i * width} y="0" width=${width} height=${H}></rect>${parts.map(([p, kind]) => {
					const tall = ((h[p] ?? 0) / top) * (H - 2);
					y -= tall;
					return tall ? svg`<rect class=${kind} x=${i * width + GAP / 2} y=${y} width=${width - GAP} height=${tall}></rect>` : null;
				})}</g>`;
			})}</svg></figure>`;
}
