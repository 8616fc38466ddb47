/** Cache entries as dpctl/dump-flows prints datapath flows: what they match, how much they were used, what they do. */
import { formatDatapathActions, type PortTexts } from "../packet/datapath-action-text.ts";
import { formatDatapathFlow } from "../packet/datapath-flow-text.ts";
import type { CacheEntry } from "./flow-cache.ts";
import { keyWords } from "./flow-key.ts";
import { shownMask } from "./shown-mask.ts";

export function cacheEntryText(entry: CacheEntry, nowMs: number, ports: PortTexts): string {
  const key = new Uint32Array(keyWords);
  const mask = new Uint32Array(keyWords);
  entry.mask.words.forEach((word, i) => {
    key[word] = entry.values[i] ?? 0;
    mask[word] = entry.mask.masks[i] ?? 0;
  });
  const flow = formatDatapathFlow(key, shownMask(key, mask), ports.number);
  // The packet that led to an entry is not one that it was used for, in OVS.
  const [packets, bytes] = [Math.max(0, entry.packets - 1), Math.max(0, entry.bytes - entry.firstBytes)];
  const used = packets === 0 ? "never" : `${((nowMs - entry.usedMs) / 1000).toFixed(3)}s`;
  return `${flow}, packets:${packets}, bytes:${bytes}, used:${used}, actions:${formatDatapathActions(entry.actions, ports)}`;
}
