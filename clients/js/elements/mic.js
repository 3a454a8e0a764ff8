import { SidevoiceElement, make, set_text } from './element.js';
import { MicButton, is_about_microphone } from './mic_button.js';
import { base_sheet, mic_sheet } from './styles.js';

/** The browser waits for a click before it plays sound. */
const blocked = 'sound_blocked';

/**
 * A microphone on its own, also beside a chat that is not ours. Attributes: `app` and those of all elements, and
 * `mode="push"` for push to talk.
 */
export class SidevoiceMic extends SidevoiceElement {
  static observedAttributes = ['mode'];

  #button;
  #line;
  /** What a chat of ours would show: without one, it is said here. */
  #notice = { code: '', text: '' };

  constructor() {
    super([base_sheet(), mic_sheet()]);
  }

  connectedCallback() {
    if (!this.#button) this.#build();
    super.connectedCallback();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#button?.detach();
  }

  attributeChangedCallback() {
    if (this.#button) this.render();
  }

  #build() {
    this.#button = new MicButton(this, () => (this.getAttribute('mode') === 'push' ? 'push' : 'open'));
    this.#line = make('p', { class: 'line', part: 'mic-label', role: 'status' });
    this.root.append(this.#button.element, this.#line);
  }

  heard(name, [what]) {
    if (name === 'notice' && (is_about_microphone(what.code) || what.code === blocked))
      this.#notice = { code: what.code, text: this.notice_text(what) };
    if (name === 'message') this.#notice = { code: '', text: '' };
  }

  render() {
    if (!this.session || !this.#button) return;
    this.#button.update(this.session);
    this.dataset.state = this.#button.state;
    const { code, text } = this.#notice;
    if (this.session.mic.on_air) set_text(this.#line, code === blocked ? text : this.#button.line);
    else set_text(this.#line, this.#button.line || text);
  }
}
