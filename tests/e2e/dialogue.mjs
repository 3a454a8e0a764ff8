// What a visitor of the app `moving` says, by the topic that it settles. Each sentence stands on its own, whatever was
// asked before it.
export const sentences = {
  name: 'My name is Ada Lovelace.',
  from: 'We are moving from Gartenstrasse 5, 10115 Berlin.',
  to: 'We are moving to Hauptstrasse 12, 20095 Hamburg.',
  date: 'The moving day is 12 March 2027.',
  home: 'It is a flat.',
  floor: 'It is on floor 3.',
  lift: 'Yes, there is a lift.',
  fragile: 'A piano.',
  budget: 'The budget is 1200 euros.',
  email: 'My e-mail is ada@example.com.',
};

/** The same, for a microphone: each of them is understood word for word when flite's voice rms says it. */
export const said_by_voice = {
  name: 'My name is Anna Miller.',
  from: 'We are moving from 10 Garden Street in Berlin.',
  to: 'We are moving to 12 Station Road in Hamburg.',
  date: 'The moving day is the twelfth of March.',
  home: 'We live in a house.',
  fragile: 'A piano and two mirrors.',
  budget: 'Our budget is nine hundred euros.',
  email: 'My e-mail address is robert at example dot com.',
};

export const values = {
  name: 'Ada Lovelace',
  date: '2027-03-12',
  home: 'flat',
  floor: 3,
  lift: true,
  email: 'ada@example.com',
};

/**
 * Answers what the agent asks until the checklist is complete.
 * @param {import('./browser.mjs').Tab} tab
 * @param {(said: string) => Promise<void>} [after_each]
 */
export async function whole_dialogue(tab, after_each = async () => {}) {
  const said = new Set();
  // Each topic is settled once and perhaps read back once: whatever takes longer goes in circles.
  for (let turn = 0; turn < 2 * Object.keys(sentences).length; ++turn) {
    if (await tab.page.locator('#completed').isVisible()) return;
    const topics = await tab.topics();
    const open = Object.keys(sentences).find((id) => ['open', 'contradicted'].includes(topics[id]?.status) && !said.has(id));
    const sentence = open ? sentences[open] : 'Yes, that is right.';
    said.add(open);
    await tab.say(sentence);
    if (open) await tab.settled(open);
    await after_each(sentence);
  }
  await tab.page.locator('#completed').waitFor();
}
