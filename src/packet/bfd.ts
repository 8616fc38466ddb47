/**
 * BFD control packets (RFC 5880, section 4.1).
 *
 *     |Vers |  Diag   |Sta|P|F|C|A|D|M|  Detect Mult  |     Length    |
 *     |                       My Discriminator                        |
 *     |                      Your Discriminator                       |
 *     |                    Desired Min TX Interval                    |
 *     |                   Required Min RX Interval                    |
 *     |                 Required Min Echo RX Interval                 |
 */
import { readU32, writeU32 } from "./bytes.ts";

export const bfdStates = ["admin_down", "down", "init", "up"] as const;

export interface Bfd {
  readonly diagnostic: number;
  readonly state: (typeof bfdStates)[number];
  readonly poll: boolean;
  readonly final: boolean;
  readonly controlPlaneIndependent: boolean;
  readonly demand: boolean;
  readonly multiplier: number;
  readonly myDiscriminator: number;
  readonly yourDiscriminator: number;
  /** Microseconds, these three. */
  readonly desiredMinTx: number;
  readonly requiredMinRx: number;
  readonly requiredMinEchoRx: number;
}

export const bfdSize = 24;
export const bfdPort = 3784;

/** undefined if it is not a packet that section 6.8.6 lets pass without looking at a session. Authentication is not spoken. */
export function parseBfd(b: Uint8Array): Bfd | undefined {
  if (b.length < bfdSize) return undefined;
  const [first = 0, second = 0, multiplier = 0, size = 0] = b;
  const state = bfdStates[second >> 6];
  const [myDiscriminator, yourDiscriminator] = [readU32(b, 4), readU32(b, 8)];
  const isAuthenticated = (second & 4) !== 0;
  const isMultipoint = (second & 1) !== 0;
  if (first >> 5 !== 1 || size < bfdSize || size > b.length || multiplier === 0 || isMultipoint || isAuthenticated || myDiscriminator === 0) return undefined;
  if (state === undefined || (yourDiscriminator === 0 && state !== "down" && state !== "admin_down")) return undefined;
  return {
    diagnostic: first & 0x1f, state, poll: (second & 0x20) !== 0, final: (second & 0x10) !== 0, controlPlaneIndependent: (second & 8) !== 0,
    demand: (second & 2) !== 0, multiplier, myDiscriminator, yourDiscriminator, desiredMinTx: readU32(b, 12), requiredMinRx: readU32(b, 16),
    requiredMinEchoRx: readU32(b, 20),
  };
}

export function emitBfd(h: Bfd, b: Uint8Array): void {
  b[0] = (1 << 5) | h.diagnostic;
  b[1] = (bfdStates.indexOf(h.state) << 6) | (h.poll ? 0x20 : 0) | (h.final ? 0x10 : 0) | (h.controlPlaneIndependent ? 8 : 0) | (h.demand ? 2 : 0);
  b[2] = h.multiplier;
  b[3] = bfdSize;
  [h.myDiscriminator, h.yourDiscriminator, h.desiredMinTx, h.requiredMinRx, h.requiredMinEchoRx].forEach((n, i) => writeU32(b, 4 + 4 * i, n));
}
