import { from_base64 } from './audio/pcm.js';
import { open_sound } from './audio/sound.js';
import { Emitter } from './emitter.js';
import { SidevoiceError, from_server } from './errors.js';
import { VoiceLink, microphone_rate, player_rate } from './voice_link.js';

/** After muting, so much silence lets the server see the end of what was said; then nothing is sent. */
const silence_ms = 1_000;
/** A shorter press is a slip of the finger. */
const press_least_ms = 150;
/** Answers whose items are remembered, so that their sound can be dropped. */
const responses_most = 16;

const sentences = {
  microphone_elsewhere:
    'The microphone is in use in another window or on another device. Press it here to take it back; typing works meanwhile.',
  microphone_lost: 'The microphone was disconnected. Plug it in and press the microphone again; typing works meanwhile.',
  microphone_off: 'The microphone was switched off.',
  sound_blocked: 'The browser plays no sound before you click or press a key on this page.',
  voice_unavailable: 'This server has no voice. Typing works.',
  session_ended: 'This conversation has ended.',
};

const fault_of = (code, text) => new SidevoiceError(text || sentences[code], { code });

/**
 * The session's microphone and the agent's voice. Events: `state` (now, before), `level` (0 to 1, 25 times a second),
 * `stats`, and, while watched, `probe` and `turn_ended`.
 *
 * state: off | starting | live | muted | refused (no microphone here; `reason` says why) | unavailable (no voice there)
 */
export class Voice {
  #link;
  #interrupt;
  #announce;
  #open_sound;
  #emitter = new Emitter();
  #state = 'off';
  #reason = '';
  #mode = 'open';
  #seat = 'free';
  #level = 0;
  #pressed = false;
  #pressed_from = 0;
  #silent_ms = 0;
  /** @type {import('./audio/sound.js').Sound|null} */
  #sound = null;
  /** @type {{promise: Promise<void>, resolve: () => void, reject: (fault: Error) => void}|null} a start under way */
  #start = null;
  /** @type {Map<string, Set<string>>} response to its items that have sound */
  #items = new Map();

  /**
   * @param {object} parts those of VoiceLink, and
   * @param {() => void} parts.interrupt stops the answer that is being given
   * @param {(changes: import('./store.js').Change[]) => void} parts.announce
   * @param {typeof open_sound} [parts.open_sound]
   */
  constructor(parts) {
    this.#link = new VoiceLink(parts);
    this.#interrupt = parts.interrupt;
    this.#announce = parts.announce;
    this.#open_sound = parts.open_sound ?? open_sound;
  }

  get state() {
    return this.#state;
  }

  /** Why there is no microphone, or no voice; a sentence for the visitor. */
  get reason() {
    return this.#reason;
  }

  /** "open": the server hears when the visitor speaks. "push": he says so himself. */
  get mode() {
    return this.#mode;
  }

  get pressed() {
    return this.#pressed;
  }

  get level() {
    return this.#level;
  }

  /** yours | elsewhere | free | unavailable, as the server said last */
  get seat() {
    return this.#seat;
  }

  /** Whether microphone and seat are here. */
  get on_air() {
    return this.#state === 'live' || this.#state === 'muted';
  }

