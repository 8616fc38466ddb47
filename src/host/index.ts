/** The doors to the world: interfaces only. Node's versions stand behind `host/node/index.ts`, for `bin` and `lab`. */
export type { ChildOptions, ChildResult, Children } from "./children.ts";
export type { Clock, Timer } from "./clock.ts";
export type { Datagrams, DatagramSocket } from "./datagram.ts";
export type { AppendFile, Disk } from "./disk.ts";
export type { DeviceError, DeviceFacts, FrameDevice, FrameDevices } from "./frame-device.ts";
export type { Host } from "./host.ts";
export { type Log, type LogEntry, type LogLevel, logLevels, makeLog, silentLog } from "./log.ts";
export { type AddressMap, formatAddressMap, mappedHost, parseAddressMap } from "./mapped.ts";
export type { KernelNextHop, KernelRoute, KernelRouting, RouteFailure, RoutingTable } from "./kernel-routing.ts";
export { joinedStreams } from "./joined-streams.ts";
export type { DeviceEnd, Machine, MachineCommand, MachineDevice, MachineOptions, MachineRouting, Machines, VrfKind } from "./machine.ts";
export { type MortalHost, mortalHost } from "./mortal-host.ts";
export { type MemoryRouting, memoryRouting } from "./memory-routing.ts";
export { memoryStreamPair } from "./memory-stream.ts";
export { type Background, type BackgroundManner, type Environment, type Process, type SignalName, signalNumbers } from "./process.ts";
export type { Random } from "./random.ts";
export type { Channel, Thread, Threads } from "./threads.ts";
export {
  type ActiveTarget, formatTarget, type Listener, type PassiveTarget, parseActiveTarget, parsePassiveTarget, type Stream,
  type StreamEvents, type Streams,
} from "./stream.ts";
export { VirtualClock } from "./virtual-clock.ts";
export { WarpedClock } from "./warped-clock.ts";
