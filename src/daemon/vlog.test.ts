import assert from "node:assert/strict";
import { test } from "node:test";
import type { AppendFile, Disk } from "../host/index.ts";
import { formatTime } from "./vlog-pattern.ts";
import { Vlog } from "./vlog.ts";

/** A clock that stands, a disk with one growing file, a console that is kept. */
function place() {
  const state = { now: 0, file: "", console: "", opened: 0, broken: false };
  const file: AppendFile = {
    get size() {
      return state.file.length;
    },
    append: (content) => void (state.file += String(content)), sync: () => {}, truncate: () => {}, close: () => {},
  };
  const disk = {
    openAppend: () => {
      if (state.broken) throw Object.assign(new Error("no space"), { code: "ENOSPC" });
      state.opened++;
      return file;
    },
  } as Partial<Disk> as Disk;
  const vlog = new Vlog({
    program: "ovn-northd", pid: 7, disk, console: (text) => void (state.console += text),
    clock: { now: () => state.now, wall: () => Date.UTC(2026, 10, 20, 10, 39, 30, 123) + state.now, after: () => ({ cancel: () => {} }) },
  });
  return { state, vlog };
}

test("lines read as those of OVS", () => {
  const { state, vlog } = place();
  vlog.openFile("/var/log/x.log");
  vlog.log.module("northd").warn("all datapath tunnel ids exhausted\n");
  assert.equal(
    state.file,
    "2026-11-20T10:39:30.123Z|00001|vlog|INFO|opened log file /var/log/x.log\n" +
      "2026-11-20T10:39:30.123Z|00002|northd|WARN|all datapath tunnel ids exhausted\n",
  );
  assert.equal(state.console.split("\n")[1], "2026-11-20T10:39:30Z|00002|northd|WARN|all datapath tunnel ids exhausted");
});

test("levels are set by module and destination, in any order of words", () => {
  const { state, vlog } = place();
  vlog.openFile("f");
  state.file = "";
  for (const [spec, wrong] of [
    ["console:off", undefined], ["jsonrpc:file:dbg", undefined], ["ANY:file:warn", undefined], ["dbg:main:file", undefined],
    ["nosuchmodule:dbg", 'no destination, level, or module "nosuchmodule"'], ["info:dbg", "cannot specify multiple levels"],
    ["file:console", "cannot specify multiple destinations"], ["PATTERN:file:%c %m", undefined], ["PATTERN", "missing destination"],
    ["pattern:nowhere:x", 'unknown destination "nowhere"'],
  ] as const) assert.equal(vlog.configure(spec), wrong, spec);
  vlog.log.module("northd").info("not this");
  vlog.log.module("northd").err("this");
  vlog.log.module("main").dbg(() => "and this");
  assert.equal(state.file, "northd this\nmain and this\n");
  assert.equal(state.console.includes("this"), false);
  assert.match(vlog.listLevels(), /^northd +OFF +INFO +WARN$/m);
  assert.match(vlog.listLevels(), /^main +OFF +INFO +DBG$/m);
});

test("a flood of one line is cut off, counted and reported; disable-rate-limit lets it through", () => {
  const { state, vlog } = place();
  for (let i = 0; i < 100; i++) vlog.log.module("rconn").warn("connection refused");
  assert.equal(state.console.split("\n").length - 1, 20);
  state.now = 10_000;
  vlog.log.module("rconn").warn("connection refused");
  assert.match(state.console, /Dropped 80 log messages in last 10 seconds \(most recently, 10 seconds ago\) due to excessive rate/);
  state.console = "";
  vlog.setRateLimited(false, "rconn");
  for (let i = 0; i < 100; i++) vlog.log.module("rconn").warn("connection refused");
  assert.equal(state.console.split("\n").length - 1, 100);
});

test("a log file that cannot be opened is said and does not stop the program", () => {
  const { state, vlog } = place();
  state.broken = true;
  assert.equal(vlog.openFile("/f"), "no space");
  vlog.log.info("goes on");
  assert.match(state.console, /vlog\|WARN\|failed to open \/f for logging/);
  state.broken = false;
  assert.equal(vlog.reopenFile(), undefined);
  vlog.log.info("in the file now");
  assert.match(state.file, /in the file now/);
  assert.equal(place().vlog.reopenFile(), "Logging to file not configured");
});

test("times are printed as asked for", () => {
  assert.equal(formatTime("%Y-%m-%d %H:%M:%S.### %% %q", Date.UTC(2026, 0, 2, 3, 4, 5, 6)), "2026-01-02 03:04:05.006 % %q");
});
