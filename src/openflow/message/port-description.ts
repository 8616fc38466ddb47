/** Ports as a switch describes, changes and counts them (OpenFlow 1.5, sections 7.2.1, 7.3.4 and 7.4). Their numbers: port.ts. */
export interface PortDescription {
  readonly port: number;
  readonly mac: number;
  readonly name: string;
  /** Bits of `portConfig`. */
  readonly config: number;
  /** Bits of `portState`. */
  readonly state: number;
  readonly current: number;
  readonly advertised: number;
  readonly supported: number;
  readonly peer: number;
  /** kbit/s. */
  readonly currentSpeed: number;
  readonly maxSpeed: number;
}

export const portConfig = { portDown: 1 << 0, noReceive: 1 << 2, noForward: 1 << 5, noPacketIn: 1 << 6 } as const;

export const portState = { linkDown: 1 << 0, blocked: 1 << 1, live: 1 << 2 } as const;

export const portStatusReasons = ["add", "delete", "modify"] as const;

export interface PortStatus {
  readonly kind: "port_status";
  readonly reason: (typeof portStatusReasons)[number];
  readonly port: PortDescription;
}

export interface PortMod {
  readonly kind: "port_mod";
  readonly port: number;
  readonly mac: number;
  readonly config: number;
  readonly mask: number;
  readonly advertise: number;
}

export interface PortStats {
  readonly port: number;
  readonly rxPackets: bigint;
  readonly txPackets: bigint;
  readonly rxBytes: bigint;
  readonly txBytes: bigint;
  readonly rxDropped: bigint;
  readonly txDropped: bigint;
  readonly rxErrors: bigint;
  readonly txErrors: bigint;
  /** Of the errors received: bad frames, overruns, bad checksums. */
  readonly rxFrameErrors: bigint;
  readonly rxOverErrors: bigint;
  readonly rxCrcErrors: bigint;
  readonly collisions: bigint;
  readonly durationNs: bigint;
}
