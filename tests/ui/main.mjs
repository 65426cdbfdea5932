// Stories of people in a browser, on a real server with a real store; TAP.
// A file each, with a world of its own.
import { end, plan } from './world.mjs';

for (const file of ['house', 'projects', 'board', 'ticket', 'review', 'jobs', 'events', 'work']) await import(`./${file}.mjs`);
await end();
plan();
