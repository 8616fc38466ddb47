/** Groups as ovs-ofctl prints and takes them (ovs-ofctl(8), "Group Syntax"). */
import { formatActions, parseActions } from "./action/action-text.ts";
import { findField } from "./match/field.ts";
import { MatchBuilder } from "./match/match.ts";
import { type Bucket, type GroupDescription, type GroupMod, groups, groupTypes } from "./message/group.ts";
import { formatPort, parsePort, ports } from "./message/port.ts";
import { of10, of15, type OfVersion } from "./message/version.ts";
import { Complaint, isTextError, parseBounded, parseU64, splitKeyValues, type TextError } from "./text-input.ts";

/** One line of dump-groups, without the leading space. Before OpenFlow 1.5 buckets have no numbers (but in Nicira's form). */
export function formatGroup(group: GroupDescription, version: OfVersion): string {
  const { selectionMethod: method, selectionParameter: parameter } = group;
  const names = group.selectionFields.terms.map(({ field: f, mask }) => (mask === f.full ? f.name : `${f.name}=0x${mask.toString(16)}`));
  const fields = names.length === 0 ? "" : names.length === 1 ? `,fields=${names.join("")}` : `,fields(${names.join(",")})`;
  const selection = method === "" ? "" : `,selection_method=${method}${parameter === 0n ? "" : `,selection_method_param=${parameter}`}${fields}`;
  return `group_id=${group.group},type=${group.type}${selection}${group.buckets.map((b) => `,bucket=${formatBucket(b, group.type, version)}`).join("")}`;
}

function formatBucket(bucket: Bucket, groupType: GroupDescription["type"], version: OfVersion): string {
  return [
    version === of10 || version >= of15 ? `bucket_id:${bucket.id},` : "",
    bucket.weight === (groupType === "select" ? 1 : 0) ? "" : `weight:${bucket.weight},`,
    bucket.watchPort === ports.none ? "" : `watch_port:${formatPort(bucket.watchPort)},`,
    bucket.watchGroup === groups.any ? "" : `watch_group:${bucket.watchGroup},`,
    `actions=${formatActions(bucket.actions)}`,
  ].join("");
}

/** A group's text, as `add-group` ("add"), `mod-group` ("modify", "add_or_mod") and `del-groups` ("delete") take it. */
export function parseGroup(text: string, command: "add" | "modify" | "add_or_mod" | "delete"): GroupMod | TextError {
  const complaint = new Complaint();
  const [head = "", ...bucketTexts] = text.split(/(?:^|[\s,])buckets?=/);
  const isDelete = command === "delete";
  if (isDelete && bucketTexts.length > 0) return { error: "bucket is not needed" };
  let id: number | undefined = isDelete && text.trim() === "" ? groups.all : undefined;
  let groupType: GroupDescription["type"] | undefined;
  let [selectionMethod, selectionParameter] = ["", 0n];
  const selectionFields = new MatchBuilder();
  for (const { key, value } of splitKeyValues(head)) {
    if (key === "group_id") id = value === "all" && isDelete ? groups.all : groupNumber(value, "group_id", complaint);
    else if (isDelete) complaint.say(`${key} is not needed`);
    else if (key === "type") groupType = groupTypes.find((t) => t === (value === "fast_failover" ? "ff" : value)) ?? complaint.say(`invalid group type ${value}`);
    else if (key === "selection_method") selectionMethod = value;
    else if (key === "selection_method_param") selectionParameter = parseU64(value) ?? complaint.say(`invalid selection_method_param "${value}"`) ?? 0n;
    else if (key === "fields") addFields(value, selectionFields, complaint);
    else complaint.say(`unknown keyword ${key}`);
  }
  if (complaint.text === undefined && id === undefined) complaint.say("must specify a group_id");
  if (complaint.text === undefined && !isDelete && groupType === undefined) complaint.say("must specify a type");
  const fields = selectionFields.build();
  if (fields.terms.length > 0 && selectionMethod !== "hash") complaint.say(`fields may only be specified with "selection_method=hash"`);
  if (selectionParameter !== 0n && selectionMethod === "") complaint.say(`selection_method_param is only allowed with "selection_method"`);
  const buckets = bucketTexts.map((bucket, i) => parseBucket(bucket, i, groupType ?? "all", complaint));
  if (groupType === "indirect" && buckets.length !== 1) complaint.say("indirect group must have exactly one bucket");
  if (complaint.text !== undefined || id === undefined) return { error: complaint.text ?? "" };
  return {
    kind: "group_mod", command, group: id, type: groupType ?? "all", buckets, commandBucket: groups.bucketAll, selectionMethod, selectionParameter,
    selectionFields: fields,
  };
}

function groupNumber(text: string, what: string, complaint: Complaint): number | undefined {
  const number = parseBounded(text, 32, what, complaint);
  return number !== undefined && number > groups.max ? complaint.say(`invalid group id ${number}`) : number;
}

/** `ip_src,tcp_dst` or `nw_src=255.255.0.0`-like masks; a name alone means all of the field. */
function addFields(text: string, builder: MatchBuilder, complaint: Complaint): void {
  for (const { key, value } of splitKeyValues(text)) {
    const f = findField(key);
    const mask = value === "" ? f?.full : parseU64(value);
    if (f === undefined) complaint.say(`unknown field ${key}`);
    else if (mask === undefined) complaint.say(`invalid mask "${value}" of field ${key}`);
    else builder.add(f, 0, f.isWide ? BigInt(mask) : Number(mask));
  }
}

/** Without a number of its own a bucket gets its place in the list. Actions stand behind the rest, or are the rest. */
function parseBucket(text: string, place: number, groupType: GroupDescription["type"], complaint: Complaint): Bucket {
  let bucket: Bucket = { id: place, weight: groupType === "select" ? 1 : 0, watchPort: ports.none, watchGroup: groups.any, actions: [] };
  const actionTexts: string[] = [];
  const at = /(^|[\s,])actions?=/.exec(text);
  for (const { key, value } of splitKeyValues(at === null ? text : text.slice(0, at.index))) {
    if (key === "weight") bucket = { ...bucket, weight: parseBounded(value, 16, "weight", complaint) ?? 0 };
    else if (key === "bucket_id") bucket = { ...bucket, id: parseBounded(value, 32, "bucket_id", complaint) ?? 0 };
    else if (key === "watch_port") bucket = { ...bucket, watchPort: parsePort(value) ?? complaint.say(`${value}: invalid watch_port`) ?? 0 };
    else if (key === "watch_group") bucket = { ...bucket, watchGroup: groupNumber(value, "watch_group", complaint) ?? 0 };
    else actionTexts.push(value === "" ? key : `${key}(${value})`);
  }
  if (at !== null) actionTexts.push(text.slice(at.index + at[0].length).replace(/[\s,]+$/, ""));
  const actions = parseActions(actionTexts.join(","));
  if (isTextError(actions)) complaint.say(actions.error);
  return isTextError(actions) ? bucket : { ...bucket, actions };
}
