/** Network devices by system calls: tun/tap (Documentation/networking/tuntap.rst), packet(7), netdevice(7), rtnetlink(7). */
import type { DeviceFacts, FrameDevice, FrameDevices } from "../frame-device.ts";
import { FramePump, type TakeRecord } from "./frame-pump.ts";
import { type Libc, must, native } from "./libc.ts";
import { finishFrame, offloadHeaderSize, tagFrame } from "./offloads.ts";

const readWrite = 0x2;
const nonBlocking = 0x800;
const closeOnExec = 0x80000;
const afInet = 2;
const afNetlink = 16;
const afPacket = 17;
const sockRaw = 3;
const sockDatagram = 2;
/** ETH_P_ALL in network byte order. */
const everyProtocol = 0x0300;
const solSocket = 1;
const solPacket = 263;
const newNetwork = 0x40000000;

const request = {
  setInterface: 0x400454ca, index: 0x8933, flags: 0x8913, getMtu: 0x8921, setMtu: 0x8922, getMac: 0x8927, setMac: 0x8924, ethtool: 0x8946,
} as const;
const tapWithoutHeader = 0x1002;
const [flagUp, flagRunning] = [0x1, 0x40];
/** ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO, each to be set to 0. */
const offloadsOfEthtool = [0x17, 0x1f, 0x24];
const receiveBufferSize = 4 << 20;
const maxNameSize = 15;

let pump: FramePump | undefined;
const thePump = (): FramePump => (pump ??= new FramePump(native()));

/** struct ifreq: a name, and 24 bytes of what the request is about. */
function interfaceRequest(name: string): DataView {
  const bytes = new TextEncoder().encode(name);
  if (bytes.length > maxNameSize) throw Object.assign(new Error(`${name}: an interface name has at most ${maxNameSize} bytes`), { code: "ENAMETOOLONG" });
  const memory = new Uint8Array(40);
  memory.set(bytes);
  return new DataView(memory.buffer);
}

const memoryOf = (view: DataView): Uint8Array => new Uint8Array(view.buffer);

/** Runs `body` with this thread in `namespace`. Nothing else runs meanwhile, since `body` does not wait. */
function inside<T>(namespace: string | undefined, body: (libc: Libc) => T): T {
  const { libc } = native();
  if (namespace === undefined) return body(libc);
  const own = must(libc.open("/proc/thread-self/ns/net", closeOnExec), "open of the own network namespace");
  try {
    const there = must(libc.open(namespace, closeOnExec), `open of ${namespace}`);
    try {
      must(libc.setns(there, newNetwork), "setns");
    } finally {
      libc.close(there);
    }
    try {
      return body(libc);
    } finally {
      must(libc.setns(own, newNetwork), "setns back to the own network namespace");
    }
  } finally {
    libc.close(own);
  }
}

/** With a socket for requests about devices. */
function asking<T>(namespace: string | undefined, body: (ask: (code: number, view: DataView) => number) => T): T {
  return inside(namespace, (libc) => {
    const socket = must(libc.socket(afInet, sockDatagram | closeOnExec, 0), "socket");
    try {
      return body((code, view) => libc.ioctl(socket, code, memoryOf(view)));
    } finally {
      libc.close(socket);
    }
  });
}

function openTap(name: string, namespace?: string): FrameDevice {
  const file = inside(namespace, (libc) => {
    const tun = must(libc.open("/dev/net/tun", readWrite | nonBlocking | closeOnExec), "open of /dev/net/tun");
    const wanted = interfaceRequest(name);
    wanted.setUint16(16, tapWithoutHeader, true);
    if (libc.ioctl(tun, request.setInterface, memoryOf(wanted)) >= 0) return tun;
    try {
      must(-1, `TAP device ${name}`);
    } finally {
      libc.close(tun);
    }
    return tun;
  });
  return openDevice(name, file, "tap");
}

function openPacketSocket(name: string, namespace?: string): FrameDevice {
  const file = inside(namespace, (libc) => {
    // Bound to no protocol at first: nothing is to come before the device is named and the options are set.
    const socket = must(libc.socket(afPacket, sockRaw | nonBlocking | closeOnExec, 0), `packet socket on ${name}`);
    try {
      bindPacketSocket(libc, socket, name);
    } catch (error) {
      libc.close(socket);
      throw error;
    }
    return socket;
  });
  return openDevice(name, file, "packet");
}

