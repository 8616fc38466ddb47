/**
 * A cable between two sockets, each way with its own troubles: loss (by a seeded die), delay and jitter, a rate with a queue in
 * front of it, or a cut. Without troubles a frame is at the other end at once.
 *
 * A frame that leaves at t starts to be sent when those before it have been (rate), arrives `delay` after its last bit was sent,
 * and never before one that was sent earlier.
 */
import type { Clock, Timer } from "../host/index.ts";
import type { Courier } from "./courier.ts";
import { type Impairment, isUnimpaired, unimpaired } from "./impairment.ts";

/** Numbers from 0 to below 2^32; see std's SeededRandom. */
export interface Dice {
  next32(): number;
}

export interface CableCounters {
  carried: number;
  /** By loss, by a full queue, or by a cut. */
  lost: number;
}

/** Preamble, frame check sequence and the gap between frames: they take their time on the wire too (IEEE 802.3). */
const framingSize = 24;

class Direction {
  impairment: Impairment = unimpaired;
  receive: ((frame: Uint8Array) => void) | undefined;
  readonly counters: CableCounters = { carried: 0, lost: 0 };
  /** When the sender will have sent what is waiting. */
  freeAtMs = 0;
  lastArrivalMs = 0;
  readonly underWay = new Set<Timer>();
}

/** One end of a cable: what is sent into it comes out at the other end. */
export interface CableEnd {
  send(frame: Uint8Array): void;
  attach(receive: (frame: Uint8Array) => void): void;
  /** Of what is sent into this end. */
  readonly counters: Readonly<CableCounters>;
  impairment: Impairment;
}

export class Cable {
  readonly ends: readonly [CableEnd, CableEnd];
  readonly #directions = [new Direction(), new Direction()] as const;
  readonly #clock: Clock;
  readonly #courier: Courier;
  readonly #dice: Dice;

  constructor(clock: Clock, courier: Courier, dice: Dice) {
    this.#clock = clock;
    this.#courier = courier;
    this.#dice = dice;
    const [there, back] = this.#directions;
    this.ends = [this.#end(there, back), this.#end(back, there)];
  }

  #end(out: Direction, into: Direction): CableEnd {
    return {
      send: (frame) => this.#send(out, frame),
      attach: (receive) => {
        into.receive = receive;
      },
      counters: out.counters,
      get impairment() {
        return out.impairment;
      },
      set impairment(impairment) {
        out.impairment = impairment;
        // What is in a cable when it is cut does not arrive.
        if (impairment.isCut) for (const timer of out.underWay) timer.cancel();
        if (impairment.isCut) out.counters.lost += out.underWay.size;
        if (impairment.isCut) out.underWay.clear();
      },
    };
  }

  #send(way: Direction, frame: Uint8Array): void {
    const { impairment, counters } = way;
    if (isUnimpaired(impairment) && way.underWay.size === 0) {
      this.#arrive(way, frame);
      return;
    }
    const isLost = impairment.isCut || way.underWay.size >= impairment.limit || (impairment.loss > 0 && this.#dice.next32() < impairment.loss * 2 ** 32);
    if (isLost) {
      counters.lost++;
      return;
    }
    const now = this.#clock.now();
    const sentMs = impairment.rate === undefined ? now : Math.max(now, way.freeAtMs) + ((frame.length + framingSize) * 8 * 1000) / impairment.rate;
    way.freeAtMs = sentMs;
    const jitter = impairment.jitterMs === 0 ? 0 : (this.#dice.next32() / 2 ** 31 - 1) * impairment.jitterMs;
    const arrivalMs = Math.max(way.lastArrivalMs, sentMs + Math.max(0, impairment.delayMs + jitter));
    way.lastArrivalMs = arrivalMs;
    const timer = this.#clock.after(arrivalMs - now, () => {
      way.underWay.delete(timer);
      this.#arrive(way, frame);
    });
    way.underWay.add(timer);
  }

  #arrive(way: Direction, frame: Uint8Array): void {
    way.counters.carried++;
    this.#courier.carry(() => way.receive?.(frame));
  }

  close(): void {
    for (const way of this.#directions) {
      for (const timer of way.underWay) timer.cancel();
      way.underWay.clear();
      way.receive = undefined;
    }
  }
}
