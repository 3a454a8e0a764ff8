import { make } from './element.js';

/**
 * The field for a topic's type, and the way from its text to a JSON value.
 *
 * @param {object} topic
 * @param {(key: string, values?: object) => string} text
 * @returns {{field: HTMLElement, read: () => any}} `read` throws an Error with a sentence when the text is no value;
 *   whether the value will do is the server's to say
 */
export function topic_input(topic, text) {
  const { value } = topic;
  const about = { class: 'field', part: 'field', 'aria-label': topic.label ?? topic.id };
  if (topic.list || Array.isArray(value)) return list_input(topic, about, text);
  switch (topic.type) {
    case 'choice':
      return choice_input((topic.choices ?? []).map((one) => [one, one]), value, about, text);
    case 'yes_no': {
      const options = [['true', text('yes')], ['false', text('no')]];
      const made = choice_input(options, value === undefined || value === null ? undefined : String(value), about, text);
      return { field: made.field, read: () => made.read() === 'true' };
    }
    case 'integer':
      return number_input({ ...about, inputmode: 'numeric', step: '1', min: topic.min, max: topic.max, value }, text);
    case 'money': {
      const made = number_input({ ...about, inputmode: 'decimal', step: 'any', value: value?.amount ?? value }, text);
      const currency = value?.currency ?? topic.currency;
      return { field: made.field, read: () => (currency ? { amount: made.read(), currency } : made.read()) };
    }
    case 'object':
      return object_input(value, about, text);
    default:
      return line_input({ ...about, type: { date: 'date', email: 'email' }[topic.type] ?? 'text', value }, text);
  }
}

function needed(value, text) {
  if (value === '') throw new Error(text('enter_value'));
  return value;
}

function line_input(about, text) {
  const field = make('input', about);
  return { field, read: () => needed(field.value.trim(), text) };
}

function number_input(about, text) {
  const field = make('input', { ...about, type: 'number' });
  return {
    field,
    read() {
      if (field.validity?.badInput) throw new Error(text('enter_number'));
      return Number(needed(field.value, text));
    },
  };
}

function choice_input(options, value, about, text) {
  const empty = make('option', { value: '', text: text('choose') });
  const field = make('select', about, empty, ...options.map(([one, label]) => make('option', { value: one, text: label })));
  field.value = value ?? '';
  return { field, read: () => needed(field.value, text) };
}

function list_input(topic, about, text) {
  const field = make('textarea', { ...about, rows: '3', placeholder: text('one_per_line') });
  field.value = [topic.value ?? []].flat().join('\n');
  const numbers = topic.type === 'integer';
  return {
    field,
    read() {
      const lines = needed(field.value.trim(), text).split('\n').map((line) => line.trim()).filter(Boolean);
      return numbers ? lines.map(Number) : lines;
    },
  };
}

function object_input(value, about, text) {
  const field = make('textarea', { ...about, rows: '4', spellcheck: 'false' });
  field.value = value ? JSON.stringify(value, null, 1) : '';
  return {
    field,
    read() {
      try {
        return JSON.parse(needed(field.value.trim(), text));
      } catch (fault) {
        throw fault instanceof SyntaxError ? new Error(text('enter_object')) : fault;
      }
    },
  };
}