function bindPacketSocket(libc: Libc, socket: number, name: string): void {
  const view = interfaceRequest(name);
  must(libc.ioctl(socket, request.index, memoryOf(view)), `device ${name}`);
  const index = view.getInt32(16, true);
  const set = (level: number, option: number, value: number): number => {
    const word = new Uint8Array(4);
    new DataView(word.buffer).setInt32(0, value, true);
    return libc.setsockopt(socket, level, option, word, 4);
  };
  must(set(solPacket, 15, 1), "PACKET_VNET_HDR");
  must(set(solPacket, 8, 1), "PACKET_AUXDATA");
  // What this machine itself sends out of the device did not come in by it.
  must(set(solPacket, 23, 1), "PACKET_IGNORE_OUTGOING");
  // SO_RCVBUFFORCE, which user namespaces do not allow, or else SO_RCVBUF within the machine's limit.
  if (set(solSocket, 33, receiveBufferSize) < 0) set(solSocket, 8, receiveBufferSize);
  const membership = new DataView(new ArrayBuffer(16));
  membership.setInt32(0, index, true);
  membership.setUint16(4, 1, true);
  must(libc.setsockopt(socket, solPacket, 1, memoryOf(membership), 16), "promiscuous mode");
  const address = new DataView(new ArrayBuffer(20));
  address.setUint16(0, afPacket, true);
  address.setUint16(2, everyProtocol, true);
  address.setInt32(4, index, true);
  must(libc.bind(socket, memoryOf(address), 20), `bind to ${name}`);
}

function openDevice(name: string, file: number, kind: "tap" | "packet"): FrameDevice {
  const { libc } = native();
  const before = kind === "packet" ? offloadHeaderSize : 0;
  // Frames are sent with an empty virtio header, which says that nothing is left to do.
  let scratch = new Uint8Array(before + 2048);
  let receive: (frame: Uint8Array) => void = () => undefined;
  let dropped = 0;
  let isOpen = true;
  const take: TakeRecord = (header, frame, tpid, tci) => {
    if (kind === "tap") return receive(frame);
    const frames = finishFrame(header, frame);
    if (frames.length === 0) dropped++;
    for (const each of frames) receive(tpid === 0 ? each : tagFrame(each, tpid, tci));
  };
  const remove = thePump().add(file, kind, take);
  return {
    name,
    attach(to) {
      receive = to;
    },
    send(frame) {
      if (!isOpen) return;
      const size = before + frame.length;
      if (size > scratch.length) scratch = new Uint8Array(size);
      scratch.set(frame, before);
      if (libc.write(file, scratch, size) < 0) dropped++;
    },
    get dropped() {
      return dropped;
    },
    close() {
      if (!isOpen) return;
      isOpen = false;
      remove();
    },
  };
}

function facts(name: string, namespace?: string): DeviceFacts | undefined {
  return asking(namespace, (ask) => {
    const get = (code: number): DataView | undefined => {
      const view = interfaceRequest(name);
      return ask(code, view) < 0 ? undefined : view;
    };
    const [index, mac, mtu, flags] = [get(request.index), get(request.getMac), get(request.getMtu), get(request.flags)];
    // It may go between two questions.
    if (index === undefined || mac === undefined || mtu === undefined || flags === undefined) return undefined;
    const bits = flags.getUint16(16, true);
    return {
      index: index.getInt32(16, true), mac: memoryOf(mac).slice(18, 24), mtu: mtu.getInt32(16, true), isUp: (bits & flagUp) !== 0,
      isRunning: (bits & flagUp) !== 0 && (bits & flagRunning) !== 0,
    };
  });
}

function setMac(name: string, mac: Uint8Array, namespace?: string): void {
  asking(namespace, (ask) => {
    const view = interfaceRequest(name);
    // ARPHRD_ETHER
    view.setUint16(16, 1, true);
    memoryOf(view).set(mac.subarray(0, 6), 18);
    must(ask(request.setMac, view), `MAC address of ${name}`);
  });
}

function setMtu(name: string, mtu: number, namespace?: string): void {
  asking(namespace, (ask) => {
    const view = interfaceRequest(name);
    view.setInt32(16, mtu, true);
    must(ask(request.setMtu, view), `MTU of ${name}`);
  });
}

/** Asks by way of ethtool's ioctl, whose argument is a pointer; a device that cannot be told keeps what it has. */
function turnOffloadsOff(name: string, namespace?: string): void {
  const { libc } = native();
  // Large enough that it has a place of its own outside the heap, and stays there.
  const value = new Uint8Array(128);
  const address = libc.memcpy(value, value, 0);
  for (const command of offloadsOfEthtool) {
    new DataView(value.buffer).setUint32(0, command, true);
    asking(namespace, (ask) => {
      const view = interfaceRequest(name);
      view.setBigUint64(16, BigInt(address), true);
      ask(request.ethtool, view);
    });
  }
}

function watch(changed: () => void, namespace?: string): () => void {
  const file = inside(namespace, (libc) => {
    const socket = must(libc.socket(afNetlink, sockRaw | nonBlocking | closeOnExec, 0), "netlink socket");
    // struct sockaddr_nl: family, padding, port, groups (RTMGRP_LINK).
    const address = new DataView(new ArrayBuffer(12));
    address.setUint16(0, afNetlink, true);
    address.setUint32(8, 1, true);
    must(libc.bind(socket, memoryOf(address), 12), "bind of the netlink socket");
    return socket;
  });
  return thePump().add(file, "notice", changed);
}

export const nodeFrameDevices: FrameDevices = { openTap, openPacketSocket, facts, setMac, setMtu, turnOffloadsOff, watch };
