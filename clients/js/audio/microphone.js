import { SidevoiceError } from '../errors.js';

/** Why there is no sound, and what to do about it: `code` is stable, the sentence is for the visitor. */
const sentences = {
  insecure_page:
    'The browser gives a microphone only to pages with https. Open this page by its https address; typing works meanwhile.',
  microphone_refused:
    'The browser does not let this page use the microphone. Allow it in the settings of this site, beside the address, and press the microphone again; typing works meanwhile.',
  microphone_not_for_frames:
    'This page stands inside another one that does not lend it the microphone: its frame needs allow="microphone". Typing works meanwhile.',
  no_microphone: 'No microphone was found. Plug one in and press the microphone again; typing works meanwhile.',
  microphone_busy:
    'The microphone does not start: another program may be using it. Close that one and press the microphone again; typing works meanwhile.',
  audio_blocked:
    'The scripts for sound could not be loaded. Reload the page; if that does not help, its content policy must allow scripts of this server.',
  no_audio: 'This browser cannot record sound for this page. Use a newer one, or go on typing.',
};

/** @param {keyof typeof sentences} code @param {Error} [cause] */
export function audio_fault(code, cause) {
  return Object.assign(new SidevoiceError(sentences[code], { code }), { cause });
}

/** @param {Error} fault of getUserMedia */
export function fault_of_device(fault) {
  const codes = {
    NotAllowedError: lent_by_frame() ? 'microphone_refused' : 'microphone_not_for_frames',
    SecurityError: 'microphone_refused',
    NotFoundError: 'no_microphone',
    OverconstrainedError: 'no_microphone',
    NotReadableError: 'microphone_busy',
    AbortError: 'microphone_busy',
  };
  return audio_fault(codes[fault?.name] ?? 'no_audio', fault);
}

function lent_by_frame() {
  const policy = globalThis.document?.permissionsPolicy ?? globalThis.document?.featurePolicy;
  return policy?.allowsFeature?.('microphone') ?? true;
}

/** One recording: permission, device, and the worklet that cuts it into pieces. */
export class Microphone {
  #stream;
  #source;
  #node;
  #rested = new Map();
  #number = 0;

  /**
   * Asks the visitor. Rejects with a SidevoiceError that says the remedy.
   * @param {string} [device] id of the device to use
   * @returns {Promise<MediaStream>}
   */
  static async ask(device) {
    if (globalThis.isSecureContext === false) throw audio_fault('insecure_page');
    const devices = globalThis.navigator?.mediaDevices;
    if (!devices?.getUserMedia || !globalThis.AudioWorkletNode) throw audio_fault('no_audio');
    const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
    if (device) audio.deviceId = { exact: device };
    try {
      return await devices.getUserMedia({ audio });
    } catch (fault) {
      throw fault_of_device(fault);
    }
  }

  /**
   * @param {AudioContext} context with the capture worklet's module
   * @param {MediaStream} stream
   * @param {{rate: number, on_piece: (piece: {pcm: Int16Array, level: number}) => void, on_lost: () => void}} about
   */
  constructor(context, stream, { rate, on_piece, on_lost }) {
    this.#stream = stream;
    this.#source = context.createMediaStreamSource(stream);
    this.#node = new AudioWorkletNode(context, 'sidevoice-capture', {
      numberOfOutputs: 0,
      processorOptions: { rate },
    });
    this.#node.port.onmessage = ({ data }) => {
      if (data.pcm) return on_piece(data);
      this.#rested.get(data.rested)?.();
      this.#rested.delete(data.rested);
    };
    this.#source.connect(this.#node);
    // Unplugged, or taken back by the visitor; never by our own stop().
    for (const track of stream.getAudioTracks()) track.addEventListener('ended', on_lost);
  }

  /** A microphone that is not enabled gives silence, and the browser shows it as off. */
  set enabled(enabled) {
    for (const track of this.#stream.getAudioTracks()) track.enabled = enabled;
  }

  /** Settles when all that was said until now has come as pieces. */
  rest() {
    const id = ++this.#number;
    return new Promise((resolve) => {
      this.#rested.set(id, resolve);
      this.#node.port.postMessage({ type: 'rest', id });
    });
  }

  close() {
    this.#node.port.onmessage = null;
    this.#node.port.postMessage({ type: 'end' });
    this.#source.disconnect();
    for (const track of this.#stream.getTracks()) track.stop();
    for (const resolve of this.#rested.values()) resolve();
    this.#rested.clear();
  }
}
