/**
 * Reads bytes in network order, within bounds. The first failure is kept (`error`), and from then on every read gives 0 and
 * nothing remains: a decoder looks once at its end, and its loops end.
 */
import { type ErrorName, OfError } from "./error.ts";
import type { OfVersion } from "./version.ts";
import type { TlvSizes } from "./wire-writer.ts";

/** What a connection has agreed on that changes how messages are read. */
export interface DecodeOptions {
  /** OpenFlow 1.0: a flow_mod's command holds the table in its upper byte (NXT_FLOW_MOD_TABLE_ID). */
  readonly flowModTableId?: boolean;
}

interface Failure {
  error: OfError | undefined;
}

export class WireReader {
  readonly version: OfVersion;
  readonly tlvSizes: TlvSizes | undefined;
  readonly options: DecodeOptions;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #start: number;
  readonly #end: number;
  #at: number;
  /** One for a message and all its parts. */
  readonly #failure: Failure;
  /** What reading past the end means here. */
  readonly #shortError: ErrorName;

  constructor(bytes: Uint8Array, version: OfVersion, tlvSizes?: TlvSizes, shortError: ErrorName = "OFPBRC_BAD_LEN", options: DecodeOptions = {}, whole?: WireReader, start = 0, end = bytes.length) {
    this.options = options;
    this.version = version;
    this.tlvSizes = tlvSizes;
    this.#bytes = bytes;
    this.#view = whole === undefined ? new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) : whole.#view;
    this.#start = start;
    this.#at = start;
    this.#end = end;
    this.#failure = whole === undefined ? { error: undefined } : whole.#failure;
    this.#shortError = shortError;
  }

  get error(): OfError | undefined {
    return this.#failure.error;
  }

  get ok(): boolean {
    return this.#failure.error === undefined;
  }

  get remaining(): number {
    return this.#failure.error === undefined ? this.#end - this.#at : 0;
  }

  /** Bytes read so far. */
  get position(): number {
    return this.#at - this.#start;
  }

  fail(name: ErrorName, detail = ""): void {
    this.#failure.error ??= new OfError(name, detail);
  }

  #take(size: number): number {
    const at = this.#at;
    if (this.#failure.error !== undefined) return -1;
    if (this.#end - at < size) {
      this.fail(this.#shortError, `${size} bytes wanted, ${this.#end - at} left`);
      return -1;
    }
    this.#at += size;
    return at;
  }

  u8(): number {
    const at = this.#take(1);
    return at < 0 ? 0 : this.#view.getUint8(at);
  }

  u16(): number {
    const at = this.#take(2);
    return at < 0 ? 0 : this.#view.getUint16(at);
  }

  u32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#view.getUint32(at);
  }

  u48(): number {
    return this.u16() * 0x100000000 + this.u32();
  }

  u64(): bigint {
    const at = this.#take(8);
    return at < 0 ? 0n : this.#view.getBigUint64(at);
  }

  integer(size: number): bigint {
    if (size === 8) return this.u64();
    const at = this.#take(size);
    if (at >= 0 && size === 16) return (this.#view.getBigUint64(at) << 64n) | this.#view.getBigUint64(at + 8);
    let value = 0n;
    if (at >= 0) for (let i = 0; i < size; i++) value = (value << 8n) | BigInt(this.#view.getUint8(at + i));
    return value;
  }

  /** The next 16 bits, not consumed; 0 where there are none. */
  peekU16(offset = 0): number {
    return this.remaining >= offset + 2 ? this.#view.getUint16(this.#at + offset) : 0;
  }

  peekU32(offset = 0): number {
    return this.remaining >= offset + 4 ? this.#view.getUint32(this.#at + offset) : 0;
  }

  /** A view of the next bytes, not a copy. */
  bytes(size: number): Uint8Array {
    const at = this.#take(size);
    return at < 0 ? new Uint8Array(0) : this.#bytes.subarray(at, at + size);
  }

  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }

  skip(size: number): void {
    this.#take(size);
  }

  /** Consumes `size` bytes that must be zero; if one is not, fails with `name`. */
  zeros(size: number, name: ErrorName): void {
    const at = this.#take(size);
    if (at >= 0 && !isZero(this.#bytes.subarray(at, at + size))) this.fail(name, "reserved bytes are not zero");
  }

  /** Text up to the first zero byte in a field of `size` bytes. */
  text(size: number): string {
    const bytes = this.bytes(size);
    const end = bytes.indexOf(0);
    return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
  }

  /** A reader of the next `size` bytes, which are consumed here; a failure there is a failure here. */
  part(size: number, shortError: ErrorName = this.#shortError): WireReader {
    const at = this.#take(size);
    return at < 0
      ? new WireReader(this.#bytes, this.version, this.tlvSizes, shortError, this.options, this, 0, 0)
      : new WireReader(this.#bytes, this.version, this.tlvSizes, shortError, this.options, this, at, at + size);
  }
}

export function isZero(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte !== 0) return false;
  return true;
}

/** Reads items to the end of `r`; each takes at least a byte, or fails. */
export function pullAll<T>(r: WireReader, pull: (r: WireReader) => T | undefined): T[] {
  const items: T[] = [];
  while (r.remaining > 0) {
    const item = pull(r);
    if (item !== undefined && r.ok) items.push(item);
  }
  return items;
}
