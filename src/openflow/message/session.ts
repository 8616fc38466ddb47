/** Who speaks and how: greetings, errors, what a switch is and is set to, a controller's role (OpenFlow 1.5, sections 7.1 and 7.3). */
import type { ErrorName } from "./error.ts";
import type { PortDescription } from "./port-description.ts";

export interface Hello {
  readonly kind: "hello";
  /** The versions that the sender speaks, as bits 1 << version. */
  readonly versions: number;
}

export interface ErrorMessage {
  readonly kind: "error";
  /** undefined: a type and code that this program has no name for. */
  readonly error: ErrorName | undefined;
  /** As on the wire, where `error` is undefined. */
  readonly type?: number;
  readonly code?: number;
  /** The beginning (at least 64 bytes, if it was that long) of the message that was refused. */
  readonly data: Uint8Array;
}

export interface FeaturesReply {
  readonly kind: "features_reply";
  readonly datapathId: bigint;
  readonly buffers: number;
  readonly tables: number;
  readonly auxiliaryId: number;
  readonly capabilities: number;
  /** OpenFlow 1.0 tells the actions (a bit for each) and the ports here. */
  readonly actions?: number;
  readonly ports?: readonly PortDescription[];
}

/** What is done with IP fragments: "normal" treats them as they come. */
export const fragmentHandlings = ["normal", "drop", "reassemble", "nx-match"] as const;

export interface SwitchConfig {
  readonly fragments: (typeof fragmentHandlings)[number];
  readonly missSendLength: number;
}

export const roles = ["nochange", "equal", "primary", "secondary"] as const;

/** Which packet-ins and other asynchronous messages a controller gets: bits by reason, for primary and for secondary. */
export interface AsyncConfig {
  readonly packetIn: readonly [primary: number, secondary: number];
  readonly portStatus: readonly [number, number];
  readonly flowRemoved: readonly [number, number];
}

export interface SwitchDescription {
  readonly manufacturer: string;
  readonly hardware: string;
  readonly software: string;
  readonly serial: string;
  readonly datapath: string;
}
