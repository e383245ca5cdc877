// What was typed or said, held against the words of commands. Case, accents, a slip or two and a name that was
// taken apart do not matter; polite words count for nothing unless a command has them too.
const POLITE = new Set(`a an and at about again any are be been bring by can could d did display do does doing for from get give go had has have hey hi how i if in
  into is it its jump just kindly let like ll look m many me move my need now number of ok okay on only open out over page per please re right s say
  screen see show some switch take tell thank thanks that the there these this to turn up us view want was were what which who will with would
  you`.split(/\s+/));
const NUMBERS = { one: "1", two: "2", three: "3", four: "4", five: "5", six: "6", seven: "7", eight: "8", nine: "9", ten: "10", thirty: "30" };
const PLAIN = { "\u00df": "ss", "\u00f8": "o", "\u0142": "l", "\u00e6": "ae", "\u0153": "oe", "\u0111": "d" };
const POLITE_WEIGHT = 0.2;
const NAME_BONUS = 0.1; // a command whose name was said goes before one that merely holds the words
const MUCH_OF_A_NAME = 0.5;
const WHOLE = 0.9; // a word that was found as it is
const LEAST = 0.45; // of what was said: half, be it by another name
const SURE = 0.7;

/** The words of a text in plain small letters. */
function plainWords(text) {
  const plain = text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/[\u00df\u00f8\u0142\u00e6\u0153\u0111]/g, (letter) => PLAIN[letter]);
  return plain.match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** The words of a text as they are compared: in the singular, numbers in digits. */
export const wordsOf = (text) => plainWords(text).map(compared);
const compared = (word) => NUMBERS[word] ?? singular(word);
const singular = (word) => (word.length < 4 ? word : word.replace(/ies$/, "y").replace(/([^s])s$/, "$1"));

/** Slips (a letter too many, too few, another, or two exchanged) between two words, and up to the nearest beginning of the second. */
function slips(said, word) {
  let [earlier, before] = [[], Array.from({ length: word.length + 1 }, (_, place) => place)];
  for (let i = 1; i <= said.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= word.length; j += 1) {
      row[j] = Math.min(before[j] + 1, row[j - 1] + 1, before[j - 1] + Number(said[i - 1] !== word[j - 1]));
      if (i > 1 && j > 1 && said[i - 1] === word[j - 2] && said[i - 2] === word[j - 1]) row[j] = Math.min(row[j], earlier[j - 2] + 1);
    }
    [earlier, before] = [before, row];
  }
  return { whole: before[word.length], begun: Math.min(...before) };
}

/** What of a word is heard: its consonants, and whether a vowel begins it. */
const sound = (word) => word.replace(/ph/g, "f").replace(/^[aeiouyhw]+/, "a").replace(/(?<!^)[aeiouyhw]/g, "").replace(/[ckq]/g, "k")
  .replace(/[sz]/g, "s").replace(/(.)\1+/g, "$1");

/** How much a word that was said is like a word of a command, up to 1; the last one may be half typed. */
export function likeness(said, word, isLast) {
  if (said === word) return 1;
  if (word.startsWith(said) && (isLast || said.length > 2)) return 0.8 + (0.15 * said.length) / word.length;
  const allowed = said.length < 4 ? 0 : said.length < 7 ? 1 : 2;
  if (allowed === 0 || said.length - word.length > allowed || (said[0] !== word[0] && said[0] !== word[1])) return 0;
  const { whole, begun } = slips(said, word);
  if (whole <= allowed) return 0.8 - 0.1 * whole;
  if (isLast && said.length > 4 && begun < 2) return 0.6;
  return 0;
}

/** As `likeness`, for two words that may be one name: `nord brew`, `arrow loom`. */
function likenessOfBoth(said, word) {
  const heard = sound(said);
  return likeness(said, word, false) || (said.length > 4 && heard.length > 2 && heard === sound(word) ? 0.6 : 0);
}

/** A command's words: those of its name, and what else it may be called by. */
export function termsOf(name, also) {
  const named = wordsOf(name);
  const whole = named.length === 2 ? [named.join("")] : [];
  const others = new Map(plainWords(also).map((shown) => [compared(shown), shown]).filter(([word]) => !named.includes(word)));
  return [...[...new Set([...named, ...whole])].map((word) => ({ word, shown: word, weight: 1, isName: true })),
    ...[...others].map(([word, shown]) => ({ word, shown, weight: 0.9, isName: false }))];
}

/** A function of a word that is worked out once for each: thousands of commands share a few words. */
function once(work) {
  const known = new Map();
  return (word) => {
    if (!known.has(word)) known.set(word, work(word));
    return known.get(word);
  };
}

/** For each said word, and each two in a row, how like they are to a word; polite ones only to themselves. */
function listen(said, polite) {
  return {
    each: said.map((one, place) => once((word) => (polite[place] ? Number(one === word) : likeness(one, word, place === said.length - 1)))),
    both: said.slice(1).map((next, place) => (polite[place] || polite[place + 1] ? () => 0 : once((word) => likenessOfBoth(said[place] + next, word)))),
  };
}

/** The best likeness of each said word to the terms, and the term. */
function held({ each, both }, terms) {
  const best = (likenessTo, among) => among.reduce((hit, term) => {
    const like = term.weight * likenessTo(term.word);
    return like > hit.like ? { like, term } : hit;
  }, { like: 0, term: null });
  const hits = each.map((likenessTo) => best(likenessTo, terms));
  both.forEach((likenessTo, place) => {
    const [one, other] = hits.slice(place, place + 2);
    if (one.like >= WHOLE || other.like >= WHOLE) return;
    const joined = best(likenessTo, terms.filter(({ isName }) => isName));
    if (2 * joined.like > one.like + other.like) hits[place] = hits[place + 1] = joined;
  });
  return hits;
}

/** How much of what was said a command answers, and by which words; null where that is too little. */
function answer(heard, polite, command) {
  const hits = held(heard, command.terms);
  let [got, asked] = [0, 0];
  hits.forEach(({ like }, place) => {
    if (polite[place] && like === 0) return;
    const weight = polite[place] ? POLITE_WEIGHT : 1;
    [got, asked] = [got + weight * like, asked + weight];
  });
  if (asked === 0 || got / asked < LEAST) return null;
  const terms = new Set(hits.filter(({ like }) => like > 0).map(({ term }) => term));
  const names = command.terms.filter(({ isName, word }) => isName && !POLITE.has(word));
  const share = names.filter((term) => terms.has(term)).length / Math.max(1, names.length);
  const bonus = share < MUCH_OF_A_NAME ? 0 : NAME_BONUS * share;
  return { command, score: got / asked + bonus, sure: got / asked >= SURE, words: new Map([...terms].map(({ word, shown }) => [word, shown])) };
}

/** The commands that a text may mean, the best first; of equals the one that stands first in `commands`. */
export function rank(text, commands) {
  const said = wordsOf(text);
  const polite = said.map((word) => POLITE.has(word));
  if (polite.every(Boolean)) polite.fill(false);
  const heard = listen(said, polite);
  return commands.map((command) => answer(heard, polite, command)).filter((found) => found !== null).sort((a, b) => b.score - a.score);
}
