/** ACL_ID: the numbers by which connections are known whose list is to outlive its own change (persist-established). */
import { rule } from "../../engine/index.ts";
import { type Uuid, wishRelation } from "../../ovsdb/index.ts";
import { southbound } from "../../schemas/index.ts";
import { boolOption } from "../options.ts";
import type { Topology } from "../topology/topology.ts";
import { keyRequests } from "./key-allocator.ts";

export const AclIdRequest = keyRequests("ACL ids");
export const WishedAclId = wishRelation(southbound, "ACL_ID");

const maxAclId = 0x7fff;

export const aclIds = rule("acl-ids", (t: Topology) => t.nb.ACL, function* (t, { _uuid, action, options }) {
  if (action !== "allow-related" || !boolOption(options, "persist-established", false)) return;
  yield AclIdRequest({ scope: "", key: _uuid, requested: 0, max: maxAclId });
  const id = t.aclIds.get(_uuid);
  // A row of the same UUID as the list's.
  if (id !== undefined) yield WishedAclId({ key: _uuid, columns: { id }, uuid: _uuid as string as Uuid<"ACL_ID"> });
});
