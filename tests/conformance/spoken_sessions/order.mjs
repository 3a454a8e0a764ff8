// What holds for the order of events in every spoken session, whatever is said in it.

/** Of one item of a response: no event of a lower rank comes behind one of a higher. */
const of_output = {
  'response.output_item.added': 1,
  'response.content_part.added': 2,
  'response.output_audio.delta': 3,
  'response.output_audio_transcript.delta': 3,
  'response.output_text.delta': 3,
  'response.function_call_arguments.delta': 3,
  'response.output_audio.done': 4,
  'response.output_audio_transcript.done': 4,
  'response.output_text.done': 4,
  'response.function_call_arguments.done': 4,
  'response.content_part.done': 5,
  'response.output_item.done': 6,
};

/** Of one utterance. */
const of_speech = {
  'input_audio_buffer.speech_started': 1,
  'input_audio_buffer.speech_stopped': 2,
  'input_audio_buffer.committed': 3,
  'conversation.item.added': 4,
  'conversation.item.done': 5,
  'conversation.item.input_audio_transcription.delta': 6,
  'conversation.item.input_audio_transcription.completed': 7,
};

class Order {
  faults = [];
  #seen = new Set();
  #responses = new Map();
  #ranks = new Map();
  #pieces = new Map();

  take(event) {
    if (!event.event_id || this.#seen.has(event.event_id)) this.#fault(event, 'has no event_id of its own');
    this.#seen.add(event.event_id);
    if (event.type === 'response.created') this.#responses.set(event.response.id, 'open');
    else if (event.type === 'response.done') this.#ends(event);
    else if (event.response_id) this.#outputs(event);
    if (of_speech[event.type]) this.#speech(event);
  }

  #ends(event) {
    const { id, status, output } = event.response;
    if (this.#responses.get(id) !== 'open') this.#fault(event, 'ends what is not open');
    this.#responses.set(id, 'done');
    if (status !== 'completed') return;
    for (const item of output.filter(({ type }) => type === 'message'))
      if (item.content[0]?.transcript !== undefined) this.#same_text(event, item.id, item.content[0].transcript);
  }

  #outputs(event) {
    if (this.#responses.get(event.response_id) !== 'open') this.#fault(event, 'is of a response that is not open');
    const item = event.item_id ?? event.item?.id;
    if (of_output[event.type]) this.#rises(event, item, of_output[event.type]);
    if (event.type === 'response.output_audio_transcript.delta')
      this.#pieces.set(item, (this.#pieces.get(item) ?? '') + event.delta);
    // An answer that is cut ends where it was heard; one that is completed is compared at its end.
    if (event.type === 'response.output_audio_transcript.done' && !(this.#pieces.get(item) ?? '').startsWith(event.transcript))
      this.#same_text(event, item, event.transcript);
  }

  #same_text(event, item, text) {
    const told = this.#pieces.get(item) ?? '';
    if (told !== text) this.#fault(event, `has the text "${text}", and its pieces are "${told}"`);
  }

  #speech(event) {
    if (event.item && event.item.role !== 'user') return;
    this.#rises(event, `of the visitor ${event.item_id ?? event.item.id}`, of_speech[event.type], !event.type.endsWith('delta'));
  }

  #rises(event, subject, rank, only_once = false) {
    const before = this.#ranks.get(subject) ?? 0;
    if (rank < before || (only_once && rank === before)) this.#fault(event, `comes too late, or again, for ${subject}`);
    this.#ranks.set(subject, rank);
  }

  #fault(event, what) {
    this.faults.push(`${event.type} ${what}: ${JSON.stringify(event).slice(0, 300)}`);
  }
}

/** @returns {string[]} what is wrong with these events; all that one connection has received */
export function faults_of_order(events) {
  const order = new Order();
  for (const event of events) order.take(event);
  return order.faults;
}

/** Whether these types come in this order, others between them. @returns {string} what is missing, or nothing */
export function missing_in_order(events, ...types) {
  let at = 0;
  for (const type of types) {
    at = events.findIndex((event, place) => place >= at && event.type === type) + 1;
    if (at === 0) return `no ${type} in its place of ${types.join(', ')}: ${events.map((event) => event.type).join(' ')}`;
  }
  return '';
}
