import { ApprovalCard, words } from './approval_card.js';
import { SidevoiceElement, make, set_text, show_rows } from './element.js';
import { MicButton, is_about_microphone } from './mic_button.js';
import { icon } from './mic_icons.js';
import { base_sheet, chat_sheet, mic_sheet } from './styles.js';

/** The conversation: what was said, a field to type in, and a microphone: `voice="off"` has none, `voice="push"` push to talk. */
export class SidevoiceChat extends SidevoiceElement {
  static observedAttributes = ['voice'];

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
  #mic = null;
  #mic_line;
  /** The newest message is in view, and shall stay so when something is added or the room changes. */
  #follows = true;

  constructor() {
    super([base_sheet(), chat_sheet(), mic_sheet()]);
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
    this.#mic_line = make('p', { class: 'mic-line', part: 'mic-line', role: 'status' });
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
    const voice = this.getAttribute('voice');
    if (voice !== 'off') this.#mic = new MicButton(this, () => (this.getAttribute('voice') === 'push' ? 'push' : 'open'));
    const microphone = this.#mic ? [this.#mic.element] : [];
    const actions = make('div', { class: 'actions' }, ...microphone, this.#stop, this.#send);
    const form = make('form', { class: 'form', part: 'form' }, this.#input, actions);
    form.addEventListener('submit', (submit) => {
      submit.preventDefault();
      this.#submit();
    });
    this.root.append(
      this.#log, this.#approvals, this.#asked, this.#thinking, this.#working, this.#transfer, this.#notice, this.#ended,
      this.#mic_line, form,
    );
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#mic?.detach();
  }

  attributeChangedCallback() {
    if (this.#log) this.render();
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

  #on_notice(notice) {
    const { code } = notice;
    const text = this.notice_text(notice);
    if (code === 'meanwhile') this.#meanwhile = text;
    else if (code === 'transfer_requested') set_text(this.#transfer, text);
    else this.#say(is_about_microphone(code) ? 'microphone' : 'notice', text);
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
    const streams = messages.some(({ role, status, text }) => role === 'assistant' && status === 'in_progress' && text);
    const busy = session.state === 'thinking' || streams;
    const working = this.#work();
    set_text(this.#working, working);
    // The microphone's line says so too.
    const told = this.#mic && session.mic.on_air;
    const thinks = session.state === 'thinking' && !streams && !working && !told;
    set_text(this.#thinking, thinks ? this.text('thinking') : '');
    this.#stop.hidden = !busy && session.state !== 'speaking';
    this.#show_mic();
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

  #show_mic() {
    if (!this.#mic) return;
    this.#mic.update(this.session);
    if (this.session.mic.on_air && this.#notice.dataset.kind === 'microphone') this.#say('', '');
    // Why there is none is told as a notice already.
    set_text(this.#mic_line, this.#mic.state === 'refused' ? '' : this.#mic.line);
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
  #spoken;
  #message;

  constructor(chat, message) {
    this.#chat = chat;
    this.#text = make('p', { class: 'text', part: 'text' });
    this.#state = make('p', { class: 'state', part: 'message-state' });
    this.#spoken = make(
      'span', { class: 'spoken', part: 'spoken', role: 'img', 'aria-label': chat.text('spoken'), title: chat.text('spoken'), hidden: true },
      icon('off'),
    );
    const who = message.role === 'user' ? 'you' : 'agent';
    this.element = make(
      'div',
      { class: `message ${message.role}`, part: `message ${message.role}`, tabindex: '-1', 'data-item': message.id },
      make('span', { class: 'only-heard', text: `${chat.text(who)}: ` }),
      this.#text,
      this.#spoken,
      this.#state,
    );
  }

  update(message) {
    this.#message = message;
    const open = message.status === 'in_progress';
    const mine = message.role === 'user';
    // What the visitor says is on its way from the first sound on.
    set_text(this.#text, message.text || (mine && open ? '…' : ''));
    this.#spoken.hidden = !message.spoken;
    // An answer still without a word is the "thinking" line's business.
    this.element.hidden = open && !message.text && !mine;
    // Held back from screen readers until it is whole.
    this.element.setAttribute('aria-busy', String(open));
    this.element.dataset.status = message.status;
    const states = {
      sending: this.#chat.text('sending') + (message.reason ? `: ${message.reason}` : ' …'),
      refused: `${this.#chat.text('not_sent')}: ${message.reason ?? ''}`,
      incomplete: mine ? [this.#chat.text('not_understood'), message.reason].filter(Boolean).join(': ') : this.#chat.text('interrupted'),
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
