/** ovs-vswitchd(8): the embedded switch as a program of its own. */
import { runDaemon, StartError } from "../daemon/index.ts";
import { parseActiveTarget, WarpedClock } from "../host/index.ts";
import { nodeFrameDevices, nodeHost, nodeProcess } from "../host/node/index.ts";
import { type DummyLevel, dummyLevels, serveFrames, startSwitch, timeCommands } from "../switch/index.ts";

const help = `ovs-vswitchd: Open vSwitch daemon
usage: ovs-vswitchd [OPTIONS] [DATABASE]
where DATABASE is a socket on which ovsdb-server is listening
      (default: "unix:db.sock" in the run-time folder).`;

function dummyLevel(text: string | undefined): DummyLevel {
  const level = dummyLevels.find((l) => l === (text ?? "none"));
  if (level === undefined) throw new StartError(`${text}: unknown dummy level`);
  return level;
}

await runDaemon(
  {
    name: "ovs-vswitchd",
    family: "ovs",
    help,
    maxArgs: 1,
    options: [
      { name: "mlockall", argument: "none" },
      { name: "disable-system", argument: "none" },
      { name: "disable-system-route", argument: "none" },
      { name: "enable-dummy", argument: "optional" },
    ],
    async start(host, { args, folders, given, value, process, exit }) {
      const [remote = "unix:db.sock"] = args;
      const database = remote.replace(/^unix:(?!\/)/, `unix:${folders.run}/`);
      if (database.split(",").some((target) => parseActiveTarget(target) === undefined)) throw new StartError(`${remote}: bad database remote`);
      // A lab that keeps its hosts in another process plugs them in here.
      const frames = process.variable("ISTHMUS_FRAMES");
      const dummies = given("enable-dummy") ? dummyLevel(value("enable-dummy")) : undefined;
      const wantsDevices = frames === undefined && (dummies === undefined || dummies === "none");
      const missing = wantsDevices ? nodeFrameDevices.obstacle() : undefined;
      if (missing !== undefined) host.log.warn(missing);
      const devices = wantsDevices && missing === undefined ? { devices: nodeFrameDevices } : {};
      const clock = new WarpedClock(host.clock);
      const running = startSwitch(dummies === undefined ? host : { ...host, clock }, { database, runFolder: folders.run, exit, ...devices, ...(dummies === undefined ? {} : { dummies }) });
      if (frames !== undefined) await serveFrames(host, frames, running);
      return dummies === undefined ? running : { ...running, commands: [...running.commands, ...timeCommands(clock)] };
    },
  },
  nodeProcess(),
  nodeHost,
);
