// Runs on the browser's audio thread: the microphone's sound leaves it as messages {pcm, level} of 40 ms.
import { Capture } from './capture.js';

class CaptureProcessor extends AudioWorkletProcessor {
  #capture;
  #over = false;

  constructor({ processorOptions }) {
    super();
    this.#capture = new Capture(sampleRate, processorOptions.rate);
    this.port.onmessage = ({ data }) => {
      if (data.type === 'rest') this.#rest(data.id);
      if (data.type === 'end') this.#over = true;
    };
  }

  process([channels]) {
    for (const piece of this.#capture.push(channels)) this.#post(piece);
    return !this.#over;
  }

  #rest(id) {
    const piece = this.#capture.rest();
    if (piece) this.#post(piece);
    this.port.postMessage({ rested: id });
  }

  #post(piece) {
    this.port.postMessage(piece, [piece.pcm.buffer]);
  }
}

registerProcessor('sidevoice-capture', CaptureProcessor);
