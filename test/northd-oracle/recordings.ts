/**
 * What OVN's northd (26.03.90) made of random networks, kept so that ours is held against it where the C program is not at
 * hand. Made by `node scripts/northd-oracle.mjs FAMILY 1 40 --record`, a file for each family.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import { southbound } from "../../src/schemas/index.ts";
import type { DatabaseClient } from "./database-client.ts";
import type { Network } from "./network.ts";
import { inOrder, normalizeNorthbound, normalizeSouthbound } from "./normalize.ts";

export interface Recording {
  readonly seed: number;
  readonly network: Network;
  /** The lines of `linesOf`. */
  readonly expected: readonly string[];
}

/** From the root of the repository. */
export const recordingsFile = (family: string): string => `test/northd-oracle/recordings/${family}.json.br`;

export function writeRecordings(path: string, recordings: readonly Recording[]): void {
  const text = JSON.stringify(recordings);
  writeFileSync(path, brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: text.length } }));
}

export function readRecordings(path: string): readonly Recording[] {
  const recordings = JSON.parse(brotliDecompressSync(readFileSync(path)).toString()) as Recording[];
  return recordings.map((recording) => ({ ...recording, expected: recording.expected.map(inOrder) }));
}

const southboundTables = Object.keys(southbound.tables).filter((t) => t !== "SSL" && t !== "Connection");
const northboundTables = ["NB_Global", "BFD", "Network_Function_Group", "Logical_Switch_Port", "Logical_Switch_Port_Health_Check", "Logical_Router_Port"];

/** All that a northd has a say in, normalized. */
export async function linesOf(client: DatabaseClient): Promise<string[]> {
  return [
    ...normalizeSouthbound(await client.dump("OVN_Southbound", southboundTables)), ...normalizeNorthbound(await client.dump("OVN_Northbound", northboundTables)),
  ];
}

/** The lines that the others lack, as often as they lack them. */
export function without(lines: readonly string[], others: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const line of others) counts.set(line, (counts.get(line) ?? 0) + 1);
  return lines.filter((line) => {
    const count = counts.get(line) ?? 0;
    counts.set(line, count - 1);
    return count <= 0;
  });
}
