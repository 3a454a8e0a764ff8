import { SidevoiceError } from './errors.js';

/**
 * The server's address as a base for its paths, ending in "/". By default it is where this script came from, which may
 * be below a path ("https://talk.example/talk/").
 * @param {string} [url] "https://talk.example/", also with ws: or wss:
 * @returns {string}
 */
export function server_base(url) {
  if (!url) {
    const script = new URL(import.meta.url);
    if (script.protocol === 'file:')
      throw new SidevoiceError('No server address: pass `url`, such as "http://127.0.0.1:8080/".', { code: 'no_url' });
    return new URL(script.pathname.replace(/(clients\/js\/)?[^/]*$/, ''), script).href;
  }
  const base = new URL(url, typeof location === 'undefined' ? undefined : location.href);
  base.protocol = base.protocol.replace(/^ws/, 'http');
  base.search = '';
  base.hash = '';
  base.pathname = base.pathname.replace(/v1\/realtime\/?$/, '').replace(/\/?$/, '/');
  return base.href;
}

/**
 * @param {string} base as server_base gives it
 * @param {{app: string, session?: string, language?: string}} what
 */
export function realtime_url(base, { app, session, language }) {
  const url = new URL('v1/realtime', base);
  url.searchParams.set('model', app);
  if (session) url.searchParams.set('session', session);
  if (language) url.searchParams.set('locale', language);
  // What day "tomorrow" is depends on where the visitor sits.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) url.searchParams.set('zone', zone);
  url.protocol = url.protocol.replace(/^http/, 'ws');
  return url.href;
}
