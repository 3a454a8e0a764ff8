import { SidevoiceElement, make, set_text, show_rows } from './element.js';
import { format_topic } from './format.js';
import { base_sheet, checklist_sheet } from './styles.js';
import { TopicRow } from './topic_row.js';

/** The checklist: what has been clarified, what is still open, and the proof for each tick. */
export class SidevoiceChecklist extends SidevoiceElement {
  #rows = new Map();
  #list;
  #progress;
  #bar;
  #undo;
  #said;
  #fault;
  #shown = null;

  constructor() {
    super([base_sheet(), checklist_sheet()]);
  }

  connectedCallback() {
    if (!this.#list) this.#build();
    super.connectedCallback();
  }

  #build() {
    this.#progress = make('span', { class: 'progress', part: 'progress' });
    this.#bar = make('progress', { class: 'bar', part: 'bar', 'aria-label': this.text('checklist'), max: '1', value: '0' });
    this.#undo = make('button', {
      class: 'undo', part: 'undo', type: 'button', text: this.text('undo'), onclick: () => this.#take_back(),
    });
    const title = make('h2', { class: 'title', part: 'title', text: this.text('checklist') });
    const header = make('header', { class: 'header', part: 'header' }, title, this.#progress, this.#undo);
    this.#list = make('ul', { class: 'list', part: 'list', 'aria-label': this.text('checklist') });
    this.#fault = make('p', { class: 'error', part: 'error', role: 'alert' });
    this.#said = make('p', { class: 'only-heard', role: 'status' });
    this.root.append(header, this.#bar, this.#fault, this.#list, this.#said);
  }

  async #take_back() {
    this.#undo.disabled = true;
    this.#fault.textContent = '';
    try {
      await this.session?.topics.undo();
    } catch (fault) {
      this.#fault.textContent = fault.message;
    }
    this.#undo.disabled = false;
  }

  /** @param {object} topic @returns {string} its value as a person reads it */
  format(topic) {
    return format_topic(topic, this.strings);
  }

  show_quote(item, quote) {
    this.shared.reveal(item, quote);
  }

  heard(name, [topic]) {
    // What a snapshot brings was said before; only news is spoken.
    if (name !== 'topic' || !this.#rows.has(topic.id)) return;
    const value = format_topic(topic, this.strings) || this.text('unknown_topic');
    set_text(this.#said, `${topic.label ?? topic.id}: ${value}, ${this.text(`status_${topic.status}`)}`);
  }

  /** Another conversation: what was being edited belongs to the former one. */
  #begin() {
    this.#shown = this.session;
    this.#rows.clear();
    this.#list.replaceChildren();
    this.#fault.textContent = '';
    this.#said.textContent = '';
  }

  render() {
    if (!this.session) return;
    if (this.#shown !== this.session) this.#begin();
    const topics = this.session.topics.all();
    show_rows(this.#list, this.#rows, topics, (topic) => new TopicRow(this, topic));
    const counted = topics.filter((topic) => topic.status !== 'skipped');
    const done = counted.filter((topic) => topic.status === 'answered' || topic.status === 'confirmed').length;
    set_text(this.#progress, this.text('progress', { done, all: counted.length }));
    this.#bar.max = Math.max(1, counted.length);
    this.#bar.value = done;
  }
}
