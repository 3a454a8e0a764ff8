import { shared } from '../shared.js';
import { text } from './strings.js';

const Base = globalThis.HTMLElement ?? class {};

/**
 * What all elements have in common: their app's shared session, their texts, and a shadow root whose style is an adopted
 * sheet, so that no content security policy has to make room for it. Whatever comes from the server becomes text nodes.
 */
export class SidevoiceElement extends Base {
  #strings = {};
  #shared = null;
  #stop = new AbortController();

  /** @param {CSSStyleSheet[]} sheets */
  constructor(sheets) {
    super();
    this.root = this.attachShadow({ mode: 'open' });
    this.root.adoptedStyleSheets = sheets;
  }

  get app() {
    return this.getAttribute('app') ?? '';
  }

  /** Gives a client key for signed-in visitors. Set it before the page has loaded. */
  set tokenProvider(provider) {
    this.shared?.set_option('tokenProvider', provider);
  }

  /** @param {Record<string, Function>} tools functions of the page that the agents may call, see Session.tool */
  set tools(tools) {
    if (this.shared) this.shared.tools = tools;
  }

  get tools() {
    return this.shared?.tools ?? {};
  }

  /** @param {Record<string, string>} strings texts to use instead of the English ones */
  set strings(strings) {
    this.#strings = strings;
    if (this.isConnected) this.render();
  }

  get strings() {
    return this.#strings;
  }

  text(key, values) {
    return text(this.#strings, key, values);
  }

  /** A notice in the page's own words, where it has some for its code. @param {{code: string, text: string}} notice */
  notice_text({ code, text: said = '' }) {
    return this.#strings[`notice_${code}`] ?? said;
  }

  /** The app's session on this page; null before it has begun. */
  get session() {
    return this.shared?.session ?? null;
  }

  get shared() {
    if (!this.#shared && this.app) {
      const options = { session: this.getAttribute('session') ?? 'auto' };
      if (this.hasAttribute('language')) options.language = this.getAttribute('language');
      if (this.hasAttribute('server')) options.url = this.getAttribute('server');
      this.#shared = shared(this.app, options);
    }
    return this.#shared;
  }

  connectedCallback() {
    const all = this.shared;
    if (!all) return;
    this.#take_up_early('tools', 'tokenProvider', 'strings');
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    all.addEventListener('change', () => this.render(), { signal });
    all.addEventListener('event', ({ detail }) => this.#hear(detail), { signal });
    all.addEventListener('reveal', ({ detail }) => this.reveal(detail), { signal });
    all.start_soon();
    this.render();
  }

  disconnectedCallback() {
    this.#stop.abort();
  }

  /** What a page has set before this script was there lies on the element itself, in front of the accessors. */
  #take_up_early(...names) {
    for (const name of names) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name];
      delete this[name];
      this[name] = value;
    }
  }

  /** Brings the shadow root up to date with the session. */
  render() {}

  /** One event of the session, before the change it belongs to is rendered. */
  heard(_name, _args) {}

  /** Shows a message and the quote in it. */
  reveal(_where) {}

  #hear({ name, args }) {
    this.heard(name, args);
    const detail = name === 'completed' || name === 'ended' ? { session: this.session.id, ...args[0] } : args[0];
    this.dispatchEvent(new CustomEvent(`sidevoice:${name}`, { detail }));
  }
}

/**
 * Makes an element. `parts` of the form {class, part, text, ...attributes}; children may be strings, which become text.
 * @param {string} tag
 * @param {Record<string, any>} [about]
 * @param {...(Node|string)} children
 */
export function make(tag, about = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(about)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (name === 'text') made.textContent = value;
    else made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children);
  return made;
}

/** Sets a node's text only where it differs, so that screen readers and selections are left in peace. */
export function set_text(node, value) {
  if (node.textContent !== value) node.textContent = value;
}

/**
 * Makes `parent`'s children the rows of `entries`, in their order; rows are kept by id.
 * @template T
 * @param {Element} parent
 * @param {Map<string, {element: Element, update: (entry: T) => void}>} rows
 * @param {T[]} entries each with an id
 * @param {(entry: T) => {element: Element, update: (entry: T) => void}} make_row
 */
export function show_rows(parent, rows, entries, make_row) {
  const wanted = new Set(entries.map((entry) => entry.id));
  for (const [id, row] of rows) {
    if (wanted.has(id)) continue;
    row.element.remove();
    rows.delete(id);
  }
  entries.forEach((entry, at) => {
    if (!rows.has(entry.id)) rows.set(entry.id, make_row(entry));
    const row = rows.get(entry.id);
    if (parent.children[at] !== row.element) parent.insertBefore(row.element, parent.children[at] ?? null);
    row.update(entry);
  });
}
