/** Meters: how they are set up and counted (OpenFlow 1.5, sections 7.3.4 and 7.3.5). */
export interface MeterBand {
  readonly type: "drop" | "dscp_remark";
  readonly rate: number;
  readonly burst: number;
  /** dscp_remark only. */
  readonly precedence?: number;
}

/** Bits of MeterConfig.flags. */
export const meterFlags = { kbps: 1, pktps: 2, burst: 4, stats: 8 } as const;

export const meters = { max: 0xffff0000, slowpath: 0xfffffffd, controller: 0xfffffffe, all: 0xffffffff } as const;

export interface MeterConfig {
  readonly meter: number;
  readonly flags: number;
  readonly bands: readonly MeterBand[];
}

export interface MeterMod extends MeterConfig {
  readonly kind: "meter_mod";
  readonly command: "add" | "modify" | "delete";
}

export interface MeterStats {
  readonly meter: number;
  readonly flows: number;
  readonly packets: bigint;
  readonly bytes: bigint;
  readonly durationNs: bigint;
  readonly bands: readonly { readonly packets: bigint; readonly bytes: bigint }[];
}
