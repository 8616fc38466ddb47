/** One claim of `validate:` put to the test. */
import type { CommandResult } from "../script/run.ts";
import type { CaptureCheck, PingCheck, ValidateStep } from "../topology/validate.ts";
import { lacksComplaint, plainLines, printsComplaint, showsComplaint, treeComplaint } from "./expected-text.ts";
import type { Ground, SeenFrames } from "./ground.ts";

/** How long into a ping something is killed or restarted, and how long the last frames of a command may take. */
const untilActionMs = 1_000;
const lastFramesMs = 150;
/** Between two tries of a claim that has time. */
const retryMs = 100;

export interface StepResult {
  readonly step: ValidateStep;
  /** What is wrong, for a reader; undefined if the claim holds. */
  readonly complaint: string | undefined;
  readonly tookMs: number;
}

export async function runStep(ground: Ground, step: ValidateStep): Promise<StepResult> {
  const began = ground.clock.now();
  const deadline = began + step.within * 1000;
  for (let isFirst = true; ; isFirst = false) {
    const complaint = await tryStep(ground, step, isFirst).catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
    if (complaint === undefined || ground.clock.now() >= deadline) return { step, complaint, tookMs: ground.clock.now() - began };
    await pause(ground, retryMs);
  }
}

/** `acts`: whether it kills and restarts as well; once is enough. */
async function tryStep(ground: Ground, step: ValidateStep, acts: boolean): Promise<string | undefined> {
  const captures: { readonly check: CaptureCheck; readonly seen: SeenFrames }[] = [];
  try {
    for (const check of step.captures) captures.push({ check, seen: await ground.capture(check.on, check.port) });
    const [complaint] = await Promise.all([stimulate(ground, step), acts ? act(ground, step) : undefined]);
    if (complaint !== undefined) return complaint;
    if (captures.length > 0) await pause(ground, lastFramesMs);
    return firstOf(captures.map(({ check, seen }) => () => captureComplaint(check, seen.frames)));
  } finally {
    await Promise.all(captures.map(({ seen }) => seen.stop()));
  }
}

async function act(ground: Ground, { kill, restart, link, ping, run }: ValidateStep): Promise<void> {
  if (kill.length + restart.length + link.length > 0 && (ping !== undefined || run !== undefined)) await pause(ground, untilActionMs);
  for (const place of kill) await ground.kill(...placeOf(place));
  for (const place of restart) await ground.restart(...placeOf(place));
  for (const text of link) {
    const [name = "", ...words] = text.split(/\s+/).filter((w) => w !== "");
    await ground.changeLink(name, words);
  }
}

function placeOf(text: string): [string, string | undefined] {
  const [node = "", daemon] = text.split("/");
  return [node, daemon];
}

async function stimulate(ground: Ground, step: ValidateStep): Promise<string | undefined> {
  if (step.ping !== undefined) return pingComplaint(step.ping, await ground.run(step.ping.from, pingLine(step.ping)));
  if (step.on === undefined || step.run === undefined) return undefined;
  return runComplaint(step, await ground.run(step.on, step.run));
}

export const pingLine = (ping: PingCheck): string => `ping -c ${ping.count} -i ${ping.interval} -W 1 ${ping.to}`;

function pingComplaint(ping: PingCheck, { stdout, stderr }: CommandResult): string | undefined {
  const replies = [...stdout.matchAll(/icmp_seq=\d+ (?:ttl|hlim)=(\d+)/g)];
  const lost = ping.count - replies.length;
  const other = ping.ttl === undefined ? undefined : replies.find(([, ttl]) => Number(ttl) !== ping.ttl)?.[1];
  if (other !== undefined) return `ttl ${other} instead of ${ping.ttl}:\n${quoted(stdout)}`;
  if (lost > ping.lost) return `${lost} of ${ping.count} echoes had no reply${ping.lost === 0 ? "" : `, where ${ping.lost} may be lost`}:\n${quoted(stdout + stderr)}`;
  return undefined;
}

function runComplaint(step: ValidateStep, { exitCode, stdout, stderr }: CommandResult): string | undefined {
  if (exitCode !== step.exit) return `exit code ${exitCode} instead of ${step.exit}:\n${quoted(stdout + stderr)}`;
  // What a program says to standard error is part of what one sees.
  const output = stdout + stderr;
  return firstOf([
    () => (step.prints === undefined ? undefined : printsComplaint(step.prints, output)),
    () => (step.shows === undefined ? undefined : showsComplaint(step.shows, output)),
    () => (step.tree === undefined ? undefined : treeComplaint(step.tree, output)),
    () => (step.lacks === undefined ? undefined : lacksComplaint(step.lacks, output)),
  ]);
}

function captureComplaint(check: CaptureCheck, all: readonly string[]): string | undefined {
  const { only } = check;
  const frames = only === undefined ? all : all.filter((f) => f.includes(only));
  const text = frames.join("\n");
  const where = `on ${check.on}, port ${check.port}${only === undefined ? "" : `, of frames with "${only}"`}: `;
  const complaint = firstOf([
    () => (check.frames === undefined || check.frames === frames.length ? undefined : `${frames.length} frames instead of ${check.frames}:\n${quoted(text)}`),
    () => (check.shows === undefined ? undefined : showsComplaint(joinedFrames(check.shows), text)),
    () => (check.lacks === undefined ? undefined : lacksComplaint(joinedFrames(check.lacks), text)),
  ]);
  return complaint === undefined ? undefined : where + complaint;
}

/** tcpdump gives a packet several lines, the later ones indented: here each is one. */
function joinedFrames(text: string): string {
  return text.replace(/\n\s+(?=\S)/g, " ");
}

const quoted = (text: string): string => plainLines(text).map((l) => `    ${l}`).join("\n");

function firstOf(checks: readonly (() => string | undefined)[]): string | undefined {
  for (const check of checks) {
    const complaint = check();
    if (complaint !== undefined) return complaint;
  }
  return undefined;
}

const pause = (ground: Ground, ms: number): Promise<void> => new Promise((resolve) => void ground.clock.after(ms, resolve));
