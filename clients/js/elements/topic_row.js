import { make, set_text } from './element.js';
import { format_topic } from './format.js';
import { topic_input } from './topic_input.js';

const icons = { open: '', answered: '✓', confirmed: '✓', contradicted: '!', skipped: '–' };

/** One entry of the checklist: its state, its value, the quote behind it, and a form to change it by hand. */
export class TopicRow {
  #list;
  #topic;
  #icon = make('span', { class: 'icon', part: 'icon', 'aria-hidden': 'true' });
  #label = make('span', { class: 'label', part: 'label' });
  #required = make('span', { class: 'required', part: 'required' });
  #status = make('span', { class: 'status', part: 'status' });
  #value = make('span', { class: 'value', part: 'value' });
  #quote;
  #edit;
  #form = null;

  constructor(list, topic) {
    this.#list = list;
    this.#quote = make('button', {
      class: 'quote', part: 'quote', type: 'button', onclick: () => this.#show_quote(),
    });
    this.#edit = make('button', { class: 'edit', part: 'edit', type: 'button', text: '✎', onclick: () => this.#open() });
    const heading = make('div', { class: 'heading' }, this.#label, this.#required, this.#status);
    this.body = make('div', { class: 'body' }, heading, this.#value, this.#quote);
    this.element = make('li', { part: 'topic', 'data-topic': topic.id }, this.#icon, this.body, this.#edit);
  }

  update(topic) {
    this.#topic = topic;
    const text = (key, values) => this.#list.text(key, values);
    const label = topic.label ?? topic.id;
    this.element.className = `topic ${topic.status}`;
    this.element.setAttribute('part', `topic ${topic.status}`);
    this.element.dataset.status = topic.status;
    set_text(this.#icon, icons[topic.status] ?? '');
    set_text(this.#label, label);
    set_text(this.#required, topic.required && topic.status === 'open' ? text('required') : '');
    set_text(this.#value, topic.status === 'skipped' ? '' : format_topic(topic, this.#list.strings));
    const quote = topic.evidence?.quote ?? '';
    const by_hand = topic.by === 'person' && topic.status !== 'open' && topic.status !== 'skipped';
    set_text(this.#quote, quote ? `“${quote}”` : '');
    this.#quote.hidden = !quote;
    this.#quote.setAttribute('aria-label', quote ? text('show_quote', { quote }) : '');
    const status = text(`status_${topic.status}`);
    set_text(this.#status, by_hand ? `${status}, ${text('by_person')}` : status);
    this.#edit.setAttribute('aria-label', text('edit', { label }));
    this.#edit.setAttribute('title', text('edit', { label }));
  }

  #show_quote() {
    const { item_id: item, quote } = this.#topic.evidence ?? {};
    if (item) this.#list.show_quote(item, quote);
  }

  #open() {
    if (this.#form) return;
    const text = (key, values) => this.#list.text(key, values);
    const { field, read } = topic_input(this.#topic, text);
    // The revision that the person sees now: who was faster meanwhile is the server's to judge.
    const base_revision = this.#topic.revision ?? 0;
    const error = make('p', { class: 'error', part: 'error', role: 'alert' });
    const save = make('button', { class: 'primary', type: 'submit', part: 'save', text: text('save') });
    const clear = make('button', { type: 'button', part: 'clear', text: text('clear') });
    const cancel = make('button', { type: 'button', part: 'cancel', text: text('cancel'), onclick: () => this.#close() });
    const buttons = make('div', { class: 'buttons' }, save, clear, cancel);
    // The server says why a value will not do, for every client alike: no checks of the browser's own before it.
    this.#form = make('form', { class: 'editor', part: 'editor', novalidate: true }, field, buttons, error);
    const attempt = { base_revision, error, controls: [field, save, clear] };
    this.#form.addEventListener('submit', (submit) => {
      submit.preventDefault();
      this.#store(attempt, read);
    });
    clear.addEventListener('click', () => this.#store(attempt, () => null));
    this.#form.addEventListener('keydown', (key) => {
      if (key.key === 'Escape') this.#close();
    });
    this.body.append(this.#form);
    this.#edit.hidden = true;
    field.focus();
    this.#form.scrollIntoView({ block: 'nearest' });
  }

  async #store(attempt, read) {
    const { error, controls } = attempt;
    error.textContent = '';
    try {
      const value = read();
      for (const control of controls) control.disabled = true;
      await this.#list.session.topics.set(this.#topic.id, value, { base_revision: attempt.base_revision });
      this.#close();
    } catch (fault) {
      for (const control of controls) control.disabled = false;
      // The person now sees what the server has, so the next try is based on that.
      attempt.base_revision = this.#topic.revision ?? attempt.base_revision;
      error.textContent = fault.message;
      controls[0].focus();
      error.scrollIntoView({ block: 'nearest' });
    }
  }

  #close() {
    this.#form?.remove();
    this.#form = null;
    this.#edit.hidden = false;
    this.#edit.focus();
  }
}
