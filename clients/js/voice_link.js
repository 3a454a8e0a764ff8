import { to_base64 } from './audio/pcm.js';
import { KeptSpeech } from './audio/kept_speech.js';
import { make_id } from './ids.js';

export const microphone_rate = 16_000;
export const player_rate = 24_000;
/** Sound that waits in the socket: from here on it is taken for dead. About twelve seconds. */
const backlog_most = 512 * 1024;
/** Begins the ids of what is sent here, so that errors about it find back. */
const prefix = 'voice_';

/** What the voice says to the server, over one socket after the other; and the sound that may have to be said again. */
export class VoiceLink {
  #transmit;
  #backlog;
  #drop_socket;
  /** @type {KeptSpeech|null} the stream that runs */
  #kept = null;
  #mode = 'open';
  /** This socket knows of the stream: live sound may follow. */
  #flowing = false;
  /** What this socket ends turns by where nobody says so, and whether it has been told to leave that to the visitor. */
  #detection = null;
  #told_manual = false;
  #watched = false;
  /** Event ids of the requests whose refusal means that there is no voice. */
  #asked = [];

  /**
   * @param {object} parts
   * @param {(frame: object) => boolean} parts.transmit false: the conversation is not up to date on a socket
   * @param {() => number} parts.backlog bytes that wait in the socket
   * @param {(reason: string) => void} parts.drop_socket
   */
  constructor({ transmit, backlog, drop_socket }) {
    this.#transmit = transmit;
    this.#backlog = backlog;
    this.#drop_socket = drop_socket;
  }

  /** @returns {KeptSpeech|null} */
  get kept() {
    return this.#kept;
  }

  /** A new stream of the microphone. @param {'open'|'push'} mode */
  begin(mode) {
    this.#mode = mode;
    this.#kept = new KeptSpeech({ stream: make_id('mic_'), rate: microphone_rate });
    this.#ask();
  }

  /** @param {'open'|'push'} mode for the stream that runs, or the next one */
  change_mode(mode) {
    this.#mode = mode;
    if (this.#flowing) this.#configure();
  }

  /** @param {Int16Array} pcm */
  append(pcm) {
    this.#kept.append(pcm);
    if (this.#flowing) this.#say(pcm);
  }

  /** The visitor says that he has finished. */
  end_utterance() {
    this.#kept.end_here();
    if (this.#flowing) this.#ask_for_answer();
  }

  /** What was said last was a slip. */
  clear() {
    if (this.#flowing) this.#send({ type: 'input_audio_buffer.clear' });
  }

  /** @param {{item_id: string, played_ms: number}|null|undefined} position */
  report(position) {
    if (position) this.#send({ type: 'sidevoice.playback.report', ...position });
  }

  watch(on) {
    if (this.#watched === on) return;
    this.#watched = on;
    this.#send({ type: 'sidevoice.voice.watch', on });
  }

  /** No more sound comes. @param {{give_back: boolean}} about whether the seat is still to be given back */
  end({ give_back }) {
    if (give_back && this.#flowing)
      this.#send({ type: 'session.update', session: { type: 'realtime', output_modalities: ['text'] } });
    this.#kept = null;
    this.#flowing = false;
    this.#asked = [];
  }

  // -- the socket -----------------------------------------------------------------

  /** @param {object} session as the server greets with */
  on_created(session) {
    this.#detection = session?.audio?.input?.turn_detection ?? null;
  }

  on_synced() {
    if (this.#watched) this.#send({ type: 'sidevoice.voice.watch', on: true });
    if (this.#kept) this.#ask();
  }

  on_down() {
    this.#flowing = false;
    this.#told_manual = false;
  }

  /** @returns {boolean} true for errors that answer something of this class */
  owns(error) {
    return (error.event_id ?? '').startsWith(prefix);
  }

  /** @returns {boolean} true where the error means that there is no voice; others are races that the protocol knows */
  is_refusal(error) {
    return this.#asked.includes(error.event_id);
  }

  /** Tells this socket of the stream, asks for the seat, and sends what the server may not have. */
  #ask() {
    const { stream, from_ms, parts } = this.#kept.replay();
    this.#asked = [];
    if (!this.#configure()) return;
    this.#asked.push(this.#send({ type: 'sidevoice.audio.replay', stream, from_ms }));
    this.#flowing = true;
    for (const part of parts) {
      if (part.end) this.#ask_for_answer();
      else this.#say(part.pcm);
    }
  }

  #configure() {
    const input = { format: { type: 'audio/pcm', rate: microphone_rate } };
    if (this.#mode === 'push') input.turn_detection = null;
    else if (this.#told_manual) input.turn_detection = this.#detection ?? { type: 'server_vad' };
    const output = { format: { type: 'audio/pcm', rate: player_rate } };
    const session = { type: 'realtime', output_modalities: ['audio'], audio: { input, output } };
    const id = this.#send({ type: 'session.update', session });
    if (!id) return false;
    this.#told_manual = this.#mode === 'push';
    this.#asked.push(id);
    return true;
  }

  #say(pcm) {
    // A frame that did not go out is kept, and follows on the next socket.
    if (!this.#transmit({ type: 'input_audio_buffer.append', audio: to_base64(pcm) })) this.#flowing = false;
    else if (this.#backlog() > backlog_most) this.#drop_socket('sound does not get through');
  }

  #ask_for_answer() {
    this.#send({ type: 'input_audio_buffer.commit' });
    this.#send({ type: 'response.create' });
  }

  /** @returns {string|undefined} its event_id, if it was sent */
  #send(frame) {
    const event_id = make_id(prefix);
    return this.#transmit({ ...frame, event_id }) ? event_id : undefined;
  }
}
