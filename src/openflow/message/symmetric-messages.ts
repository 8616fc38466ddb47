/** Messages that either side sends, and those that set a connection up: hello, error, echo, features, configuration, role. */
import { type ErrorName, errorOnWire, errorPlace } from "./error.ts";
import type { MessageOf } from "./message.ts";
import { type AsyncConfig, fragmentHandlings, roles, type SwitchConfig } from "./session.ts";
import { type Codec, type Codecs, type } from "./message-codec.ts";
import { pullProperties, putProperty } from "./property.ts";
import { of13 } from "./version.ts";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

const empty = <K extends "features_request" | "get_config_request" | "barrier_request" | "barrier_reply" | "get_async_request">(kind: K, number: number): Codec<K> => ({
  place: type(number),
  encode: () => {},
  decode: (r) => {
    if (r.remaining > 0) r.fail("OFPBRC_BAD_LEN");
    return { kind } as MessageOf<K>;
  },
});

const echo = <K extends "echo_request" | "echo_reply">(kind: K, number: number): Codec<K> => ({
  place: type(number),
  encode: (w, m: { readonly data: Uint8Array }) => w.raw(m.data),
  decode: (r) => ({ kind, data: r.rest().slice() }) as MessageOf<K>,
});

function putConfig(w: WireWriter, config: SwitchConfig): void {
  w.u16(fragmentHandlings.indexOf(config.fragments));
  w.u16(config.missSendLength);
}

function pullConfig(r: WireReader): SwitchConfig {
  const fragments = fragmentHandlings[r.u16() & 3] ?? "normal";
  return { fragments, missSendLength: r.u16() };
}

function putRole(w: WireWriter, m: { readonly role: (typeof roles)[number]; readonly generation: bigint | undefined }): void {
  w.u32(roles.indexOf(m.role));
  w.zeros(4);
  w.u64(m.generation ?? 0xffffffffffffffffn);
}

function pullRole(r: WireReader): { role: (typeof roles)[number]; generation: bigint | undefined } {
  const role = roles[r.u32()];
  r.skip(4);
  const generation = r.u64();
  if (role === undefined) r.fail("OFPRRFC_BAD_ROLE");
  const hasGeneration = role === "primary" || role === "secondary";
  return { role: role ?? "nochange", generation: hasGeneration ? generation : undefined };
}

function putAsync(w: WireWriter, m: AsyncConfig): void {
  const pairs = [m.packetIn, m.portStatus, m.flowRemoved];
  if (w.version === of13) for (const pair of pairs) for (const mask of pair) w.u32(mask);
  else {
    pairs.forEach(([primary, secondary], i) => {
      putProperty(w, 2 * i, () => w.u32(secondary));
      putProperty(w, 2 * i + 1, () => w.u32(primary));
    });
  }
}

/** In 1.4's properties; what is not mentioned is 0. */
export function pullAsyncProperties(r: WireReader): AsyncConfig {
  const masks = [0, 0, 0, 0, 0, 0];
  pullProperties(r, (propertyType, payload) => {
    if (propertyType < 6) masks[propertyType] = payload.u32();
    // Role, table and request-forward messages, which nothing here sends.
    return propertyType < 12;
  });
  const [ps = 0, pp = 0, ss = 0, sp = 0, fs = 0, fp = 0] = masks;
  return { packetIn: [pp, ps], portStatus: [sp, ss], flowRemoved: [fp, fs] };
}

export function pullAsyncMasks(r: WireReader): AsyncConfig {
  return { packetIn: [r.u32(), r.u32()], portStatus: [r.u32(), r.u32()], flowRemoved: [r.u32(), r.u32()] };
}

const pullAsync = (r: WireReader): AsyncConfig => (r.version === of13 ? pullAsyncMasks(r) : pullAsyncProperties(r));

const hello: Codec<"hello"> = {
  place: type(0),
  encode: (w, m) => {
    w.u16(1);
    w.u16(8);
    w.u32(m.versions);
  },
  decode: (r) => {
    // A hello without a version bitmap speaks for its own version and all before. Elements nobody knows are passed over.
    let versions = (1 << (r.version + 1)) - 2;
    while (r.remaining >= 4) {
      const [elementType, size] = [r.u16(), r.u16()];
      if (size < 4 || size - 4 > r.remaining) break;
      const element = r.part(size - 4);
      r.skip(Math.min(r.remaining, (8 - (size % 8)) % 8));
      if (elementType === 1 && size >= 8) versions = element.u32();
    }
    return { kind: "hello", versions };
  },
};

const error: Codec<"error"> = {
  place: type(1),
  encode: (w, m) => {
    const place = m.error === undefined ? { type: m.type ?? 0, code: m.code ?? 0 } : errorPlace(m.error, w.version);
    w.u16(place.type);
    w.u16(place.code);
    if (place.vendor !== undefined) w.u32(place.vendor);
    w.raw(m.data);
  },
  decode: (r) => {
    const [errorType, code] = [r.u16(), r.u16()];
    const vendor = errorType === 0xffff ? r.u32() : undefined;
    const name: ErrorName | undefined = errorOnWire(errorType, code, vendor, r.version);
    return { kind: "error", error: name, type: errorType, code, data: r.rest().slice() };
  },
};

export const symmetricCodecs: Codecs<
  | "hello" | "error" | "echo_request" | "echo_reply" | "features_request" | "get_config_request" | "barrier_request" | "barrier_reply"
  | "get_async_request" | "features_reply" | "get_config_reply" | "set_config" | "role_request" | "role_reply" | "get_async_reply" | "set_async"
> = {
  hello,
  error,
  echo_request: echo("echo_request", 2),
  echo_reply: echo("echo_reply", 3),
  features_request: empty("features_request", 5),
  features_reply: {
    place: type(6),
    encode: (w, m) => {
      w.u64(m.datapathId);
      w.u32(m.buffers);
      w.u8(m.tables);
      w.u8(m.auxiliaryId);
      w.zeros(2);
      w.u32(m.capabilities);
      w.u32(0);
    },
    decode: (r) => {
      const [datapathId, buffers, tables, auxiliaryId] = [r.u64(), r.u32(), r.u8(), r.u8()];
      r.skip(2);
      const capabilities = r.u32();
      r.skip(4);
      return { kind: "features_reply", datapathId, buffers, tables, auxiliaryId, capabilities };
    },
  },
  get_config_request: empty("get_config_request", 7),
  get_config_reply: { place: type(8), encode: putConfig, decode: (r) => ({ kind: "get_config_reply", ...pullConfig(r) }) },
  set_config: { place: type(9), encode: putConfig, decode: (r) => ({ kind: "set_config", ...pullConfig(r) }) },
  barrier_request: empty("barrier_request", 20),
  barrier_reply: empty("barrier_reply", 21),
  role_request: { place: type(24), encode: putRole, decode: (r) => ({ kind: "role_request", ...pullRole(r) }) },
  role_reply: { place: type(25), encode: putRole, decode: (r) => ({ kind: "role_reply", ...pullRole(r) }) },
  get_async_request: empty("get_async_request", 26),
  get_async_reply: { place: type(27), encode: putAsync, decode: (r) => ({ kind: "get_async_reply", ...pullAsync(r) }) },
  set_async: { place: type(28), encode: putAsync, decode: (r) => ({ kind: "set_async", ...pullAsync(r) }) },
};
