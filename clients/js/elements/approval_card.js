import { make, set_text } from './element.js';

/** The question whether a tool may run: what it does, with what, and two answers. */
export class ApprovalCard {
  #chat;
  #call_id;
  #say;
  #details = make('dl', { class: 'details', part: 'approval-details' });
  #fault = make('p', { class: 'error', part: 'error', role: 'alert' });
  #buttons;
  #shown = '';

  /** @param {import('./chat.js').SidevoiceChat} chat @param {{callId: string}} approval */
  constructor(chat, approval) {
    this.#chat = chat;
    this.#call_id = approval.callId;
    const title = `approval-${approval.callId}`;
    this.#say = make('p', { class: 'say', part: 'approval-say' });
    const approve = make('button', {
      class: 'primary', part: 'approve', type: 'button', text: chat.text('approve'), onclick: () => this.#answer(true),
    });
    const refuse = make('button', {
      part: 'refuse', type: 'button', text: chat.text('refuse'), onclick: () => this.#answer(false),
    });
    this.#buttons = [approve, refuse];
    this.element = make(
      'section',
      { class: 'approval', part: 'approval', role: 'group', 'aria-labelledby': title, 'data-call': approval.callId },
      make('h3', { class: 'question', id: title, text: chat.text('approval_title') }),
      this.#say,
      this.#details,
      make('div', { class: 'buttons' }, approve, refuse),
      this.#fault,
    );
  }

  update({ say, arguments: given }) {
    set_text(this.#say, say);
    const shown = JSON.stringify(given);
    if (this.#shown === shown) return;
    this.#shown = shown;
    const rows = Object.entries(given).map(([name, value]) =>
      make('div', {}, make('dt', { text: words(name) }), make('dd', { text: this.#readable(value) })),
    );
    this.#details.replaceChildren(...rows);
    this.#details.hidden = rows.length === 0;
    // A long list scrolls, and has to be reachable without a mouse then.
    if (rows.length > 4) this.#details.setAttribute('tabindex', '0');
  }

  #readable(value) {
    if (typeof value === 'boolean') return this.#chat.text(value ? 'yes' : 'no');
    if (Array.isArray(value) && value.every((one) => typeof one !== 'object')) return value.join(', ');
    return typeof value === 'object' ? JSON.stringify(value, null, 1) : String(value);
  }

  async #answer(approve) {
    this.#fault.textContent = '';
    for (const button of this.#buttons) button.disabled = true;
    this.element.setAttribute('aria-busy', 'true');
    try {
      await this.#chat.session.approve(this.#call_id, approve);
      // The card goes, and the focus with it.
      this.#chat.focus_log();
    } catch (fault) {
      this.#fault.textContent = fault.message;
      for (const button of this.#buttons) button.disabled = false;
      this.#buttons[0].focus();
    }
    this.element.removeAttribute('aria-busy');
  }
}

/** A name as code has it, as people read it. */
export function words(name) {
  return name.replaceAll('_', ' ').replace(/^./u, (first) => first.toUpperCase());
}
