/**
 * A requesting router of IPv6 prefix delegation (RFC 8415, sections 6.3 and 18.2): asks for one prefix, and keeps it by asking
 * again. A state machine without I/O: it is told the time and what came, and says what to send and when to ask it again.
 *
 * As with OVN's own, what has been delegated stays in the database even if nobody prolongs it: there it is told to the next
 * controller, which asks for the same prefix again.
 */
import {
  dhcpv6Message, dhcpv6Option, type Dhcpv6, type Dhcpv6Option, duidOfMac, emitIaPrefix, emitIdentityAssociation, findDhcpv6Option, type IaPrefix,
  type IdentityAssociation, parseIaPrefix, parseIdentityAssociation, readU16,
} from "../../packet/index.ts";
import { formatIpv6, type Ipv6, parseIpv6 } from "../../net/index.ts";

export interface DelegatedPrefix {
  /** The identity association's (IAID). */
  readonly id: number;
  readonly prefix: Ipv6;
  readonly length: number;
}

/** `ID:PREFIX/LENGTH`, as in Port_Binding.options:ipv6_ra_pd_list. */
export const formatDelegated = ({ id, prefix, length }: DelegatedPrefix): string => `${id}:${formatIpv6(prefix)}/${length}`;

export function parseDelegated(text: string): DelegatedPrefix | undefined {
  const [, id, address = "", length] = /^(\d+):([0-9a-fA-F:.]+)\/(\d+)$/.exec(text) ?? [];
  const prefix = parseIpv6(address);
  return prefix === undefined || Number(length) > 128 ? undefined : { id: Number(id), prefix, length: Number(length) };
}

type State = "soliciting" | "requesting" | "bound" | "renewing" | "rebinding";

/** Between messages that want an answer there is a random time up to this. */
const longestPauseMs = 3000;
const forever = 0xffffffff;

export class PrefixClient {
  readonly #clientId: Uint8Array;
  /** 32 bits. */
  readonly #random: () => number;
  #state: State = "soliciting";
  #held: DelegatedPrefix | undefined;
  #id = 0;
  #transactionId = 0;
  #serverId: Uint8Array | undefined;
  #nextMs: number;
  /** When the server is asked again, when any server is, and when the prefix is no longer ours. */
  #renewMs = Infinity;
  #rebindMs = Infinity;
  #expireMs = Infinity;

  /** `mac`: the client's identity (DUID-LL). `held`: what was delegated before. */
  constructor(mac: Uint8Array, held: DelegatedPrefix | undefined, random: () => number, nowMs: number) {
    this.#clientId = duidOfMac(mac);
    this.#held = held;
    this.#random = random;
    this.#nextMs = nowMs + this.#pauseMs();
  }

  get held(): DelegatedPrefix | undefined {
    return this.#held;
  }

  /** When `run` wants to be called at the latest. */
  get wakesMs(): number {
    return this.#state === "bound" ? this.#renewMs : this.#nextMs;
  }

  /** Time has passed. The message to send now, if there is one. */
  run(nowMs: number): Dhcpv6 | undefined {
    if (nowMs < this.wakesMs) return undefined;
    if (this.#state === "bound") this.#state = "renewing";
    if (this.#state === "renewing" && nowMs >= this.#rebindMs) {
      this.#state = "rebinding";
      this.#serverId = undefined;
    }
    if (this.#state === "rebinding" && nowMs >= this.#expireMs) this.#state = "soliciting";
    if (this.#state === "requesting") this.#state = "soliciting";
    this.#nextMs = nowMs + this.#pauseMs();
    this.#transactionId = this.#random() & 0xffffff;
    this.#id = this.#held?.id ?? this.#random() & 0xffff;
    const type = this.#state === "renewing" ? dhcpv6Message.renew : this.#state === "rebinding" ? dhcpv6Message.rebind : dhcpv6Message.solicit;
    const hint = this.#held === undefined ? [] : [prefixOption({ ...this.#held, preferredLifetime: forever, validLifetime: forever })];
    return this.#message(type, this.#serverId, { id: this.#id, t1: forever, t2: forever, options: hint });
  }

  /** A message came to where the client asks from. Undefined: it is not for this client; `answer`: what to send at once. */
  receive(message: Dhcpv6, nowMs: number): { readonly answer?: Dhcpv6 } | undefined {
    if (message.transactionId !== this.#transactionId) return undefined;
    const offer = offerIn(message.options, this.#id);
    const server = findDhcpv6Option(message.options, dhcpv6Option.serverId);
    if (offer === undefined || server === undefined) return undefined;
    if (message.type === dhcpv6Message.advertise) return this.#state === "soliciting" ? { answer: this.#accept(offer, server) } : undefined;
    if (message.type !== dhcpv6Message.reply || this.#state === "bound") return undefined;
    this.#bind(offer, server, nowMs);
    return {};
  }

  #accept({ association, prefix }: Offer, server: Uint8Array): Dhcpv6 {
    this.#state = "requesting";
    this.#transactionId = this.#random() & 0xffffff;
    return this.#message(dhcpv6Message.request, server, { ...association, options: [prefixOption(prefix)] });
  }

  #bind({ association: { id, t1, t2 }, prefix: { prefix, length, preferredLifetime, validLifetime } }: Offer, server: Uint8Array, nowMs: number): void {
    const at = (seconds: number): number => (seconds === forever ? Infinity : nowMs + 1000 * seconds);
    this.#state = "bound";
    this.#held = { id, prefix, length };
    this.#serverId = server;
    // Zero leaves it to the client (section 14.2).
    this.#renewMs = at(t1 === 0 && preferredLifetime !== forever ? preferredLifetime * 0.5 : t1 === 0 ? forever : t1);
    this.#rebindMs = at(t2 === 0 && preferredLifetime !== forever ? preferredLifetime * 0.8 : t2 === 0 ? forever : t2);
    this.#expireMs = at(validLifetime);
  }

  #message(type: number, server: Uint8Array | undefined, association: IdentityAssociation): Dhcpv6 {
    return {
      type, transactionId: this.#transactionId,
      options: [
        { code: dhcpv6Option.clientId, data: this.#clientId }, ...(server === undefined ? [] : [{ code: dhcpv6Option.serverId, data: server }]),
        { code: dhcpv6Option.iaPd, data: emitIdentityAssociation(association) },
      ],
    };
  }

  #pauseMs(): number {
    return this.#random() % longestPauseMs;
  }
}

interface Offer {
  readonly association: IdentityAssociation;
  readonly prefix: IaPrefix;
}

const prefixOption = (prefix: IaPrefix): Dhcpv6Option => ({ code: dhcpv6Option.iaPrefix, data: emitIaPrefix(prefix) });

/** What the message delegates under this id, unless it contradicts itself or says that there is nothing. */
function offerIn(options: readonly Dhcpv6Option[], id: number): Offer | undefined {
  for (const { code, data } of options) {
    const association = code === dhcpv6Option.iaPd ? parseIdentityAssociation(data) : undefined;
    if (association?.id !== id || (association.t1 > association.t2 && association.t2 > 0)) continue;
    const status = findDhcpv6Option(association.options, dhcpv6Option.statusCode);
    const prefix = parseIaPrefix(findDhcpv6Option(association.options, dhcpv6Option.iaPrefix) ?? new Uint8Array(0));
    if (prefix === undefined || (status !== undefined && readU16(status, 0) !== 0)) continue;
    if (prefix.length <= 128 && prefix.preferredLifetime <= prefix.validLifetime) return { association, prefix };
  }
  return undefined;
}
