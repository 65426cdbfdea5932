// The projects: how the work on each stands, and what can be done with them.
import { ask, tell } from '../lib/api.js';
import { save, read_project, write_project } from '../lib/file.js';
import { empty, form, html, nothing, plural, refused, repeat, say, usd } from '../lib/ui.js';

const place = (p) => (p.execution_mode === 'local' ? p.project_path : p.repo_url);

// What a project is, to be filled in.  A new one is also asked whether its
// repository has something in it.
const fields = (p) => [
	{ name: 'name', label: 'Name', value: p?.name, required: true, max: 255, focus: true },
	{ name: 'description', label: 'Description', kind: 'area', rows: 3, value: p?.description, hint: 'Agents read it.' },
	...(p ? [] : [{
		name: 'start', label: 'Repository', kind: 'select', value: 'new',
		options: [['new', 'New or empty: a first ticket sets it up'], ['old', 'Existing: it stays as it is']],
	}]),
	{
		name: 'execution_mode', label: 'Agents work', kind: 'select', value: p?.execution_mode ?? 'docker',
		// the words of the store are older than what they mean
		options: [['docker', 'on a clone of a remote repository'], ['local', 'on a clone of a directory of their machine']],
		hint: 'Each ticket has a branch of its own. Agents run on the machine of the worker: this server, unless others take its jobs.',
	},
	{
		name: 'repo_url', label: 'Remote', value: p?.repo_url, code: true, shown: (v) => v.execution_mode !== 'local',
		hint: 'A URL or path that git understands. Without a password: git on that machine must be able to log in by itself (an SSH key, a credential helper).',
	},
	{ name: 'project_path', label: 'Directory', value: p?.project_path, code: true, shown: (v) => v.execution_mode === 'local',
		hint: 'A git repository. Its own files stay as they are; the branches of the tickets are pushed to it.' },
	{ name: 'base_branch', half: true, label: 'Base branch', value: p?.base_branch, code: true, hint: 'Empty: the default of the remote.' },
	{ name: 'verify_command', half: true, label: 'Command that proves the work', value: p?.verify_command, code: true, hint: 'Such as make check. Empty: found from the files.' },
	{ name: 'max_running', half: true, label: 'Jobs at once', kind: 'number', min: 0, value: p?.max_running, hint: 'Empty: no limit of its own.' },
	{ name: 'max_cost_day', half: true, label: 'US dollars a day', kind: 'number', min: 0, value: p?.max_cost_day, hint: 'When they are spent, no job begins.' },
	{ name: 'worker', half: true, label: 'Worker', value: p?.worker, code: true, hint: 'Empty: the choice of the coordinator.' },
	{ name: 'max_tries', half: true, label: 'Tries', kind: 'number', min: 1, value: p?.max_tries ?? 3, required: true },
];

export default function projects(args, draw) {
	let all = [], removed = [], loading;

	async function load() {
		[all, removed] = await Promise.all([ask('ui.projects'), ask('ui.projects', { deleted: true })]);
	}
	// Of the crowd of events one answer is enough.
	function changed(events) {
		if (!events.some((e) => ['project', 'ticket', 'job', 'attempt', 'pr'].includes(e.noun))) return;
		loading ??= load().finally(() => {
			loading = undefined;
			draw();
		});
		return loading;
	}

	const add = () => form({
		title: 'New project', action: 'Create', fields: fields(),
		async submit({ start, name, description, repo_url, project_path, execution_mode, ...rest }) {
			const made = await tell('api.project.add', {
				name, description, github_url: repo_url, project_path, execution_mode, is_existing_repo: start === 'old',
			});
			const more = Object.fromEntries(Object.entries(rest).filter(([, v]) => v !== null));
			let project;
			try {
				project = await tell('project.set', { project: made.id, ...more });
			} catch (e) {
				// not half of it: Create is pressed again
				await tell('project.remove', { project: made.id }).catch(() => {});
				throw e;
			}
			location.hash = `#/board/${project.number}`;
		},
	});

	const edit = (p) => form({
		title: `Project ${p.name}`, action: 'Save', fields: fields(p),
		submit: (values) => tell('project.set', { project: p.number, version: p.version, ...values }),
	});

	const remove = (p) => form({
		title: `Delete ${p.name}`, action: 'Delete', danger: true,
		intro: 'Its jobs are stopped, and it goes from all pages. It can be restored from the foot of this page.',
		fields: [{ name: 'typed', label: `Type its name: ${p.name}`, focus: true, required: true }],
		async submit({ typed }) {
			if (typed !== p.name) throw Object.assign(new Error('That is not its name.'), { status: 400 });
			await tell('project.remove', { project: p.number, version: p.version });
			say(`${p.name} was deleted.`, { label: 'Restore', act: () => restore(p) });
		},
	});

	const restore = (p) => tell('project.restore', { project: p.number }).catch(refused);

	const export_ = (p) => read_project(p.number).then((file) => save(`${p.name}.tera.json`, file)).catch(refused);

	function import_() {
		const input = document.createElement('input');
		input.type = 'file';
		input.accept = '.json,application/json';
		input.onchange = async () => {
			try {
				const project = await write_project(await input.files[0].text());
				say(`${project.name} was imported.`);
				location.hash = `#/board/${project.number}`;
			} catch (e) {
				refused(e);
			}
		};
		input.click();
	}

	// What a number on a card says, and only when there is something to say.
	const fact = (n, text, kind = '') => (n ? html`<li class="state ${kind}">${text}</li>` : nothing);

	const card = (p) => html`<li class="project">
		<h2 dir="auto"><a href="#/board/${p.number}">${p.name}</a></h2>
		<p class="what" dir="auto">${p.description ?? nothing}</p>
		<p class="place mono">${p.execution_mode === 'local' ? 'local · ' : nothing}${place(p) ?? html`<span class="state failed">no repository: edit it</span>`}</p>
		<ul class="facts" aria-label="Its work">
			${fact(p.running, `${p.running} running`, 'running')}
			${fact(p.waiting, `${p.waiting} waiting`, 'pending')}
			${fact(p.columns.in_review, `${p.columns.in_review} in review`, 'review')}
			${fact(p.failed, `${p.failed} failed`, 'failed')}
			${fact(p.columns.backlog, `${p.columns.backlog} in the backlog`)}
			${fact(p.columns.done, `${p.columns.done} done`)}
			${Object.keys(p.columns).length ? nothing : html`<li class="state">no tickets yet</li>`}
			<li class="state spent">${usd(p.week_usd)} this week</li>
		</ul>
		<div class="acts">
			<button @click=${() => edit(p)}>Edit</button>
			<button @click=${() => export_(p)}>Export</button>
			<button class="danger quiet" @click=${() => remove(p)}>Delete</button>
		</div></li>`;

	return {
		load,
		changed,
		title: () => 'Projects',
		keys: [['n', 'New project', add]],
		view: () => html`
			<div class="head"><h1>Projects</h1>
				<button class="main" @click=${add}>New project</button>
				<button @click=${import_}>Import</button></div>
			${all.length ? html`<ul class="projects">${repeat(all, (p) => p.id, card)}</ul>`
				: empty('There is no project yet. One is a repository, a board of tickets, and the agents that work on them.',
					html`<button class="main" @click=${add}>Create the first</button>`)}
			${removed.length ? html`<details class="removed"><summary>${plural(removed.length, 'deleted project')}</summary>
				<ul>${removed.map((p) => html`<li><span dir="auto">${p.name}</span> <button @click=${() => restore(p)}>Restore</button></li>`)}</ul></details>` : nothing}`,
	};
}
