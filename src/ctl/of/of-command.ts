/** What every command of ovs-ofctl has: how it is called, which versions it speaks, and what it does. */
import type { Message, MessageKind, MessageOf, OfVersion } from "../../openflow/index.ts";
import { of10 } from "../../openflow/index.ts";
import { CommandError } from "../command-error.ts";
import type { CtlPlace } from "../run-ctl.ts";
import type { SwitchLink } from "./switch-link.ts";

export interface Invocation {
  readonly place: CtlPlace;
  readonly args: readonly string[];
  has(option: string): boolean;
}

export interface OfCommand {
  readonly usage: string;
  readonly help: string;
  readonly minArgs: number;
  readonly maxArgs: number;
  /** What is spoken if --protocols does not say; OpenFlow 1.0 otherwise. */
  readonly speaks?: OfVersion;
  run(invocation: Invocation, link: SwitchLink): Promise<void>;
}

const versionTexts: Readonly<Record<OfVersion, string>> = { 1: "", 4: " (OF1.3)", 5: " (OF1.4)", 6: " (OF1.5)" };

/** `OFPST_PORT reply (OF1.3) (xid=0x2):`; Nicira's statistics of OpenFlow 1.0 are named so. */
export function replyHeader(name: string, xid: number, version: OfVersion, isNicira = false): string {
  const prefix = name.includes("_") && name.endsWith("REPLY") ? "OFPT" : isNicira && version === of10 ? "NXST" : "OFPST";
  return `${prefix}_${name}${prefix === "OFPT" ? "" : " reply"}${versionTexts[version]} (xid=0x${xid.toString(16)}):`;
}

/** The switch's first complaint, in its own words. */
export function refuse(messages: readonly { readonly message: Message }[], version: OfVersion): void {
  for (const { message } of messages) {
    if (message.kind === "error") throw new CommandError(`OFPT_ERROR${versionTexts[version]}: ${message.error ?? `type ${String(message.type)} code ${String(message.code)}`}`);
  }
}

/** Asks one thing, and gives the parts of the answer. */
export async function askFor<K extends MessageKind>(link: SwitchLink, request: Message, kind: K): Promise<{ readonly parts: readonly MessageOf<K>[]; readonly xid: number; readonly version: OfVersion }> {
  const { messages, xid, version } = await link.ask([request]);
  refuse(messages, version);
  const isReply = (message: Message): message is MessageOf<K> => message.kind === kind;
  return { parts: messages.map(({ message }) => message).filter(isReply), xid, version };
}

export async function change(link: SwitchLink, messages: readonly Message[]): Promise<void> {
  const answer = await link.ask(messages);
  refuse(answer.messages, answer.version);
}
