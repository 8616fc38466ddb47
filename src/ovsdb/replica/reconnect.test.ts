import assert from "node:assert/strict";
import { test } from "node:test";
import { makeLog } from "../../host/index.ts";
import { Reconnect, type ReconnectLimits } from "./reconnect.ts";

/** Plays a script: `+1000 run` lets time pass and runs; other words are calls. Returns what `run` said and the log. */
function play(script: string, limits: Partial<ReconnectLimits> = {}): string[] {
  const lines: string[] = [];
  const log = makeLog(({ text }) => void lines.push(text), (_, level) => level !== "DBG");
  const pacing = new Reconnect("tcp:1.2.3.4:6642", log, limits);
  let now = 0;
  for (const step of script.split(/\s+/)) {
    if (step.startsWith("+")) now += Number(step.slice(1));
    else if (step === "run") lines.push(`${now}: ${pacing.run(now) ?? "nothing"}`);
    else if (step === "enable") pacing.enable(now);
    else if (step === "disable") pacing.disable(now);
    else if (step === "connecting") pacing.connecting(now);
    else if (step === "connected") pacing.connected(now);
    else if (step === "activity") pacing.activity(now);
    else if (step === "force") pacing.force(now);
    else if (step === "refused") pacing.disconnected(now, "Connection refused");
    else if (step === "closed") pacing.disconnected(now, undefined);
    else if (step.startsWith("free=")) pacing.setFreeTries(Number(step.slice(5)));
    else if (step === "deadline") lines.push(`deadline ${pacing.deadline()}`);
    else assert.fail(step);
  }
  return lines.map((line) => line.replace("tcp:1.2.3.4:6642: ", ""));
}

test("attempts that fail are further and further apart, and said less and less", () => {
  assert.deepEqual(play("run enable run connecting refused run +999 run +1 run connecting refused deadline +2000 connecting refused +4000 connecting refused deadline +8000 run connecting refused deadline"), [
    "0: nothing", "0: connect", "connecting...", "connection attempt failed (Connection refused)", "waiting 1 seconds before reconnect", "0: nothing", "999: nothing",
    "1000: connect", "connecting...", "connection attempt failed (Connection refused)", "waiting 2 seconds before reconnect", "deadline 3000",
    "connecting...", "connection attempt failed (Connection refused)", "waiting 4 seconds before reconnect",
    "connecting...", "connection attempt failed (Connection refused)", "continuing to reconnect in the background but suppressing further logging", "deadline 15000",
    "15000: connect", "deadline 23000",
  ]);
});

test("an attempt that takes too long is given up", () => {
  assert.deepEqual(play("enable connecting +999 run +1 run closed deadline").slice(1), ["999: nothing", "1000: disconnect", "connection attempt timed out", "waiting 1 seconds before reconnect", "deadline 2000"]);
});

test("silence is probed, and a peer that stays silent is given up", () => {
  assert.deepEqual(play("enable connecting connected +4999 run +1 run +4999 run +1 run closed"), [
    "connecting...", "connected", "4999: nothing", "5000: probe", "9999: nothing", "no response to inactivity probe after 5 seconds, disconnecting", "10000: disconnect", "connection closed by peer",
  ]);
  assert.deepEqual(play("enable connecting connected +5000 run +10 activity +4999 run +1 run").slice(2), ["5000: probe", "10009: nothing", "10010: probe"]);
  assert.deepEqual(play("enable connecting connected +99999 run deadline", { probeIntervalMs: 0 }).slice(2), ["99999: nothing", "deadline Infinity"]);
});

test("a connection that lasted begins the pauses anew; one of several remotes is tried at once", () => {
  assert.deepEqual(play("enable connecting connected +60000 activity closed deadline").slice(2), ["connection closed by peer", "deadline 61000"]);
  assert.deepEqual(play("free=3 enable connecting refused run connecting refused run connecting refused run +1000 run").filter((l) => /^\d/.test(l)), [
    "0: connect", "0: connect", "0: nothing", "1000: connect",
  ]);
});

test("forced, it drops what it has; disabled, it wants nothing", () => {
  assert.deepEqual(play("enable connecting connected force run closed").slice(2), ["0: disconnect", "connection closed by client", "waiting 1 seconds before reconnect"]);
  assert.deepEqual(play("enable refused connecting refused force run").at(-1), "0: connect");
  assert.deepEqual(play("enable disable run deadline"), ["0: nothing", "deadline Infinity"]);
});
