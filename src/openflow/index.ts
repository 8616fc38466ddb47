/**
 * OpenFlow: fields, matches, actions, groups, meters, messages; wire form and ovs-ofctl's text form.
 * Knows nothing of sockets, packets or tables.
 */
export {
  type Action, type ActionKind, type ActionOf, bundleAlgorithms, type Bundle, type Controller, type Ct, type EncapProperty, hashFields,
  type HashFields, type Learn, type LearnSpec, multipathAlgorithms, type Multipath, type Nat, type NatRange, packetInReasons,
  type PacketInReason, type Resubmit, type Sample, type SetField,
} from "./action/action.ts";
export { formatAction, formatActions, parseActions } from "./action/action-text.ts";
export { type Decoded, decodeMessage, encodeIfItFits, encodeMessage } from "./message/codec.ts";
export { actionsFromBytes, actionsToBytes } from "./action/action-list.ts";
export { type ErrorName, isOfError, OfError } from "./message/error.ts";
export {
  allFields, type CodePoint, type Field, field, type FieldValue, findField, findFieldByCodePoint, findFieldOnWire, nxmOf, oxmOf,
} from "./match/field.ts";
export { formatDuration, formatFlowMod, formatFlowStats, parseFlow } from "./flow-text.ts";
export { formatGroup, parseGroup } from "./group-text.ts";
export { messageName } from "./message/message-name.ts";
export { MessageFramer } from "./message/framing.ts";
export type { FieldName, Notation, Prerequisite } from "./match/field-table.ts";
export { and, andNot, exactMask, Match, MatchBuilder, or, registerWords, type Term } from "./match/match.ts";
export {
  type FlowFlags, type FlowMod, flowModCommands, type FlowRemoved, flowRemovedReasons, type FlowStats, type FlowStatsRequest,
} from "./message/flow.ts";
export { type Bucket, type GroupDescription, type GroupMod, groupModCommands, groups, type GroupStats, groupTypes } from "./message/group.ts";
export {
  type BundleAdd, type BundleControl, bundleControls, type Message, type MessageKind, type MessageOf, type MultipartReply,
  type MultipartRequest, type NiciraMessage, type TlvMapping,
} from "./message/message.ts";
export { type MeterBand, type MeterConfig, meterFlags, type MeterMod, meters, type MeterStats } from "./message/meter.ts";
export { noBuffer, type PacketIn, type PacketOut, type Resume } from "./message/packet.ts";
export {
  portConfig, type PortDescription, type PortMod, portState, type PortStats, type PortStatus, portStatusReasons,
} from "./message/port-description.ts";
export {
  type AsyncConfig, type ErrorMessage, type FeaturesReply, fragmentHandlings, type Hello, roles, type SwitchConfig,
  type SwitchDescription,
} from "./message/session.ts";
export type { TableFeatures, TableStats } from "./message/table.ts";
export type { CtFlush, CtTuple } from "./message/tracked-connection.ts";
export { formatPort, parsePort, portFromWire, ports, portToWire } from "./message/port.ts";
export { formatSubfield, isWhole, type Subfield, subfield } from "./match/subfield.ts";
export { isTextError, type TextError } from "./text-input.ts";
export { formatValue } from "./match/value-text.ts";
export { defaultPriority, formatMatch } from "./match/match-text.ts";
export { meetsPrerequisite } from "./match/oxm-match.ts";
export { noCookie } from "./message/packet-messages.ts";
export { isKnownVersion, of10, of13, of14, of15, type OfVersion, versionNames } from "./message/version.ts";
export type { DecodeOptions } from "./message/wire-reader.ts";
export type { TlvSizes } from "./message/wire-writer.ts";
