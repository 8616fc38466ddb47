/** OpenFlow protocol versions, by their value in a message's header. */
export type OfVersion = 0x01 | 0x04 | 0x05 | 0x06;

export const of10: OfVersion = 0x01;
export const of13: OfVersion = 0x04;
export const of14: OfVersion = 0x05;
export const of15: OfVersion = 0x06;

export const versionNames: ReadonlyMap<number, string> = new Map([
  [0x01, "OpenFlow10"], [0x02, "OpenFlow11"], [0x03, "OpenFlow12"], [0x04, "OpenFlow13"], [0x05, "OpenFlow14"], [0x06, "OpenFlow15"],
]);
export const isKnownVersion = (value: number): value is OfVersion => value === 0x01 || (value >= 0x04 && value <= 0x06);
