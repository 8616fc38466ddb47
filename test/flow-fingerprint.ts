/** A flow as a line of text: equal for equal flows. */
import type { FlowStats } from "../src/openflow/index.ts";

const plain = (value: unknown): unknown => {
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (typeof value === "object" && value !== null && "codePoints" in value && "name" in value) return value.name;
  return value;
};

export const fingerprint = ({ table, priority, cookie, match, actions }: FlowStats): string =>
  `table=${table} priority=${priority} cookie=0x${cookie.toString(16)} ` +
  `${match.terms.map((t) => `${t.field.name}=${t.value}/${t.mask}`).join(",")} ${JSON.stringify(actions, (_key, value: unknown) => plain(value))}`;