  /** For a developer: what is kept for the server, what was lost, and how the player does. */
  get stats() {
    const { kept_ms = 0, dropped_ms = 0 } = this.#link.kept ?? {};
    return { kept_ms, lost_ms: dropped_ms, seat: this.#seat, player: this.#sound?.player.stats ?? null };
  }

  on(name, listener) {
    return this.#emitter.on(name, listener);
  }

  off(name, listener) {
    this.#emitter.off(name, listener);
  }

  /**
   * Asks for the microphone and the session's voice seat. Call it from a click: browsers want one before they play sound.
   * @param {{mode?: 'open'|'push', device?: string}} [options]
   * @returns {Promise<void>} settles when the seat is this page's; rejects with a sentence that says the remedy
   */
  start({ mode = 'open', device } = {}) {
    if (this.#state === 'starting' || this.on_air) {
      this.#change_mode(mode);
      return this.#start?.promise ?? Promise.resolve();
    }
    this.#mode = mode;
    const start = waiting();
    this.#start = start;
    // Whoever does not wait for it hears of a refusal by the notice.
    start.promise.catch(() => {});
    this.#become('starting');
    this.#open(start, device);
    return start.promise;
  }

  /** Gives microphone and seat back; the conversation goes on in writing. */
  stop() {
    this.#link.report(this.#sound?.player.position);
    this.#shut('off', fault_of('microphone_off'), { give_back: true });
  }

  mute() {
    if (this.#state !== 'live') return;
    this.#silent_ms = 0;
    this.#sound.microphone.enabled = false;
    this.#become('muted');
    this.#hear(0);
  }

  unmute() {
    if (this.#state !== 'muted') return;
    this.#sound.microphone.enabled = true;
    this.#become('live');
  }

  /** Push to talk: what is said from now on is meant. An answer that is being given ends. */
  press() {
    if (this.#mode !== 'push' || this.#state !== 'live' || this.#pressed) return;
    this.#pressed = true;
    this.#pressed_from = this.#link.kept.to_ms;
    this.#link.report(this.#sound.player.position);
    this.#sound.player.flush();
    this.#interrupt();
    this.#announce([]);
  }

  /** Push to talk: that was it, now answer. */
  async release() {
    if (!this.#pressed) return;
    const { microphone } = this.#sound;
    await microphone.rest();
    if (!this.#pressed || this.#sound?.microphone !== microphone) return;
    this.#pressed = false;
    if (this.#link.kept.to_ms - this.#pressed_from < press_least_ms) this.#link.clear();
    else this.#link.end_utterance();
    this.#announce([]);
  }

  /** Asks for `probe` and `turn_ended`, which a developer's panel shows. */
  watch(on) {
    this.#link.watch(Boolean(on));
  }

  // -- the session ----------------------------------------------------------------

  /** The conversation is up to date on a new socket. */
  on_synced() {
    // Whoever had paused it is gone with the former socket.
    this.#sound?.player.release();
    this.#link.on_synced();
  }

  on_down() {
    this.#link.on_down();
  }

  /** The conversation is over, or left. */
  on_ended() {
    this.#shut('off', fault_of('session_ended'), { give_back: false });
  }

  /** An item is no longer part of the conversation: a run that was given up. */
  on_removed(item) {
    this.#sound?.player.flush([item]);
  }

  /** @returns {boolean} true for errors that answer something of this class */
  owns(error) {
    return this.#link.owns(error);
  }

  /** @param {object} event a server event */
  on_event(event) {
    this.#handlers[event.type]?.(event);
  }

  #handlers = {
    'session.created': ({ session }) => this.#link.on_created(session),
    'sidevoice.audio.acknowledged': ({ stream, to_ms }) => {
      if (this.#link.kept?.acknowledge(stream, to_ms)) this.#emitter.emit('stats', this.stats);
    },
    'sidevoice.voice.seat': (event) => this.#on_seat(event),
    'response.output_audio.delta': (event) => this.#play(event),
    'response.output_audio.done': ({ item_id }) => this.#sound?.player.finish(item_id),
    'response.done': ({ response }) => {
      const items = [...(this.#items.get(response.id) ?? [])];
      this.#items.delete(response.id);
      if (response.status === 'cancelled') this.#sound?.player.flush(items);
      else for (const item of items) this.#sound?.player.finish(item);
    },
    'sidevoice.playback.held': () => this.#sound?.player.hold(),
    'sidevoice.playback.released': () => this.#sound?.player.release(),
    'sidevoice.voice.probe': ({ at_ms, probability, speaking }) =>
      this.#emitter.emit('probe', { at_ms, probability, speaking }),
    'sidevoice.turn.ended': ({ item_id: item, why, silence_ms: silence, probability }) =>
      this.#emitter.emit('turn_ended', { item, why, silence_ms: silence, probability }),
    error: ({ error = {} }) => {
      if (this.#link.is_refusal(error)) this.#give_up('unavailable', from_server(error));
    },
  };

  #on_seat({ state, text }) {
    this.#seat = state;
    if (state === 'yours') {
      if (this.#state === 'starting' && this.#sound) this.#become('live');
      this.#start?.resolve();
      this.#start = null;
    } else if (state === 'elsewhere' && this.#sound) {
      // Our own sentence: the server's does not know of the button that takes it back.
      const fault = fault_of('microphone_elsewhere');
      this.#shut('off', fault, { give_back: false });
      this.#notice(fault, 'info');
    } else if (state === 'unavailable' && this.#sound) {
      this.#give_up('unavailable', fault_of('voice_unavailable', text));
    }
    this.#emitter.emit('stats', this.stats);
  }

  #play({ item_id: item, response_id: response, delta, from_ms }) {
    // What is still under way when the microphone was switched off is not played: the seat is given back.
    if (!this.#sound) return;
    if (response) this.#remember(response, item);
    let pcm;
    try {
      pcm = from_base64(delta ?? '');
    } catch {
      // No base64: a piece is missing then, and the rest goes on behind it.
      return;
    }
    // "One moment" belongs to no answer.
    this.#sound.player.push(item, pcm, from_ms, !response);
  }

  #remember(response, item) {
    if (!this.#items.has(response)) this.#items.set(response, new Set());
    this.#items.get(response).add(item);
    if (this.#items.size > responses_most) this.#items.delete(this.#items.keys().next().value);
  }

  // -- the microphone ---------------------------------------------------------------

  async #open(start, device) {
    let sound;
    try {
      sound = await this.#open_sound({
        microphone_rate,
        player_rate,
        device,
        on_piece: (piece) => this.#on_piece(piece),
        on_lost: () => this.#give_up('refused', fault_of('microphone_lost')),
        on_blocked: () => this.#notice(fault_of('sound_blocked'), 'warning'),
        on_report: (report) => this.#link.report(report),
        on_stats: () => this.#emitter.emit('stats', this.stats),
      });
    } catch (fault) {
      if (start === this.#start) this.#give_up('refused', fault);
      return;
    }
    // Switched off again while the visitor was being asked.
    if (start !== this.#start) return sound.close();
    this.#sound = sound;
    this.#link.begin(this.#mode);
  }

  #change_mode(mode) {
    if (mode === this.#mode) return;
    this.#mode = mode;
    this.#pressed = false;
    this.#link.change_mode(mode);
    this.#announce([]);
  }

  #on_piece({ pcm, level }) {
    if (!this.#sound) return;
    if (this.#state === 'muted') {
      if (this.#silent_ms >= silence_ms) return;
      this.#silent_ms += (pcm.length * 1000) / microphone_rate;
      pcm.fill(0);
    } else {
      this.#hear(level);
    }
    if (this.#mode === 'open' || this.#pressed) this.#link.append(pcm);
  }

  #hear(level) {
    this.#level = level;
    this.#emitter.emit('level', level);
  }

  // -- ends -------------------------------------------------------------------------

  #give_up(state, fault) {
    // The seat may be ours still; without a microphone it is of no use.
    this.#shut(state, fault, { give_back: state === 'refused' });
    this.#notice(fault, 'warning');
  }

  #shut(state, fault, about) {
    const start = this.#start;
    this.#start = null;
    this.#sound?.close();
    this.#sound = null;
    this.#link.end(about);
    this.#pressed = false;
    this.#items.clear();
    this.#reason = state === 'off' ? '' : fault.message;
    this.#become(state);
    this.#hear(0);
    start?.reject(fault);
  }

  #notice({ code, message }, level) {
    this.#announce([['notice', { code, level, text: message }]]);
  }

  #become(state) {
    const before = this.#state;
    this.#state = state;
    if (state === before) return;
    if (state === 'starting') this.#reason = '';
    this.#emitter.emit('state', state, before);
    this.#announce([]);
  }
}

function waiting() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}
