/** Names for people: what northd calls by UUID is shown by the name that its owner gave it. */
import type { TracePort } from "./model.ts";

const uuidLength = 36;

/** `text` with a UUID at its end cut to six digits. */
export function shortenUuid(text: string): string {
  const tail = text.slice(-uuidLength);
  return /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/.test(tail) ? text.slice(0, text.length - (uuidLength - 6)) : text;
}

/** Every quoted port name in a match or in actions, replaced by the port's friendly name. */
export function friendlyText(text: string, ports: ReadonlyMap<string, TracePort>): string {
  if (!text.includes('"')) return text;
  return text.replace(/"(?:[^"\\]|\\.)*"/g, (quoted) => {
    const port = ports.get(unquote(quoted));
    return port === undefined ? quoted : JSON.stringify(port.friendlyName);
  });
}

const unquote = (quoted: string): string => quoted.slice(1, -1).replace(/\\(["\\/])/g, "$1");
