// Markdown to nodes.  HTML in it is text, as in every field; what is left is
// looked at once more, so that a fault of the one does not open the page.
import { marked } from '../vendor/marked.js';
import purify from '../vendor/dompurify.js';

const escape = (s) => s.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

marked.use({
	gfm: true,
	breaks: false,
	renderer: {
		html: ({ text }) => escape(text),
		// nothing is loaded from elsewhere: an image is a link to it
		image: ({ href, text }) => `<a href="${escape(href)}">${escape(text || href)}</a>`,
	},
});
purify.addHook('afterSanitizeAttributes', (node) => {
	if (node.tagName !== 'A') return;
	node.setAttribute('rel', 'noopener noreferrer');
	node.setAttribute('target', '_blank');
});

const seen = new Map(); // the same text is drawn often

export function markdown(text) {
	let clean = seen.get(text);
	if (clean === undefined) {
		clean = purify.sanitize(marked.parse(text), {
			ALLOWED_TAGS: ['a', 'blockquote', 'br', 'code', 'del', 'em', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'hr', 'li',
				'ol', 'p', 'pre', 'strong', 'table', 'tbody', 'td', 'th', 'thead', 'tr', 'ul'],
			ALLOWED_ATTR: ['href', 'start', 'align'],
			RETURN_DOM_FRAGMENT: true,
		});
		if (seen.size > 200) seen.clear();
		seen.set(text, clean);
	}
	return clean.cloneNode(true);
}
