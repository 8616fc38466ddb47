/**
 * What makes a node a machine of its own that speaks BGP: `frr:`, the text of its frr.conf, and `devices:`, by which the node
 * itself hangs on its integration bridge.
 */
import * as z from "zod";
import { mac } from "./names.ts";

export const deviceName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/, "a device name of at most 15 characters");
export const mtu = z.int().min(576).max(65535).default(1400);
export const frrConfiguration = z.string().min(1);

/** Of a node: what FRR is told there, and the devices by which the node itself hangs on its integration bridge. */
export const speakerKeys = {
  frr: frrConfiguration.optional(),
  devices: z.record(deviceName, z.strictObject({ "iface-id": z.string().min(1), mac, vrf: deviceName.optional(), mtu })).default({}),
};

/** A device of a machine. */
export interface TopologyDevice {
  readonly name: string;
  readonly mac: string;
  readonly mtu: number;
}

export interface NodeDevice extends TopologyDevice {
  readonly ifaceId: string;
  /** The VRF that it belongs to. */
  readonly vrf: string | undefined;
}

export const devicesOf = (file: Readonly<Record<string, { readonly "iface-id": string; readonly mac: string; readonly vrf?: string | undefined; readonly mtu: number }>>): readonly NodeDevice[] =>
  Object.entries(file).map(([device, { "iface-id": ifaceId, mac: address, vrf, mtu: size }]) => ({ name: device, ifaceId, mac: address, vrf, mtu: size }));
