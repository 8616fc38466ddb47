/** A MAC binding as logs and debug/dump-mac-bindings tell it. */
import { formatMac, parseMac } from "../net/index.ts";
import { cookieOf, type DatapathBinding, type MacBinding } from "./rows.ts";

/** The row names its port; a key has only what was learned from a packet. */
export function describeNeighbor(binding: MacBinding, datapath: DatapathBinding): string {
  const mac = parseMac(binding.mac);
  const cookie = cookieOf(binding).toString(16).padStart(8, "0");
  return `cookie: 0x${cookie}, datapath-key: ${datapath.tunnel_key}, port-key: 0, ip: ${binding.ip}, mac: ${mac === undefined ? binding.mac : formatMac(mac)}`;
}
