/** Groups: what is typed, what it prints as in each version, and what is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatGroup, isTextError, of10, of13, of15, parseGroup } from "./index.ts";

const texts: readonly (readonly [typed: string, of15: string, of13: string])[] = [
  ["group_id=6,type=all", "group_id=6,type=all", "group_id=6,type=all"],
  ["group_id=1 type=indirect bucket=output:2", "group_id=1,type=indirect,bucket=bucket_id:0,actions=output:2", "group_id=1,type=indirect,bucket=actions=output:2"],
  [
    "group_id=5,type=select,selection_method=dp_hash,bucket=weight:10,actions=output:1,bucket=bucket_id:7,weight:1,watch_port:1,actions=set_field:1->reg0,resubmit(,4)",
    "group_id=5,type=select,selection_method=dp_hash,bucket=bucket_id:0,weight:10,actions=output:1,bucket=bucket_id:7,watch_port:1,actions=set_field:0x1->reg0,resubmit(,4)",
    "group_id=5,type=select,selection_method=dp_hash,bucket=weight:10,actions=output:1,bucket=watch_port:1,actions=set_field:0x1->reg0,resubmit(,4)",
  ],
  [
    "group_id=0x9,type=fast_failover,bucket=watch_port:LOCAL,watch_group:3,ct(table=4,zone=7),output:1",
    "group_id=9,type=ff,bucket=bucket_id:0,watch_port:LOCAL,watch_group:3,actions=ct(table=4,zone=7),output:1",
    "group_id=9,type=ff,bucket=watch_port:LOCAL,watch_group:3,actions=ct(table=4,zone=7),output:1",
  ],
  [
    "group_id=8,type=select,selection_method=hash,selection_method_param=5,fields(ip_src,tcp_dst),bucket=1",
    "group_id=8,type=select,selection_method=hash,selection_method_param=5,fields(ip_src,tcp_dst),bucket=bucket_id:0,actions=output:1",
    "group_id=8,type=select,selection_method=hash,selection_method_param=5,fields(ip_src,tcp_dst),bucket=actions=output:1",
  ],
];

test("groups print as they were typed", () => {
  for (const [typed, newer, older] of texts) {
    const group = parseGroup(typed, "add");
    if (isTextError(group)) assert.fail(`${typed}: ${group.error}`);
    assert.equal(formatGroup(group, of15), newer);
    assert.equal(formatGroup(group, of10), newer);
    assert.equal(formatGroup(group, of13), older);
    const again = parseGroup(newer, "modify");
    if (isTextError(again)) assert.fail(`${newer}: ${again.error}`);
    assert.equal(formatGroup(again, of15), newer);
  }
});

test("what is no group is refused", () => {
  const check = (typed: string, command: "add" | "delete", expected: string): void => assert.deepEqual(parseGroup(typed, command), { error: expected });
  check("type=all", "add", "must specify a group_id");
  check("group_id=1", "add", "must specify a type");
  check("group_id=1,type=some", "add", "invalid group type some");
  check("group_id=4294967295,type=all", "add", "invalid group id 4294967295");
  check("group_id=1,type=all,fields=ip_src", "add", 'fields may only be specified with "selection_method=hash"');
  check("group_id=1,type=indirect", "add", "indirect group must have exactly one bucket");
  check("group_id=1,type=all,bucket=weight:x,output:1", "add", 'invalid weight "x"');
  check("group_id=1,bucket=output:1", "delete", "bucket is not needed");
  check("speed=1", "add", "unknown keyword speed");
});

test("without a number del-groups means them all", () => {
  for (const text of ["", "group_id=all"]) {
    const group = parseGroup(text, "delete");
    assert.ok(!isTextError(group) && group.group === 0xfffffffc && group.command === "delete");
  }
});
