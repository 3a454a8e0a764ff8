import { SidevoiceElement, make } from './element.js';
import { agent_sheet, base_sheet } from './styles.js';

/** Chat and checklist in a panel that opens from a button in the page's corner. */
export class SidevoiceAgent extends SidevoiceElement {
  static observedAttributes = ['open'];

  #panel;
  #button;
  #chat;

  constructor() {
    super([base_sheet(), agent_sheet()]);
  }

  connectedCallback() {
    if (!this.#panel) this.#build();
    super.connectedCallback();
  }

  get open() {
    return this.hasAttribute('open');
  }

  set open(open) {
    this.toggleAttribute('open', Boolean(open));
  }

  attributeChangedCallback(name) {
    if (name === 'open') this.render();
  }

  #build() {
    const about = { app: this.app };
    for (const name of ['server', 'session', 'language', 'voice']) about[name] = this.getAttribute(name);
    const exported = 'message, user, assistant, text, topic, label, value, quote, input, send, approval, approve, refuse, '
      + 'working, spoken, mic, mic-ring, mic-second, mic-line';
    this.#chat = make('sidevoice-chat', { ...about, exportparts: exported });
    const checklist = make('sidevoice-checklist', { ...about, exportparts: exported });
    this.#chat.strings = this.strings;
    checklist.strings = this.strings;
    this.#panel = make(
      'section',
      { class: 'panel', part: 'panel', id: 'panel', role: 'dialog', 'aria-label': this.text('conversation'), hidden: true },
      this.#chat,
      checklist,
    );
    this.#panel.addEventListener('keydown', (key) => {
      if (key.key === 'Escape' && !key.defaultPrevented) this.#toggle();
    });
    this.#button = make('button', {
      class: 'launcher primary', part: 'launcher', type: 'button', 'aria-controls': 'panel',
      onclick: () => this.#toggle(),
    });
    this.root.append(this.#panel, this.#button);
  }

  #toggle() {
    this.open = !this.open;
    if (this.open) this.#chat.focus_input();
    else this.#button.focus();
  }

  heard(name) {
    // It is the visitor's own talk that waits for a word.
    if (name === 'approval') this.open = true;
  }

  render() {
    if (!this.#panel) return;
    this.#panel.hidden = !this.open;
    this.#button.setAttribute('aria-expanded', String(this.open));
    this.#button.textContent = this.text(this.open ? 'close_panel' : 'open_panel');
  }
}
