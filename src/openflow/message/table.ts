/** Tables as a switch describes and counts them (OpenFlow 1.5, section 7.3.5). */
export interface TableStats {
  readonly table: number;
  readonly active: number;
  readonly lookups: bigint;
  readonly matched: bigint;
}

export interface TableFeatures {
  readonly table: number;
  readonly name: string;
  readonly maxEntries: number;
  readonly metadataMatch: bigint;
  readonly metadataWrite: bigint;
}
