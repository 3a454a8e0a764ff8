/** The texts of the elements; a page replaces any of them by an element's `strings`. */
export const english = {
  conversation: 'Conversation',
  you: 'You',
  agent: 'Agent',
  your_message: 'Your message',
  placeholder: 'Type a message',
  send: 'Send',
  stop: 'Stop',
  sending: 'sending',
  not_sent: 'Not sent',
  interrupted: 'interrupted',
  thinking: 'The agent is thinking',
  discard: 'Remove',
  approval_title: 'May I do this?',
  approve: 'Yes, do it',
  refuse: 'No, leave it',
  working: 'Working: {tools}',
  ended: 'This conversation has ended.',
  checklist: 'Checklist',
  progress: '{done} of {all}',
  undo: 'Undo',
  nothing_to_undo: 'There is nothing to undo.',
  required: 'required',
  edit: 'Edit {label}',
  save: 'Save',
  cancel: 'Cancel',
  clear: 'Clear',
  choose: 'Choose',
  yes: 'Yes',
  no: 'No',
  show_quote: 'Show where “{quote}” was said',
  by_person: 'set by hand',
  one_per_line: 'One per line',
  enter_value: 'Enter a value, or choose Clear.',
  enter_number: 'Enter a number.',
  enter_object: 'Enter JSON, such as {"kitchen": 4}.',
  unknown_topic: 'no value',
  status_open: 'open',
  status_answered: 'answered',
  status_confirmed: 'confirmed',
  status_contradicted: 'to be clarified',
  status_skipped: 'not needed',
  open_panel: 'Talk to us',
  close_panel: 'Close',
};

/**
 * @param {Record<string, string>} strings
 * @param {string} key
 * @param {Record<string, string|number>} [values] what the text's {names} stand for
 */
export function text(strings, key, values = {}) {
  return (strings[key] ?? english[key] ?? key).replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
}
