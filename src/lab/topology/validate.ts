/**
 * `validate:` what must be so in the lab, claim by claim; `isthmus validate` finds out (`../validate/`).
 *
 *     - claim: vm1 reaches vm2 through two routers           what is claimed, as one would say it
 *       ping: { from: vm1, to: 192.168.2.12, ttl: 62 }
 *
 *     - claim: The transit switch is in the databases of both zones
 *       on: central_east                                     a node: a shell there; a host: a command line there
 *       run: ovn-nbctl show
 *       shows: "switch ... (ts1)"                            or prints, tree, lacks: see `../validate/expected-text.ts`
 *
 *     - claim: Each echo passes the gateway twice
 *       on: vm1
 *       run: ping -c 1 192.168.2.12
 *       captures:                                            what passes a port meanwhile
 *         - { on: gw_east, only: echo request, frames: 2 }
 *
 *     - claim: Killing a gateway costs at most ten echoes of forty
 *       ping: { from: vm1, to: 192.168.2.12, count: 40, interval: 0.1, lost: 10 }
 *       kill: gw_east                                        or restart; NODE, NODE/DAEMON or ROUTER, or several; a second into the ping
 *       link: leaf-a cut                                     or several: links of the underlay, as `isthmus link` takes them
 */
import * as z from "zod";
import { known, type Misfit } from "./complaint.ts";
import { ip, name } from "./names.ts";

const place = z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]*(\/[A-Za-z0-9_-]+)?$/, "NODE or NODE/DAEMON");

/** One place or several. */
const places = z.union([place, z.array(place)]).default([]).transform((value) => (typeof value === "string" ? [value] : value));

const linkChange = z.string().regex(/^\S+\s+\S/, "LINK and what happens to it, such as leaf-a cut");
const linkChanges = z.union([linkChange, z.array(linkChange)]).default([]).transform((value) => (typeof value === "string" ? [value] : value));

const pingSchema = z.strictObject({
  from: name,
  to: z.union([ip, name]),
  count: z.int().min(1).max(10_000).default(3),
  interval: z.number().min(0.01).max(10).default(0.2),
  ttl: z.int().min(1).max(255).optional(),
  /** How many echoes may stay without reply. */
  lost: z.int().min(0).default(0),
});

const captureSchema = z.strictObject({
  on: name,
  port: z.string().min(1).default("tunnel"),
  /** Only frames whose text has this in it. */
  only: z.string().min(1).optional(),
  frames: z.int().min(0).optional(),
  shows: z.string().min(1).optional(),
  lacks: z.string().min(1).optional(),
});

export const validateSchema = z.strictObject({
  claim: z.string().min(1),
  on: name.optional(),
  run: z.string().min(1).optional(),
  ping: pingSchema.optional(),
  kill: places,
  restart: places,
  /** `LINK cut`, `LINK mend`, ...: a link of the underlay and what happens to it. */
  link: linkChanges,
  exit: z.int().min(0).max(255).default(0),
  prints: z.string().optional(),
  shows: z.string().min(1).optional(),
  tree: z.string().min(1).optional(),
  lacks: z.string().min(1).optional(),
  captures: z.array(captureSchema).default([]),
  /** Seconds for which it is tried again while it does not hold. */
  within: z.number().min(0).max(600).default(0),
});

type ValidateEntry = z.infer<typeof validateSchema>;
export type PingCheck = z.infer<typeof pingSchema>;
export type CaptureCheck = z.infer<typeof captureSchema>;

export type ValidateStep = ValidateEntry & {
  /** Line of the file where the claim stands. */
  readonly line: number;
};

export function* validateMisfits(steps: readonly ValidateStep[], names: { readonly nodes: ReadonlySet<string>; readonly routers: ReadonlySet<string>; readonly hosts: ReadonlySet<string>; readonly switches: ReadonlySet<string> }): Generator<Misfit> {
  const all = new Set([...names.nodes, ...names.hosts]);
  for (const [i, step] of steps.entries()) {
    const path = ["validate", i];
    if (step.run === undefined && step.ping === undefined && step.kill.length + step.restart.length + step.link.length === 0) {
      yield { path, message: `a claim needs something to hold it to: run, ping, kill, restart or link` };
    }
    if (step.run !== undefined && step.ping !== undefined) yield { path: [...path, "ping"], message: `one of run and ping, not both` };
    if ((step.run === undefined) !== (step.on === undefined)) yield { path, message: `"on" and "run" belong together` };
    const says = (["prints", "shows", "tree", "lacks"] as const).find((key) => step[key] !== undefined);
    if (says !== undefined && step.run === undefined) yield { path: [...path, says], message: `there is no output without "run"` };
    if (step.on !== undefined && !all.has(step.on)) yield { path: [...path, "on"], message: `no such node or host; there are ${known(all)}` };
    if (step.ping !== undefined && !names.hosts.has(step.ping.from)) yield { path: [...path, "ping", "from"], message: `no such host; there are ${known(names.hosts)}` };
    for (const key of ["kill", "restart"] as const) {
      const stranger = step[key].find((text) => !names.nodes.has(text.split("/")[0] ?? "") && !names.routers.has(text));
      if (stranger !== undefined) yield { path: [...path, key], message: `${stranger}: no such node; there are ${known([...names.nodes, ...names.routers])}` };
    }
    for (const [n, capture] of step.captures.entries()) {
      if (!all.has(capture.on) && !names.switches.has(capture.on)) yield { path: [...path, "captures", n, "on"], message: `no such node; there are ${known(all)}` };
    }
  }
}
