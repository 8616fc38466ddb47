/** Puts the switch together and keeps it going: database, datapath, tunnels, OpenFlow, and the work of each second. */
import { isthmusVersion, ovsVersion } from "../daemon/index.ts";
import type { Host, Timer } from "../host/index.ts";
import { openReplica } from "../ovsdb/index.ts";
import { openVSwitch } from "../schemas/index.ts";
import { BfdMonitor } from "./port/bfd-monitor.ts";
import { Configuration } from "./configuration.ts";
import { fragmentCommands } from "./conntrack/fragment-commands.ts";
import { ConnectionTracker } from "./conntrack/connection-tracker.ts";
import { Fragments } from "./conntrack/fragments.ts";
import { dummyCommands } from "./dummy/dummy-commands.ts";
import { DummyLinks } from "./dummy/dummy-links.ts";
import { Controllers } from "./openflow/controllers.ts";
import { Datapath } from "./datapath.ts";
import { Devices } from "./port/devices.ts";
import { KernelLinks } from "./port/kernel-links.ts";
import { PortTaps } from "./port/port-taps.ts";
import { nativeCommands } from "./native/native-commands.ts";
import { NativeTunnels } from "./native/native-tunnels.ts";
import type { AttachedPort, Switch, SwitchOptions } from "./switch.ts";
import { exitCommand, switchCommands } from "./switch-commands.ts";
import { Tunnels } from "./port/tunnels.ts";

const sweepMs = 1000;
const statisticsMs = 5000;

/** The tables that concern a switch of this kind. */
const monitor = { Open_vSwitch: true, Bridge: true, Port: true, Interface: true, Controller: true, Datapath: true, CT_Zone: true, Mirror: true } as const;

export function startSwitch(host: Host, options: SwitchOptions): Switch {
  const devices = new Devices();
  const kernel = options.devices === undefined ? undefined : new KernelLinks(options.devices, host.log.module("netdev"));
  const dummies = options.dummies === undefined ? undefined : new DummyLinks(host, options.dummies);
  const taps = new PortTaps(() => host.clock.wall());
  const log = host.log.module("ofproto_dpif_xlate");
  const nowMs = (): number => host.clock.now();
  const serviceOf = (uuid: string) => configuration.bridges.get(uuid)?.service;
  const tracker = new ConnectionTracker(nowMs, (text) => host.log.module("conntrack").warn(text));
  const fragments = new Fragments(nowMs);
  const datapath = new Datapath(
    {
      nowMs,
      toController: (action, packet) => serviceOf(action.bridge.uuid)?.packetIn(action, packet),
      throughTunnel: (action, packet) => tunnels.send(action, packet),
      track: (action, packet) => tracker.track(action, packet),
      trackFragment: (action, fragment, goOn) => fragments.take(fragment, action.zone, (datagram) => tracker.track(action, datagram), goOn),
      takes: (port, packet) => bfd.takes(port, packet),
      learn: (bridge, flow) => serviceOf(bridge.uuid)?.install(flow),
      warn: (text) => log.warn(text),
    },
    taps,
  );
  const tunnels: Tunnels = new Tunnels(
    dummies === undefined ? host.datagrams : undefined, host.clock, taps,
    {
      receive: (port, frame, words) => datapath.receive(port, frame, words), bound: () => configuration.tunnelsChanged(),
      egress: (remote) => (native === undefined ? "lo" : native.deviceTowards(remote)),
    },
    host.log.module("tunnel"),
  );
  const native = dummies === undefined ? undefined : nativeTunnels(host, dummies, datapath, tunnels, (what) => configuration.underlayChanged(what));
  datapath.native = native;
  const bfd: BfdMonitor = new BfdMonitor(host.clock, host.random, {
    send: (port, frame) => datapath.sendOut(port, frame),
    changed: (port) => configuration.bfdChanged(port),
  });
  const replica = openReplica(host, openVSwitch, options.database, { monitor, lock: "ovs_vswitchd", minBackoffMs: 100, leaderOnly: false, changed: () => configuration.run() });
  const controllers = new Controllers(host);
  controllers.changed = (service) => configuration.controllersChanged(service);
  const configuration: Configuration = new Configuration({
    host, replica, datapath, tunnels, devices, kernel, dummies, bfd, controllers, limits: tracker.limits, runFolder: options.runFolder, version: options.version ?? ovsVersion,
    events: { nowMs, next32: () => host.random.next32(), flushConnections: (request) => (request.kind === "ct_flush" ? tracker.flushMatching(request) : tracker.flush(request.zone)) },
  });
  devices.changed = (name) => configuration.deviceChanged(name);
  if (kernel !== undefined) kernel.changed = devices.changed;
  if (dummies !== undefined) dummies.changed = devices.changed;

  let timer: Timer | undefined;
  let isStopped = false;
  let statisticsAtMs = nowMs();
  const eachSecond = (): void => {
    timer = host.clock.after(sweepMs, eachSecond);
    datapath.cache.sweep(nowMs());
    tracker.sweep();
    fragments.sweep();
    native?.neighbours.sweep();
    for (const { bridge, service } of configuration.bridges.values()) {
      service.expire();
      if (bridge.macs.expire(nowMs())) bridge.generation++;
    }
    if (nowMs() - statisticsAtMs < statisticsMs) return;
    statisticsAtMs = nowMs();
    configuration.writeStatistics();
  };
  timer = host.clock.after(sweepMs, eachSecond);
  host.log.module("vswitchd").info(`ovs-vswitchd (Open vSwitch) ${ovsVersion}, Isthmus ${isthmusVersion}`);

  return {
    ready: configuration.ready,
    commands: [
      ...switchCommands({ configuration, datapath, tunnels, tracker, bfd, nowMs }), ...fragmentCommands(fragments),
      ...(options.exit === undefined ? [] : [exitCommand(options.exit)]), ...(dummies === undefined || native === undefined ? [] : [...dummyCommands(dummies, native.routes), ...nativeCommands(native.routes, native.neighbours)]),
    ],
    async stop() {
      if (isStopped) return;
      isStopped = true;
      timer?.cancel();
      configuration.stop();
      kernel?.stop();
      dummies?.stop();
      bfd.close();
      tunnels.close();
      replica.close();
    },
    attachPort: (name, receive) => attach(devices, datapath, name, receive),
    tap: (name, see) => taps.add(name, see),
  };
}

/** Where devices are dummies, no kernel takes tunnels' packets: they go through the bridges. */
function nativeTunnels(host: Host, dummies: DummyLinks, datapath: Datapath, tunnels: Tunnels, changed: (what: "routes" | "neighbours") => void): NativeTunnels {
  return new NativeTunnels({
    nowMs: () => host.clock.now(), addressesOf: (device) => dummies.addressesOf(device), portNamed: (name) => datapath.ports.placedNamed(name),
    tunnelsOn: (udpPort) => tunnels.tunnelsOn(udpPort), enter: (placed, frame) => datapath.enter(placed, frame),
    receive: (from, bytes) => tunnels.receive(from, bytes), changed,
  });
}

function attach(devices: Devices, datapath: Datapath, name: string, receive: (frame: Uint8Array) => void): AttachedPort {
  const detach = devices.attach(name, { receive });
  let isClosed = false;
  return {
    name,
    send(frame) {
      const port = isClosed ? undefined : datapath.ports.named(name);
      if (port !== undefined) datapath.receive(port, frame);
    },
    close() {
      isClosed = true;
      detach();
    },
  };
}
