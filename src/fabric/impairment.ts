/**
 * What is wrong with a link, in the words of tc-netem(8) and tc-tbf(8): `delay 10ms jitter 2ms loss 5% rate 10mbit limit 100`,
 * and `cut`: nothing arrives, though both ends still see a carrier, as when a fibre breaks behind a media converter.
 */

export interface Impairment {
  readonly delayMs: number;
  /** The delay varies by as much as this either way, evenly; frames keep their order. */
  readonly jitterMs: number;
  /** The share of frames that are lost, from 0 to 1. */
  readonly loss: number;
  /** Bits a second; undefined: as fast as they come. */
  readonly rate: number | undefined;
  /** How many frames may be under way or wait for their turn; more are lost. */
  readonly limit: number;
  readonly isCut: boolean;
}

export const unimpaired: Impairment = { delayMs: 0, jitterMs: 0, loss: 0, rate: undefined, limit: 1000, isCut: false };

/** True if frames may pass as they come. */
export const isUnimpaired = (i: Impairment): boolean => i.delayMs === 0 && i.jitterMs === 0 && i.loss === 0 && i.rate === undefined && !i.isCut;

const timeUnits: ReadonlyMap<string, number> = new Map([["us", 0.001], ["usec", 0.001], ["ms", 1], ["msec", 1], ["s", 1000], ["sec", 1000], ["", 0.001]]);
const rateUnits: ReadonlyMap<string, number> = new Map([["bit", 1], ["kbit", 1e3], ["mbit", 1e6], ["gbit", 1e9], ["bps", 8], ["kbps", 8e3], ["mbps", 8e6], ["gbps", 8e9]]);
const maxDelayMs = 60_000;

/** `10ms`, `250us`, `1s`: milliseconds; a number alone counts microseconds, as for tc. */
export function parseDelay(text: string): number | undefined {
  const [number, unit] = split(text);
  const factor = timeUnits.get(unit);
  const ms = number === undefined || factor === undefined ? undefined : number * factor;
  return ms !== undefined && ms <= maxDelayMs ? ms : undefined;
}

/** `5%`: a share from 0 to 1. */
export function parseLoss(text: string): number | undefined {
  const [number, unit] = split(text);
  return number !== undefined && unit === "%" && number <= 100 ? number / 100 : undefined;
}

/** `10mbit`: bits a second; `bps` counts bytes, as for tc. */
export function parseRate(text: string): number | undefined {
  const [number, unit] = split(text);
  const factor = rateUnits.get(unit.toLowerCase());
  const rate = number === undefined || factor === undefined ? 0 : number * factor;
  return rate >= 1 ? rate : undefined;
}

function split(text: string): [number | undefined, string] {
  const match = /^(\d{1,12}(?:\.\d{1,9})?)([a-zA-Z%]*)$/.exec(text);
  return match === null ? [undefined, ""] : [Number(match[1]), match[2] ?? ""];
}

/** `previous` changed as `words` say (`delay 10ms loss 5%`, `cut`, `mend`, `clear`), or what is wrong with them. */
export function changeImpairment(previous: Impairment, words: readonly string[]): Impairment | { readonly wrong: string } {
  let result = previous;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (word === "cut" || word === "mend") result = { ...result, isCut: word === "cut" };
    else if (word === "clear") result = unimpaired;
    else {
      const change = numbered(word, words[++i]);
      if ("wrong" in change) return change;
      result = { ...result, ...change };
    }
  }
  return result;
}

function numbered(word: string, value: string | undefined): Partial<Impairment> | { readonly wrong: string } {
  const wrong = (expected: string): { readonly wrong: string } => ({ wrong: value === undefined ? `${word}: ${expected} is missing` : `${word} ${value}: expected ${expected}` });
  const text = value ?? "";
  switch (word) {
    case "delay":
    case "jitter": {
      const ms = parseDelay(text);
      return ms === undefined ? wrong("a time of at most a minute, such as 10ms") : word === "delay" ? { delayMs: ms } : { jitterMs: ms };
    }
    case "loss": {
      const loss = parseLoss(text);
      return loss === undefined ? wrong("a share such as 5%") : { loss };
    }
    case "rate": {
      const rate = parseRate(text);
      return rate === undefined ? wrong("a rate such as 10mbit") : { rate };
    }
    case "limit": {
      const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
      return limit === 0 ? wrong("a number of frames, at least 1") : { limit };
    }
    default:
      return { wrong: `"${word}" is nothing that happens to a link; there are delay, jitter, loss, rate, limit, cut, mend, clear` };
  }
}

/** In the words that `changeImpairment` takes; empty if there is none. */
export function formatImpairment(i: Impairment): string {
  const time = (ms: number): string => (ms >= 1 || ms === 0 ? `${round(ms)}ms` : `${round(ms * 1000)}us`);
  const parts: string[] = [];
  if (i.isCut) parts.push("cut");
  if (i.delayMs > 0) parts.push(`delay ${time(i.delayMs)}`);
  if (i.jitterMs > 0) parts.push(`jitter ${time(i.jitterMs)}`);
  if (i.loss > 0) parts.push(`loss ${round(i.loss * 100)}%`);
  if (i.rate !== undefined) parts.push(`rate ${formatRate(i.rate)}`);
  if (i.limit !== unimpaired.limit) parts.push(`limit ${i.limit}`);
  return parts.join(" ");
}

function formatRate(rate: number): string {
  for (const [unit, factor] of [["gbit", 1e9], ["mbit", 1e6], ["kbit", 1e3]] as const) if (rate >= factor) return `${round(rate / factor)}${unit}`;
  return `${round(rate)}bit`;
}

const round = (value: number): number => Number(value.toFixed(6));
