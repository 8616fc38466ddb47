/**
 * Counters that run through all 64 bits and then begin anew, such as NB_Global.nb_cfg. Whoever hands one on must not round it:
 * what differs would seem equal, and a number rounded up to 2^63 no database takes.
 */

/** A bigint where a number would not be exact, so that equal counters are `===`. */
export type Counter = number | bigint;

export const minCounter = (a: Counter, b: Counter): Counter => (a < b ? a : b);

/** How far `ahead` is before `behind`; exact as far as anybody asks, which is whether it is small. */
export const counterLead = (ahead: Counter, behind: Counter): number =>
  typeof ahead === "number" && typeof behind === "number" ? ahead - behind : Number(BigInt(ahead) - BigInt(behind));
