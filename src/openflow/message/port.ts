/**
 * Port numbers: 16 bits inside, as in OpenFlow 1.0 and in Nicira fields; on the wire of 1.1 and later 32 bits, where the
 * reserved ones (0xff00 and above) have their upper half set.
 */
export const ports = {
  max: 0xff00, unset: 0xfff7, inPort: 0xfff8, table: 0xfff9, normal: 0xfffa, flood: 0xfffb, all: 0xfffc, controller: 0xfffd,
  local: 0xfffe, none: 0xffff,
} as const;

const names: readonly (readonly [string, number])[] = [
  ["IN_PORT", 0xfff8], ["TABLE", 0xfff9], ["NORMAL", 0xfffa], ["FLOOD", 0xfffb], ["ALL", 0xfffc], ["CONTROLLER", 0xfffd],
  ["LOCAL", 0xfffe], ["ANY", 0xffff], ["UNSET", 0xfff7],
];
const nameOf = new Map(names.map(([name, port]) => [port, name]));
const portOf = new Map([...names, ["NONE", 0xffff] as const]);

export const formatPort = (port: number): string => nameOf.get(port) ?? String(port);

/** A number (decimal or 0x) or a reserved name, in any case; undefined if it is neither, or a number that is no port. */
export function parsePort(text: string): number | undefined {
  if (/^(0[xX][0-9a-fA-F]+|\d+)$/.test(text)) return portFromWire(Number(text)) ;
  return portOf.get(text.toUpperCase());
}

export const portToWire = (port: number): number => (port >= ports.max ? 0xffff0000 + port : port);
/** undefined if the number lies between the ordinary ports and the reserved ones. */
export const portFromWire = (wire: number): number | undefined =>
  wire < ports.max ? wire : wire >= 0xffffff00 && wire <= 0xffffffff ? wire - 0xffff0000 : wire >= ports.max && wire <= 0xffff ? wire : undefined;
