// The pages without what npm brings (make says so) are told to the reader
// instead of an empty page.
import('./main.js').catch((e) => {
	const p = document.createElement('p');
	p.className = 'page';
	p.textContent = 'The pages are not whole: a script is missing. They were built without npm, ' +
		'or the server was changed while they were loading. tera-board(1) shows the board in a terminal. ' +
		`(${e.message})`;
	document.getElementById('app').replaceChildren(p);
});
