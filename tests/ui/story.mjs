// How stories are told: what every file of them starts with.
import { report } from './world.mjs';

// w is the world of the file; ONLY=WORD in the environment picks stories.
export const teller = (w) => async (name, tell) => {
	if (process.env.ONLY && !name.includes(process.env.ONLY)) return;
	console.log(`# ${name}`);
	try {
		await tell();
	} catch (e) {
		report(false, `${name}: to its end`, e.stack);
	}
	for (const fault of w.faults.splice(0)) report(false, `${name}: the browser has nothing to say`, fault);
};

export const text = (page, selector) => page.locator(selector).allInnerTexts();
export const card = (page, number) => page.locator(`.card[data-number="${number}"]`);
export const in_column = (page, number) => card(page, number).evaluate((c) => c.closest('.column').dataset.column);
export const button = (page, name) => page.getByRole('button', { name, exact: true });
export const fill = (page, label, value) => page.getByRole('dialog').getByLabel(label, { exact: true }).fill(value);
// How far something sticks out of the window.
export const wide = (page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

// How much of the page was moved under the reader's eyes, as browsers count it.
export const shift = (page) => page.evaluate(() => new Promise((done) => {
	let sum = 0;
	new PerformanceObserver((list) => {
		for (const e of list.getEntries()) if (!e.hadRecentInput) sum += e.value;
	}).observe({ type: 'layout-shift', buffered: true });
	setTimeout(() => done(Math.round(sum * 100) / 100), 300);
}));

// The mouse, as a person moves it: down, some steps, up.
export async function drag(page, from, to) {
	const a = await from.boundingBox(), b = await to.boundingBox();
	await page.mouse.move(a.x + 60, a.y + 12);
	await page.mouse.down();
	await page.mouse.move(a.x + 70, a.y + 24, { steps: 3 });
	await page.mouse.move(b.x + b.width / 2, b.y + 90, { steps: 12 });
	await page.mouse.up();
}
