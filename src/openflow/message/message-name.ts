/** Messages by the names that OVS gives them, for logs: `OFPT_FLOW_MOD`, `NXT_RESUME`, `OFPST_FLOW request`. */
import type { MessageKind } from "./message.ts";

/** Nicira's own, in every version. */
const nicira: ReadonlySet<MessageKind> = new Set([
  "ct_flush", "ct_flush_zone", "flow_age", "flow_mod_table_id", "resume", "set_controller_id", "set_flow_format", "set_packet_in_format",
  "tlv_table_mod", "tlv_table_reply", "tlv_table_request",
]);
const symmetric: ReadonlySet<MessageKind> = new Set<MessageKind>([
  "barrier_request", "barrier_reply", "echo_request", "echo_reply", "features_request", "features_reply", "get_async_request", "get_async_reply",
  "get_config_request", "get_config_reply", "role_request", "role_reply",
]);

export function messageName(kind: MessageKind): string {
  const upper = kind.toUpperCase();
  if (nicira.has(kind)) return `NXT_${upper}`;
  const multipart = symmetric.has(kind) ? null : /^(.*?)(?:_STATS)?_(REQUEST|REPLY)$/.exec(upper);
  return multipart === null ? `OFPT_${upper}` : `OFPST_${multipart[1]} ${multipart[2]?.toLowerCase()}`;
}
