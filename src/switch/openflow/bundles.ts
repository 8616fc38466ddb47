/** Bundles (OpenFlow 1.5.1, section 7.3.9): messages kept by a connection until they are carried out together, or dropped. */
import { OfError } from "../../openflow/index.ts";
import type { HeldMessage, OpenFlowConnection } from "./openflow-connection.ts";

const maxBundles = 64;
const maxBundleMessages = 1_000_000;

/** `commit` carries out a bundle's messages, all or none. */
export function bundleControl(
  from: OpenFlowConnection, { message, xid }: HeldMessage, commit: (messages: readonly HeldMessage[]) => OfError | undefined,
): OfError | undefined {
  if (message.kind !== "bundle_control") return new OfError("OFPBRC_BAD_TYPE");
  const { bundle: id, flags } = message;
  const bundle = from.bundles.get(id);
  const reply = (control: "open_reply" | "close_reply" | "commit_reply" | "discard_reply"): undefined => {
    from.send(xid, { kind: "bundle_control", bundle: id, control, flags: 0 });
  };
  switch (message.control) {
    case "open_request":
      if (bundle !== undefined) {
        from.bundles.delete(id);
        return new OfError("OFPBFC_BAD_ID");
      }
      if (from.bundles.size >= maxBundles) return new OfError("OFPBFC_OUT_OF_BUNDLES");
      from.bundles.set(id, { flags, isClosed: false, messages: [] });
      return reply("open_reply");
    case "close_request":
      if (bundle === undefined) return new OfError("OFPBFC_BAD_ID");
      if (bundle.isClosed || bundle.flags !== flags) {
        from.bundles.delete(id);
        return new OfError(bundle.isClosed ? "OFPBFC_BUNDLE_CLOSED" : "OFPBFC_BAD_FLAGS");
      }
      bundle.isClosed = true;
      return reply("close_reply");
    case "discard_request":
      if (!from.bundles.delete(id)) return new OfError("OFPBFC_BAD_ID");
      return reply("discard_reply");
    case "commit_request": {
      if (bundle === undefined) return new OfError("OFPBFC_BAD_ID");
      from.bundles.delete(id);
      const error = bundle.flags === flags ? commit(bundle.messages) : new OfError("OFPBFC_BAD_FLAGS");
      return error ?? reply("commit_reply");
    }
    default:
      return new OfError("OFPBFC_BAD_TYPE");
  }
}

export function bundleAdd(from: OpenFlowConnection, { message, xid, bytes }: HeldMessage): OfError | undefined {
  if (message.kind !== "bundle_add") return new OfError("OFPBRC_BAD_TYPE");
  let bundle = from.bundles.get(message.bundle);
  if (bundle === undefined) {
    if (from.bundles.size >= maxBundles) return new OfError("OFPBFC_OUT_OF_BUNDLES");
    bundle = { flags: message.flags, isClosed: false, messages: [] };
    from.bundles.set(message.bundle, bundle);
  } else if (bundle.isClosed || bundle.flags !== message.flags) {
    from.bundles.delete(message.bundle);
    return new OfError(bundle.isClosed ? "OFPBFC_BUNDLE_CLOSED" : "OFPBFC_BAD_FLAGS");
  }
  if (bundle.messages.length >= maxBundleMessages) return new OfError("OFPBFC_OUT_OF_BUNDLES");
  bundle.messages.push({ xid, message: message.message, bytes: bytes.slice(16) });
  return undefined;
}
