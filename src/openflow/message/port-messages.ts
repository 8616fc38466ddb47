/** Ports: description, status, changes (OpenFlow 1.5, sections 7.2.1, 7.4.3, 7.3.4.5). */
import { type PortDescription, portStatusReasons } from "./port-description.ts";
import { type Codecs, type } from "./message-codec.ts";
import { pullProperties, putProperty } from "./property.ts";
import { portFromWire, ports, portToWire } from "./port.ts";
import { of14 } from "./version.ts";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

const putFeatures = (w: WireWriter, port: PortDescription): void => {
  for (const n of [port.current, port.advertised, port.supported, port.peer, port.currentSpeed, port.maxSpeed]) w.u32(n);
};

export function putPort(w: WireWriter, port: PortDescription): void {
  const start = w.size;
  w.u32(portToWire(port.port));
  w.zeros(4);
  w.u48(port.mac);
  w.zeros(2);
  w.text(port.name, 16);
  w.u32(port.config);
  w.u32(port.state);
  if (w.version < of14) putFeatures(w, port);
  else {
    putProperty(w, 0, () => (w.zeros(4), putFeatures(w, port)));
    w.setU16(start + 4, w.size - start);
  }
}

export function pullPort(r: WireReader): PortDescription {
  const isNew = r.version >= of14;
  const size = isNew ? r.peekU16(4) : 64;
  if (size < 40) r.fail("OFPBRC_BAD_LEN");
  const part = r.part(size);
  const port = portFromWire(part.u32());
  part.skip(4);
  const mac = part.u48();
  part.skip(2);
  const [name, config, state] = [part.text(16), part.u32(), part.u32()];
  if (port === undefined) r.fail("OFPBRC_BAD_PORT");
  let features = [0, 0, 0, 0, 0, 0];
  const pullFeatures = (f: WireReader): void => {
    features = features.map(() => f.u32());
  };
  if (!isNew) pullFeatures(part);
  else pullProperties(part, (propertyType, payload) => propertyType === 0 && (payload.skip(4), pullFeatures(payload), true), "skip");
  const [current = 0, advertised = 0, supported = 0, peer = 0, currentSpeed = 0, maxSpeed = 0] = features;
  return { port: port ?? ports.none, mac, name, config, state, current, advertised, supported, peer, currentSpeed, maxSpeed };
}

export const portCodecs: Codecs<"port_status" | "port_mod"> = {
  port_status: {
    place: type(12),
    encode: (w, m) => {
      w.u8(portStatusReasons.indexOf(m.reason));
      w.zeros(7);
      putPort(w, m.port);
    },
    decode: (r) => {
      const reason = portStatusReasons[r.u8()];
      r.skip(7);
      const port = pullPort(r);
      if (reason === undefined) r.fail("NXBRC_BAD_REASON");
      return reason && { kind: "port_status", reason, port };
    },
  },
  port_mod: {
    place: type(16),
    encode: (w, m) => {
      w.u32(portToWire(m.port));
      w.zeros(4);
      w.u48(m.mac);
      w.zeros(2);
      w.u32(m.config);
      w.u32(m.mask);
      if (w.version >= of14) putProperty(w, 0, () => w.u32(m.advertise));
      else (w.u32(m.advertise), w.zeros(4));
    },
    decode: (r) => {
      const port = portFromWire(r.u32());
      r.skip(4);
      const mac = r.u48();
      r.skip(2);
      const [config, mask] = [r.u32(), r.u32()];
      let advertise = 0;
      if (r.version < of14) {
        advertise = r.u32();
        r.skip(4);
      } else {
        pullProperties(r, (propertyType, payload) => {
          if (propertyType === 0) advertise = payload.u32();
          return propertyType === 0;
        });
      }
      if (port === undefined) r.fail("OFPPMFC_BAD_PORT");
      return { kind: "port_mod", port: port ?? 0, mac, config: (config & mask) >>> 0, mask, advertise };
    },
  },
};
