/**
 * What travels with a packet through a tunnel: with Geneve the datapath's key as VNI and both ports' keys in OVN's option;
 * with VXLAN twelve bits each of datapath and output port (ovn-architecture(7), "Tunnel Encapsulations").
 */
import { logicalRegisters, openflowTables } from "../../logical/index.ts";
import { parseIp } from "../../net/index.ts";
import type { Action, FieldName } from "../../openflow/index.ts";
import { datapathField, forgetInPort, inportField, load, move, output, outportField, pop, push, resubmit } from "../flow.ts";
import type { Node } from "../node.ts";
import type { Tunnel } from "../tunnel.ts";

/** Keys of multicast groups begin here; in VXLAN's twelve bits, at the other. */
const firstGroupKey = 0x8000;
const firstVxlanGroupKey = 0x800;

/** The field of OVN's Geneve option, once the switch has given one. */
export const geneveFieldOf = (node: Node): FieldName | undefined => {
  const index = node.geneveField.get();
  return index === undefined ? undefined : (`tun_metadata${index}` as FieldName);
};

const vxlanPortKey = (key: number): number => (key >= firstGroupKey ? firstVxlanGroupKey | (key & (firstVxlanGroupKey - 1)) : key);

/** Writes datapath and output port into the tunnel's fields. To a ramp, which knows no ports, only the datapath. */
export const encapsulate = (node: Node, tunnel: Tunnel, datapathKey: number, outportKey: number, isRamp: boolean): readonly Action[] =>
  [...header(node, tunnel, datapathKey, outportKey, isRamp), ...endpoints(tunnel)];

function header(node: Node, tunnel: Tunnel, datapathKey: number, outportKey: number, isRamp: boolean): readonly Action[] {
  if (tunnel.type === "vxlan") {
    return [load("tun_id", isRamp ? datapathKey : datapathKey | (vxlanPortKey(outportKey) << 12), 0, 24)];
  }
  const option = geneveFieldOf(node);
  if (option === undefined) return [];
  return [load("tun_id", datapathKey, 0, 24), loadOption(option, outportKey), move(inportField, 0, option, 16, 15)];
}

/** Between which addresses: of a shared tunnel every packet has to be told. */
export function endpoints({ isShared, localIp, remoteIp }: Tunnel): readonly Action[] {
  if (!isShared) return [];
  const set = (text: string | undefined, of4: FieldName, of6: FieldName): readonly Action[] => {
    const ip = parseIp(text ?? "");
    return ip === undefined ? [] : [ip.family === 4 ? load(of4, ip.address) : load(of6, ip.address)];
  };
  return [...set(localIp, "tun_src", "tun_ipv6_src"), ...set(remoteIp, "tun_dst", "tun_ipv6_dst")];
}

/** A packet never leaves by the port it came in by; by a shared tunnel it may, for it goes to another chassis. */
export const send = ({ isShared, ofport }: Tunnel): readonly Action[] =>
  (isShared ? [push("in_port"), forgetInPort, output(ofport), pop("in_port")] : [output(ofport)]);

/** Reads them back, and notes which tunnel it was. */
export function decapsulate(node: Node, tunnel: Tunnel): readonly Action[] {
  if (tunnel.type === "vxlan") {
    return [move("tun_id", 12, outportField, 0, 12), move("tun_id", 0, datapathField, 0, 12)];
  }
  const option = geneveFieldOf(node);
  if (option === undefined) return [];
  return [
    move("tun_id", 0, datapathField, 0, 24), move(option, 16, inportField, 0, 15), move(option, 0, outportField, 0, 16),
    load(logicalRegisters.tunOfport, tunnel.ofport, 16, 16),
  ];
}

/** For a packet that every remote chassis gets: no output port. */
export const encapsulateForFlood = (node: Node, tunnel: Tunnel): readonly Action[] => [...floodHeader(node, tunnel), ...endpoints(tunnel)];

function floodHeader(node: Node, tunnel: Tunnel): readonly Action[] {
  if (tunnel.type === "vxlan") return [move(inportField, 0, "tun_id", 12, 12), move(datapathField, 0, "tun_id", 0, 12)];
  const option = geneveFieldOf(node);
  if (option === undefined) return [];
  return [move(datapathField, 0, "tun_id", 0, 24), loadOption(option, 0), move(inportField, 0, option, 16, 15)];
}

/** The option is four bytes of a field that could be longer: whole is what is mapped. */
export const loadOption = (option: FieldName, value: number): Action => load(option, value, 0, optionBits);
export const optionBits = 32;

/** A multicast group's key in a VXLAN header has this bit; sixteen-bit keys have their highest. */
export const vxlanGroupActions: readonly Action[] = [
  load(outportField, 1, 15, 1), move("tun_id", 12, outportField, 0, 11), move("tun_id", 0, datapathField, 0, 12),
  resubmit(openflowTables.localOutput),
];
export const vxlanGroupBit = BigInt(firstVxlanGroupKey) << 12n;
