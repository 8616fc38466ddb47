/** Ethernet addresses (IEEE 802 EUI-48) as 48-bit numbers: cheap to compare, to hash and to keep. */

declare const macBrand: unique symbol;
/** A MAC address: an integer from 0 to 2^48 - 1, the first byte on the wire most significant. */
export type Mac = number & { readonly [macBrand]: true };

export const macBroadcast = 0xffffffffffff as Mac;
export const macZero = 0 as Mac;

export const macOf = (value: number): Mac => value as Mac;

/** `aa:bb:cc:dd:ee:ff` (one or two digits a byte, as OVS takes them); undefined if it is anything else. */
export function parseMac(text: string): Mac | undefined {
  const parts = text.split(":");
  if (parts.length !== 6) return undefined;
  let value = 0;
  for (const part of parts) {
    if (!/^[0-9a-fA-F]{1,2}$/.test(part)) return undefined;
    value = value * 256 + Number.parseInt(part, 16);
  }
  return value as Mac;
}

export function formatMac(mac: Mac): string {
  const hex = mac.toString(16).padStart(12, "0");
  return `${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4, 6)}:${hex.slice(6, 8)}:${hex.slice(8, 10)}:${hex.slice(10)}`;
}

/** Whether the group bit is set: multicast or broadcast. */
export const isMulticastMac = (mac: Mac): boolean => (Math.floor(mac / 0x10000000000) & 1) === 1;

export function readMac(bytes: Uint8Array, offset: number): Mac {
  let value = 0;
  for (let i = 0; i < 6; i++) value = value * 256 + (bytes[offset + i] ?? 0);
  return value as Mac;
}

export function writeMac(mac: Mac, bytes: Uint8Array, offset: number): void {
  let value: number = mac;
  for (let i = 5; i >= 0; i--) {
    bytes[offset + i] = value % 256;
    value = Math.floor(value / 256);
  }
}
