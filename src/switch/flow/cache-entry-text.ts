/** Cache entries as dpctl/dump-flows prints datapath flows: what they match, how much they were used, what they do. */
import { formatMatch } from "../../openflow/index.ts";
import { formatDatapathActions } from "../packet/datapath-action-text.ts";
import type { CacheEntry } from "./flow-cache.ts";
import { keyWords, W } from "./flow-key.ts";
import { matchOfKey } from "./key-match.ts";

export function cacheEntryText(entry: CacheEntry, nowMs: number): string {
  const key = new Uint32Array(keyWords);
  const mask = new Uint32Array(keyWords);
  entry.mask.words.forEach((word, i) => {
    key[word] = entry.values[i] ?? 0;
    mask[word] = entry.mask.masks[i] ?? 0;
  });
  const [recirculation, port] = [key[W.recircId] ?? 0, key[W.inPort] ?? 0];
  mask[W.recircId] = 0;
  mask[W.inPort] = 0;
  const match = formatMatch(matchOfKey(key, mask));
  const used = entry.packets === 0 ? "never" : `${((nowMs - entry.usedMs) / 1000).toFixed(3)}s`;
  return `recirc_id(${recirculation === 0 ? "0" : `0x${recirculation.toString(16)}`}),in_port(${port})${match === "" ? "" : `,${match}`}, packets:${entry.packets}, bytes:${entry.bytes}, used:${used}, actions:${formatDatapathActions(entry.actions)}`;
}
