import { ApprovalCard, words } from './approval_card.js';
import { SidevoiceElement, make, set_text, show_rows } from './element.js';
import { base_sheet, chat_sheet } from './styles.js';

/** The conversation: what was said, and a field to type in. */
export class SidevoiceChat extends SidevoiceElement {
  #rows = new Map();
  #log;
  #cards = new Map();
  #approvals;
  #asked;
  #thinking;
  #working;
  #transfer;
  /** What is said while a tool takes its time. */
  #meanwhile = '';
  #shown = null;
  #input;
  #send;
  #stop;
  #notice;
  #ended;
  /** The newest message is in view, and shall stay so when something is added or the room changes. */
  #follows = true;

  constructor() {
    super([base_sheet(), chat_sheet()]);
  }

  connectedCallback() {
    if (!this.#log) this.#build();
    super.connectedCallback();
  }

  #build() {
    this.#log = make('div', { class: 'log', part: 'log', role: 'log', tabindex: '0', 'aria-label': this.text('conversation') });
    this.#log.addEventListener('scroll', () => {
      this.#follows = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < 80;
    });
    new ResizeObserver(() => this.#follow()).observe(this.#log);
    this.#thinking = make('p', { class: 'thinking', part: 'thinking', role: 'status' });
    this.#approvals = make('div', { class: 'approvals', part: 'approvals' });
    this.#asked = make('p', { class: 'only-heard', role: 'alert' });
    this.#working = make('p', { class: 'working', part: 'working', role: 'status' });
    this.#transfer = make('p', { class: 'transfer', part: 'transfer', role: 'status' });
    this.#notice = make('p', { class: 'notice', part: 'notice', role: 'status' });
    this.#ended = make('p', { class: 'ended', part: 'ended', hidden: true, text: this.text('ended') });
    this.#input = make('textarea', {
      class: 'input', part: 'input', rows: '1', maxlength: '8000', autocomplete: 'off', enterkeyhint: 'send',
      'aria-label': this.text('your_message'), placeholder: this.text('placeholder'),
    });
    this.#input.addEventListener('keydown', (key) => {
      if (key.key !== 'Enter' || key.shiftKey || key.isComposing) return;
      key.preventDefault();
      this.#submit();
    });
    this.#send = make('button', { class: 'primary', part: 'send', type: 'submit', text: this.text('send') });
    this.#stop = make('button', {
      class: 'stop', part: 'stop', type: 'button', hidden: true, text: this.text('stop'),
      onclick: () => this.session?.interrupt(),
    });
    const form = make('form', { class: 'form', part: 'form' }, this.#input, this.#stop, this.#send);
    form.addEventListener('submit', (submit) => {
      submit.preventDefault();
      this.#submit();
    });
    this.root.append(
      this.#log, this.#approvals, this.#asked, this.#thinking, this.#working, this.#transfer, this.#notice, this.#ended, form,
    );
  }

  #submit() {
    const text = this.#input.value;
    if (!text.trim() || !this.session) return;
    this.#input.value = '';
    // A refusal shows beside the message itself.
    this.session.send(text).catch(() => {});
    this.#follows = true;
    this.#follow();
  }

  focus_input() {
    this.#input?.focus();
  }

  focus_log() {
    this.#log?.focus({ preventScroll: true });
  }

  heard(name, [what]) {
    if (name === 'notice') this.#on_notice(what);
    // Who reads by ear has to know of the question; the focus stays where it is, in the middle of a word perhaps.
    if (name === 'approval') set_text(this.#asked, `${this.text('approval_title')} ${what.say}`);
    if (name === 'approval_answered') set_text(this.#asked, '');
    if (name === 'error') this.#say(name, what.message);
    // A fault is over when things work again; a notice when the visitor goes on.
    const over = (name === 'state' && what === 'ready' && this.#notice.dataset.kind === 'error')
      || (name === 'message' && what.role === 'user');
    if (over) this.#say('', '');
  }

  #on_notice({ code, text = '' }) {
    if (code === 'meanwhile') this.#meanwhile = text;
    else if (code === 'transfer_requested') set_text(this.#transfer, text);
    else this.#say('notice', text);
  }

  #say(kind, text) {
    this.#notice.dataset.kind = kind;
    set_text(this.#notice, text);
  }

  render() {
    const { session } = this;
    if (!session) return;
    if (this.#shown !== session) this.#begin();
    const messages = session.messages.filter((message) => message.role !== 'system');
    show_rows(this.#log, this.#rows, messages, (message) => new MessageRow(this, message));
    this.#show_approvals();
    const streams = messages.some((message) => message.status === 'in_progress' && message.text);
    const busy = session.state === 'thinking' || streams;
    const working = this.#work();
    set_text(this.#working, working);
    set_text(this.#thinking, session.state === 'thinking' && !streams && !working ? this.text('thinking') : '');
    this.#stop.hidden = !busy;
    const over = session.state === 'ended' || session.state === 'closed';
    this.#ended.hidden = !over;
    this.#input.disabled = over;
    this.#send.disabled = over;
    this.#follow();
  }

  /** Another conversation: what was said beside the former one is over. */
  #begin() {
    this.#shown = this.session;
    this.#meanwhile = '';
    set_text(this.#transfer, '');
    set_text(this.#asked, '');
  }

  #show_approvals() {
    const asked = this.session.approvals.map((approval) => ({ ...approval, id: approval.callId }));
    const focused = this.#approvals.contains(this.root.activeElement);
    show_rows(this.#approvals, this.#cards, asked, (approval) => new ApprovalCard(this, approval));
    // It was answered in another tab.
    if (focused && !this.#approvals.contains(this.root.activeElement)) this.focus_log();
  }

  /** One short line for the tools that run. */
  #work() {
    const tools = [...new Set(this.session.running)];
    if (tools.length === 0) this.#meanwhile = '';
    if (this.#meanwhile || tools.length === 0) return this.#meanwhile;
    return this.text('working', { tools: tools.map((name) => this.strings[`tool_${name}`] ?? words(name)).join(', ') });
  }

  #follow() {
    if (this.#follows) this.#log.scrollTop = this.#log.scrollHeight;
  }

  reveal({ item, quote }) {
    for (const row of this.#rows.values()) row.conceal();
    this.#follows = false;
    this.#rows.get(item)?.reveal(quote);
  }
}

class MessageRow {
  #chat;
  #text;
  #state;
  #message;

  constructor(chat, message) {
    this.#chat = chat;
    this.#text = make('p', { class: 'text', part: 'text' });
    this.#state = make('p', { class: 'state', part: 'message-state' });
    const who = message.role === 'user' ? 'you' : 'agent';
    this.element = make(
      'div',
      { class: `message ${message.role}`, part: `message ${message.role}`, tabindex: '-1', 'data-item': message.id },
      make('span', { class: 'only-heard', text: `${chat.text(who)}: ` }),
      this.#text,
      this.#state,
    );
  }

  update(message) {
    this.#message = message;
    set_text(this.#text, message.text);
    const open = message.status === 'in_progress';
    // An answer still without a word is the "thinking" line's business.
    this.element.hidden = open && !message.text;
    // Held back from screen readers until it is whole.
    this.element.setAttribute('aria-busy', String(open));
    this.element.dataset.status = message.status;
    const states = {
      sending: this.#chat.text('sending') + (message.reason ? `: ${message.reason}` : ' …'),
      refused: `${this.#chat.text('not_sent')}: ${message.reason ?? ''}`,
      incomplete: this.#chat.text('interrupted'),
    };
    const state = states[message.status] ?? '';
    if (this.#state.dataset.shown === state) return;
    this.#state.dataset.shown = state;
    this.#state.replaceChildren(state);
    if (message.status === 'refused') this.#offer_discard(message.id);
  }

  #offer_discard(id) {
    const discard = () => this.#chat.session?.discard(id);
    this.#state.append(' ', make('button', { type: 'button', text: this.#chat.text('discard'), onclick: discard }));
  }

  reveal(quote) {
    const { text } = this.#message;
    const at = quote ? text.toLowerCase().indexOf(quote.toLowerCase()) : -1;
    const from = at < 0 ? 0 : at;
    const to = at < 0 ? text.length : at + quote.length;
    const mark = make('mark', { part: 'quote', text: text.slice(from, to) });
    this.#text.replaceChildren(text.slice(0, from), mark, text.slice(to));
    this.element.classList.add('revealed');
    this.element.scrollIntoView({ block: 'center' });
    this.element.focus({ preventScroll: true });
  }

  conceal() {
    if (!this.element.classList.contains('revealed')) return;
    this.element.classList.remove('revealed');
    this.#text.replaceChildren(this.#message.text);
  }
}
