import { make } from './element.js';
import { icon } from './mic_icons.js';

/**
 * The button of the microphone: what it shows, and what a click or a key does. For the microphone's own element and for
 * the chat's line of input.
 *
 * Open microphone: a press switches it on and off, a second button mutes it. Push to talk: it hears while the button, or
 * the space bar on it, is held down; the second button switches it off.
 */
export class MicButton {
  #host;
  #mode;
  #button;
  #second;
  #glyph;
  #ring = make('span', { class: 'ring', part: 'mic-ring' });
  #shown = '';
  #mic = null;
  #stop_hearing = () => {};
  /** The button is held down, in push to talk. */
  #held = false;

  /**
   * @param {import('./element.js').SidevoiceElement} host
   * @param {() => 'open'|'push'} mode asked at each start
   */
  constructor(host, mode) {
    this.#host = host;
    this.#mode = mode;
    this.#glyph = make('span', { class: 'glyph' });
    this.#button = make(
      'button', { class: 'mic', part: 'mic', type: 'button', 'data-state': 'off' }, this.#ring, this.#glyph,
    );
    this.#second = make('button', {
      class: 'second', part: 'mic-second', type: 'button', hidden: true, onclick: () => this.#on_second(),
    });
    this.element = make('div', { class: 'mic-buttons', part: 'mic-buttons' }, this.#second, this.#button);
    this.#button.addEventListener('click', (click) => this.#on_click(click));
    this.#hold_by_pointer();
    this.#hold_by_key();
  }

  /** off | starting | listening | thinking | speaking | muted | refused */
  get state() {
    return this.#shown || 'off';
  }

  /** One line that says how it stands; empty while it is off. */
  get line() {
    const mic = this.#host.session?.mic;
    if (!mic || mic.state === 'off') return '';
    if (this.state === 'refused') return mic.reason;
    if (this.state === 'listening' && mic.mode === 'push') return this.#host.text(mic.pressed ? 'mic_pressed' : 'mic_push');
    return this.#host.text(`mic_${this.state}`);
  }

  focus() {
    this.#button.focus();
  }

  /** @param {import('../session.js').Session} session */
  update(session) {
    if (this.#mic !== session.mic) this.#attach(session.mic);
    const state = state_of(session);
    const push = session.mic.on_air ? session.mic.mode === 'push' : this.#mode() === 'push';
    const key = label_key(state, session.mic, push);
    const label = this.#host.text(key);
    this.#button.setAttribute('aria-label', state === 'refused' ? `${label}. ${session.mic.reason}` : label);
    this.#button.title = state === 'refused' ? session.mic.reason : label;
    this.#button.setAttribute('aria-pressed', String(push ? session.mic.pressed : session.mic.on_air));
    this.#button.disabled = session.state === 'ended' || session.state === 'closed';
    this.#button.classList.toggle('held', session.mic.pressed);
    this.#update_second(session.mic);
    if (this.#shown === state) return;
    this.#shown = state;
    this.#button.dataset.state = state;
    this.#glyph.replaceChildren(icon(state));
  }

  /** The element is no longer in the page. */
  detach() {
    this.#stop_hearing();
    this.#mic = null;
  }

  #attach(mic) {
    this.#stop_hearing();
    this.#mic = mic;
    // Set by script, which a content policy allows; the style reads it.
    this.#stop_hearing = mic.on('level', (level) => {
      this.#button.style.setProperty('--level', level.toFixed(2));
      this.#button.classList.toggle('hears', level > 0.35);
    });
  }

  #update_second(mic) {
    const push = mic.mode === 'push';
    this.#second.hidden = !mic.on_air;
    const glyph = push ? 'stop' : 'muted';
    if (this.#second.dataset.glyph !== glyph) {
      this.#second.dataset.glyph = glyph;
      this.#second.replaceChildren(icon(glyph));
    }
    const label = this.#host.text(push ? 'mic_stop' : 'mic_mute');
    this.#second.setAttribute('aria-label', label);
    this.#second.title = label;
    if (push) this.#second.removeAttribute('aria-pressed');
    else this.#second.setAttribute('aria-pressed', String(mic.state === 'muted'));
  }

  #on_second() {
    const { mic } = this.#host.session;
    if (mic.mode === 'push') {
      mic.stop();
      this.focus();
    } else if (mic.state === 'muted') mic.unmute();
    else mic.mute();
  }

  #on_click({ detail }) {
    const mic = this.#host.session?.mic;
    if (!mic) return;
    if (this.#pushes()) {
      // A screen reader clicks without a finger or a key that could stay down: once to talk, once more to be done.
      if (detail > 0) return;
      if (this.#held) this.#let_go();
      else this.#hold();
    } else if (mic.on_air || mic.state === 'starting') mic.stop();
    else this.#start(mic);
  }

  #start(mic) {
    // What goes wrong is a notice, and the button's own state.
    return mic.start({ mode: this.#mode() }).then(() => true, () => false);
  }

  // -- push to talk -----------------------------------------------------------------

  #hold_by_pointer() {
    this.#button.addEventListener('pointerdown', (down) => {
      if (down.button !== 0 || !this.#pushes()) return;
      this.#button.setPointerCapture(down.pointerId);
      this.#hold();
    });
    for (const name of ['pointerup', 'pointercancel', 'lostpointercapture'])
      this.#button.addEventListener(name, () => this.#let_go());
    // A long press on a telephone is no wish for a menu.
    this.#button.addEventListener('contextmenu', (menu) => {
      if (this.#pushes()) menu.preventDefault();
    });
  }

  #hold_by_key() {
    const talks = ({ key }) => (key === ' ' || key === 'Enter') && this.#pushes();
    this.#button.addEventListener('keydown', (down) => {
      if (!talks(down)) return;
      down.preventDefault();
      if (!down.repeat) this.#hold();
    });
    this.#button.addEventListener('keyup', (up) => {
      if (!talks(up)) return;
      up.preventDefault();
      this.#let_go();
    });
    this.#button.addEventListener('blur', () => this.#let_go());
  }

  #pushes() {
    const mic = this.#host.session?.mic;
    return mic?.on_air ? mic.mode === 'push' : this.#mode() === 'push';
  }

  async #hold() {
    const mic = this.#host.session?.mic;
    if (!mic || this.#held) return;
    this.#held = true;
    // The first time the browser asks for permission, and the finger has long gone.
    const ready = mic.on_air || (await this.#start(mic));
    if (ready && this.#held) mic.press();
  }

  #let_go() {
    if (!this.#held) return;
    this.#held = false;
    this.#host.session?.mic.release();
  }
}

/** Whether a notice is about the microphone, and void once it works. @param {string} [code] */
export function is_about_microphone(code = '') {
  return code.startsWith('microphone_') || own_codes.includes(code);
}

const own_codes = ['insecure_page', 'no_microphone', 'audio_blocked', 'no_audio', 'voice_unavailable'];

/** @param {import('../session.js').Session} session */
function state_of({ mic, state }) {
  if (mic.state === 'refused' || mic.state === 'unavailable') return 'refused';
  if (mic.state === 'live') return state === 'thinking' || state === 'speaking' ? state : 'listening';
  return mic.state;
}

function label_key(state, mic, push) {
  if (state === 'refused') return 'mic_refused';
  if (state === 'starting') return 'mic_starting';
  if (push) return 'mic_hold';
  return mic.on_air ? 'mic_stop' : 'mic_start';
}
