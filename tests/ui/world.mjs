// A world for a browser: a store of its own, tera-serve in front of it, and
// Debian's Chromium.
//
//     const w = await world();      // w.tera('tera-add', 'project', 'name=p')
//     await w.serve();              // w.url
//     const page = await w.open('#/', { dark: true, width: 375 });
//     await w.end();              // and at the very end: await end()
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const top = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const require = createRequire(join(top, 'build/ui/'));
const { chromium } = require('playwright-core');
const axe_text = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const free_port = () => new Promise((done) => {
	const s = createServer().listen(0, '127.0.0.1', () => {
		const { port } = s.address();
		s.close(() => done(port));
	});
});

process.setMaxListeners(0); // a world each
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

let browser;
export const end = () => browser?.close();

// there: the directory of a demo that is running; else the world is new.
export async function world(there) {
	const dir = there ?? mkdtempSync(join(tmpdir(), 'tera-ui.'));
	const bin = join(resolve(top, process.env.B ?? 'build'), 'bin');
	const env = {
		PATH: `${bin}:${process.env.PATH}`, HOME: dir, LC_ALL: 'C.UTF-8', TZ: 'UTC', TERA_STORE: join(dir, 'tera.db'),
		TERA_STATE: join(dir, 'state'), TERA_CONFIG: join(dir, 'config'), TERA_SHARE: join(top, 'share'), TERA_ACTOR: 'tester',
		GIT_CONFIG_NOSYSTEM: '1', GIT_AUTHOR_NAME: 'Tester', GIT_AUTHOR_EMAIL: 't@example.org', GIT_COMMITTER_NAME: 'Tester',
		GIT_COMMITTER_EMAIL: 't@example.org',
	};
	const tera = (command, ...args) => {
		const out = execFileSync(command, args.map(String), { env, cwd: dir, encoding: 'utf8', maxBuffer: 1 << 28, stdio: 'pipe' });
		return out.split('\n').filter(Boolean).map((line) => (line[0] === '{' ? JSON.parse(line) : line));
	};
	// one verb with an object; its rows
	const verb = (name, object) => {
		const out = execFileSync('tera-call', [name, '-'], { env, cwd: dir, encoding: 'utf8', input: `${JSON.stringify(object)}\n`, maxBuffer: 1 << 28 });
		return out.split('\n').filter(Boolean).map((line) => JSON.parse(line));
	};
	if (there) await until(() => tera('tera-ls', 'project').length, 'the demo has begun');
	if (!there) tera('tera-init', '-q');

	let server;
	// whatever becomes of the tests, nothing of theirs stays
	process.on('exit', () => {
		server?.kill('SIGKILL');
		rmSync(dir, { recursive: true, force: true });
	});
	const contexts = [];
	const port = await free_port();
	const w = {
		dir, env, tera, verb,
		url: `http://127.0.0.1:${port}/`,
		faults: [], // what pages complained of
		async serve() {
			server = spawn('tera-serve', ['-l', `127.0.0.1:${port}`], { env, cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });
			await new Promise((done, failed) => {
				let said = '';
				server.stderr.on('data', (d) => {
					said += d;
					if (said.includes('listening')) done();
				});
				server.on('exit', () => failed(new Error(`tera-serve: ${said}`)));
			});
		},
		async stop() {
			if (!server) return;
			const gone = new Promise((done) => server.removeAllListeners('exit').on('exit', done));
			server.kill('SIGTERM');
			const hard = setTimeout(() => server.kill('SIGKILL'), 8000);
			await gone;
			clearTimeout(hard);
			server = undefined;
		},
		// bare: a page that is none of ours
		async open(hash = '', { dark = false, width = 1280, height = 800, touch = false, js = true, bare = false } = {}) {
			browser ??= await chromium.launch({
				executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'],
			});
			const context = await browser.newContext({
				viewport: { width, height }, colorScheme: dark ? 'dark' : 'light', hasTouch: touch, isMobile: touch, javaScriptEnabled: js,
				acceptDownloads: true, locale: 'en-GB',
			});
			contexts.push(context);
			const page = await context.newPage();
			page.setDefaultTimeout(20000);
			page.on('pageerror', (e) => w.faults.push(`error: ${e.stack ?? e.message}`));
			page.on('console', (m) => {
				if (m.type() === 'error' && !/Failed to load resource|ERR_/.test(m.text())) w.faults.push(`console: ${m.text()}`);
			});
			page.on('request', (r) => {
				if (!r.url().startsWith(w.url) && !/^(data|blob):/.test(r.url())) w.faults.push(`elsewhere: ${r.url()}`);
			});
			await page.goto(w.url + hash);
			if (js && !bare) await page.waitForSelector('main[aria-busy=false]');
			return page;
		},
		async end() {
			for (const c of contexts) await c.close();
			await w.stop();
			rmSync(dir, { recursive: true, force: true });
		},
	};
	return w;
}

// What axe finds that is serious, as lines.
export async function axe(page) {
	// by the debugger: the page's policy lets no script in
	await page.evaluate(axe_text);
	const { violations } = await page.evaluate(() => self.axe.run(document, {
		runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'],
	}));
	return violations.filter((v) => ['serious', 'critical'].includes(v.impact))
		.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target} ${n.any[0]?.message ?? ''}`).join(' | ')}`);
}

// --- TAP ---

let n = 0;
export function report(good, name, ...notes) {
	console.log(`${good ? 'ok' : 'not ok'} ${++n} - ${name}`);
	if (!good) for (const note of notes) console.log(`# ${String(note).replaceAll('\n', '\n# ')}`);
}
export const is = (got, want, name) => report(Object.is(got, want) || JSON.stringify(got) === JSON.stringify(want), name,
	`got  ${JSON.stringify(got)}`, `want ${JSON.stringify(want)}`);
export const plan = () => console.log(`1..${n}`);

// Until check() gives something true, or 15 s have gone by.
export async function until(check, name) {
	const end = Date.now() + 15000;
	let last;
	for (;;) {
		try {
			last = await check();
			if (last) break;
		} catch (e) {
			last = e.message;
		}
		if (Date.now() > end) return report(false, name, `last: ${JSON.stringify(last)}`);
		await new Promise((done) => setTimeout(done, 30));
	}
	report(true, name);
}
