/** Meters (OpenFlow 1.5.1, section 5.7): token buckets, one for each band; drop bands drop, the rest goes on. */
import { type MeterConfig, meterFlags, OfError } from "../../openflow/index.ts";

interface Band {
  readonly ratePerMs: number;
  readonly burst: number;
  tokens: number;
  packets: number;
  bytes: number;
}

export class FlowMeter {
  readonly of: MeterConfig;
  readonly bands: readonly Band[];
  readonly createdMs: number;
  packets = 0;
  bytes = 0;
  #filledMs: number;

  constructor(of: MeterConfig, nowMs: number) {
    this.of = of;
    this.createdMs = nowMs;
    this.#filledMs = nowMs;
    this.bands = of.bands.map((band) => {
      // A packet costs 1000 and a bit costs 1: then packets per second and kilobits per second are both tokens per millisecond.
      const ratePerMs = band.rate;
      const burst = (of.flags & meterFlags.burst) !== 0 && band.burst > 0 ? band.burst * 1000 : band.rate * 1000;
      return { ratePerMs, burst, tokens: burst, packets: 0, bytes: 0 };
    });
  }

  /** Whether a packet of this size may pass now. */
  passes(size: number, nowMs: number): boolean {
    this.packets++;
    this.bytes += size;
    const cost = (this.of.flags & meterFlags.pktps) !== 0 ? 1000 : size * 8;
    const elapsedMs = Math.max(0, nowMs - this.#filledMs);
    this.#filledMs = nowMs;
    let exceeded: Band | undefined;
    for (const band of this.bands) {
      band.tokens = Math.min(band.burst, band.tokens + elapsedMs * band.ratePerMs);
      if (band.tokens >= cost) band.tokens -= cost;
      // Of several exceeded bands the one with the highest rate counts.
      else if (exceeded === undefined || band.ratePerMs > exceeded.ratePerMs) exceeded = band;
    }
    if (exceeded === undefined) return true;
    exceeded.packets++;
    exceeded.bytes += size;
    return false;
  }
}

export function makeMeter(of: MeterConfig, nowMs: number): FlowMeter | OfError {
  if (of.bands.some((b) => b.type !== "drop")) return new OfError("OFPMMFC_BAD_BAND", "only drop bands");
  if ((of.flags & meterFlags.kbps) !== 0 && (of.flags & meterFlags.pktps) !== 0) return new OfError("OFPMMFC_BAD_FLAGS");
  return new FlowMeter(of, nowMs);
}
