import { text } from './strings.js';

/**
 * A topic's value as a person reads it: "Friday, 12 March 2027", "€1,200", "Yes".
 * @param {object} topic
 * @param {Record<string, string>} strings
 * @param {string} [locale] default: the page's language
 */
export function format_topic(topic, strings, locale = page_locale()) {
  const { value } = topic;
  if (value === null || value === undefined || value === '') return '';
  if (Array.isArray(value)) return value.map((one) => format_value(topic, one, strings, locale)).join(', ');
  return format_value(topic, value, strings, locale);
}

/** The page's language, in the visitor's own country's form of it where he has one: "en" and "en-GB" give "en-GB". */
function page_locale() {
  const page = globalThis.document?.documentElement.lang;
  if (!page) return undefined;
  const own = globalThis.navigator?.languages ?? [];
  return own.find((one) => one.split('-')[0] === page.split('-')[0]) ?? page;
}

function format_value(topic, value, strings, locale) {
  if (typeof value === 'boolean') return text(strings, value ? 'yes' : 'no');
  if (topic.type === 'date' && /^\d{4}-\d{2}-\d{2}$/.test(value)) {
    const style = { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' };
    return new Intl.DateTimeFormat(locale, style).format(new Date(`${value}T00:00:00Z`));
  }
  if (topic.type === 'money' && typeof value === 'object') return format_money(value, locale);
  if (typeof value === 'object')
    return Object.entries(value).map(([name, one]) => `${name}: ${typeof one === 'object' ? JSON.stringify(one) : one}`).join(', ');
  return String(value);
}

function format_money({ amount, currency }, locale) {
  try {
    return new Intl.NumberFormat(locale, { style: 'currency', currency, minimumFractionDigits: 0 }).format(amount);
  } catch {
    return `${currency ?? ''} ${amount}`.trim();
  }
}
