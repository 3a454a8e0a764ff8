// What the agents of the two example apps may do in this page. Each shows what it did in the panel, and tells the model no
// more than that.

const make = (tag, about = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), about);
  made.append(...children);
  return made;
};

/** One entry of the panel for each tool: a later call replaces what an earlier one showed. */
class Panel {
  #element;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
  }

  show(tool, title, ...content) {
    const entry = make('div', { className: 'tool' }, make('h2', { textContent: title }), ...content);
    entry.dataset.tool = tool;
    const former = [...this.#element.children].find((other) => other.dataset.tool === tool);
    if (former) former.replaceWith(entry);
    else this.#element.append(entry);
    this.#element.hidden = false;
  }

  clear() {
    this.#element.replaceChildren();
    this.#element.hidden = true;
  }
}

// -- moving

function show_on_map(panel, { from, to }) {
  if (!from && !to) throw new Error('Neither end of the route is known.');
  const end = (label, place) => make('li', {}, make('span', { className: 'end', textContent: label }), place || 'not known yet');
  panel.show('show_on_map', 'Your route', make('ol', { className: 'route' }, end('From', from), end('To', to)));
  return { shown: true, as: 'a list with both addresses; this page draws no map' };
}

// -- support

const lights = {
  green: 'steady green: the line is up',
  red: 'red or orange: no signal from the street',
  off: 'dark: no power',
};

function highlight_light(panel, { colour }) {
  const rows = Object.entries(lights).map(([name, meaning]) => {
    const row = make('li', {}, make('span', { className: `light ${name}`, ariaHidden: 'true' }), meaning);
    if (name === colour) row.setAttribute('aria-current', 'true');
    return row;
  });
  panel.show('highlight_light', 'The light on your router', make('ul', { className: 'lights' }, ...rows));
  return { shown: colour };
}

const test_ms = 1_500;
const test_bytes = 8 * 1024 * 1024;

/** Loads this page's own script again and again: slow enough to say something, short enough for a telephone's contract. */
async function run_line_test(panel, _args, { signal }) {
  const started = performance.now();
  let bytes = 0;
  while (performance.now() - started < test_ms && bytes < test_bytes) {
    const reply = await fetch('./clients/js/session.js', { cache: 'no-store', signal });
    if (!reply.ok) throw new Error(`The server did not give the test file (status ${reply.status}).`);
    bytes += (await reply.arrayBuffer()).byteLength;
  }
  const seconds = (performance.now() - started) / 1000;
  const megabits_per_second = Number(((bytes * 8) / seconds / 1e6).toPrecision(3));
  const text = `${megabits_per_second} Mbit/s, ${Math.round(bytes / 1024)} KiB in ${seconds.toFixed(1)} s`;
  panel.show('run_line_test', 'Your line', make('p', { textContent: text }));
  return { megabits_per_second, how: 'many small downloads from the server of this page: a lower bound' };
}

function open_ticket(panel, { summary, urgent }, { callId }) {
  // The call's own name: the same ticket, however often it is told.
  const ticket = `DEMO-${callId.slice(-6).toUpperCase()}`;
  const kind = urgent ? 'urgent' : 'normal';
  panel.show('open_ticket', `Ticket ${ticket}`, make('p', { textContent: summary }), make('p', { className: 'quiet', textContent: kind }));
  return { ticket, where: 'on this page only: the demo has no ticket system' };
}

const apps = {
  moving: { show_on_map },
  support: { highlight_light, run_line_test, open_ticket },
};

/**
 * The functions that this page has for an app, and the panel they show things in.
 * @param {string} app
 * @param {HTMLElement} element
 */
export function tools_of(app, element) {
  const panel = new Panel(element);
  const bound = Object.entries(apps[app] ?? {}).map(([name, run]) => [name, (args, call) => run(panel, args, call)]);
  return { tools: Object.fromEntries(bound), clear: () => panel.clear() };
}
