/** Properties (OpenFlow 1.4, section 7.2.2): type, length without padding, payload, zeros to 8 bytes. */
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/** `body` writes the payload. OVS counts two zero bytes after a 16-bit number as payload, and none after an 8-bit one. */
export function putProperty(w: WireWriter, propertyType: number, body: () => void): void {
  const start = w.size;
  w.u16(propertyType);
  w.u16(0);
  body();
  w.setU16(start + 2, w.size - start);
  w.pad(start);
}

/** Calls `each` with every property to the end of `r`; it answers whether it knows the type. */
export function pullProperties(r: WireReader, each: (propertyType: number, payload: WireReader) => boolean, unknown: "refuse" | "skip" = "refuse"): void {
  while (r.remaining > 0) {
    const size = r.peekU16(2);
    if (r.remaining < 4 || size < 4 || Math.ceil(size / 8) * 8 > r.remaining) {
      r.fail("OFPBPC_BAD_LEN");
      return;
    }
    const payload = r.part(size, "OFPBPC_BAD_LEN");
    r.skip((8 - (size % 8)) % 8);
    const propertyType = payload.u16();
    payload.skip(2);
    if (!each(propertyType, payload) && unknown === "refuse") r.fail("OFPBPC_BAD_TYPE");
  }
}
