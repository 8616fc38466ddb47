/** Connections that a switch is told to forget (NXT_CT_FLUSH). */
/** One direction of a connection, for NXT_CT_FLUSH: only what is given must agree. */
export interface CtTuple {
  readonly source?: bigint;
  readonly destination?: bigint;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly icmpId?: number;
  readonly icmpType?: number;
  readonly icmpCode?: number;
}

export interface CtFlush {
  readonly kind: "ct_flush";
  readonly zone?: number;
  readonly family: 0 | 4 | 6;
  readonly protocol: number;
  readonly original: CtTuple;
  readonly reply: CtTuple;
  readonly mark?: { readonly value: number; readonly mask: number };
  readonly labels?: { readonly value: bigint; readonly mask: bigint };
}
