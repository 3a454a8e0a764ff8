const space = 'http://www.w3.org/2000/svg';

const microphone = 'M12 3a3 3 0 0 0-3 3v6a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3z M5.5 11v1a6.5 6.5 0 0 0 13 0v-1 M12 18.5V22 M8.5 22h7';

/** One shape for each state, so that nobody has to tell them apart by colour. Paths of a 24 by 24 field. */
const paths = {
  off: microphone,
  starting: microphone,
  listening: microphone,
  thinking: 'M5 12h.01 M12 12h.01 M19 12h.01',
  speaking: 'M4 10v4 M8 6.5v11 M12 3v18 M16 6.5v11 M20 10v4',
  muted: `${microphone} M3.5 3.5l17 17`,
  refused: 'M12 3.5v11 M12 19.5h.01',
  stop: 'M6 6l12 12 M18 6L6 18',
};

/** @param {keyof typeof paths} name @returns {SVGElement} drawn in the text's colour; nothing for those who listen */
export function icon(name) {
  const svg = document.createElementNS(space, 'svg');
  const about = { viewBox: '0 0 24 24', 'aria-hidden': 'true', class: `icon-${name}`, fill: 'none', stroke: 'currentColor' };
  Object.assign(about, { 'stroke-width': name === 'thinking' ? '3.4' : '2', 'stroke-linecap': 'round', 'stroke-linejoin': 'round' });
  for (const [key, value] of Object.entries(about)) svg.setAttribute(key, value);
  const path = document.createElementNS(space, 'path');
  path.setAttribute('d', paths[name]);
  // Listening is the filled microphone: what is heard goes somewhere.
  if (name === 'listening') path.setAttribute('fill', 'currentColor');
  svg.append(path);
  return svg;
}
