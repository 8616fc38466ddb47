/** A client of prefix delegation and a server that gives what it is told to: what they say to each other, second by second. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ipv6Of, parseIpv6 } from "../../net/index.ts";
import {
  dhcpv6Message, dhcpv6Option, type Dhcpv6, type Dhcpv6Option, emitIaPrefix, emitIdentityAssociation, findDhcpv6Option, parseIaPrefix, parseIdentityAssociation,
} from "../../packet/index.ts";
import { formatDelegated, parseDelegated, PrefixClient } from "./prefix-client.ts";

const names = new Map(Object.entries(dhcpv6Message).map(([name, type]): readonly [number, string] => [type, name]));
const prefix = parseIpv6("2001:db8:7::") ?? ipv6Of(0n);

interface Terms {
  readonly t1: number;
  readonly t2: number;
  readonly valid: number;
  readonly status?: number;
}

/** Answers what it is asked, unless it is silent. */
class Conversation {
  readonly said: string[] = [];
  isSilent = false;
  now = 0;
  readonly client: PrefixClient;
  readonly terms: Terms;

  constructor(terms: Terms, held?: string) {
    this.terms = terms;
    let seed = 1000;
    this.client = new PrefixClient(Uint8Array.of(2, 0, 0, 0, 0, 1), parseDelegated(held ?? ""), () => seed++, 0);
  }

  until(ms: number): this {
    for (; this.now < ms; this.now += 100) this.#hear(this.client.run(this.now));
    return this;
  }

  #hear(message: Dhcpv6 | undefined): void {
    if (message === undefined) return;
    const association = parseIdentityAssociation(findDhcpv6Option(message.options, dhcpv6Option.iaPd) ?? new Uint8Array(0));
    const hint = parseIaPrefix(findDhcpv6Option(association?.options ?? [], dhcpv6Option.iaPrefix) ?? new Uint8Array(0));
    const server = findDhcpv6Option(message.options, dhcpv6Option.serverId);
    this.said.push(`${Math.floor(this.now / 1000)}s ${names.get(message.type)}${server === undefined ? "" : " to the server"}${hint === undefined ? "" : " with a prefix"}`);
    if (this.isSilent || association === undefined) return;
    const { t1, t2, valid, status } = this.terms;
    const inner: Dhcpv6Option[] = [{ code: dhcpv6Option.iaPrefix, data: emitIaPrefix({ preferredLifetime: valid, validLifetime: valid, length: 64, prefix }) }];
    if (status !== undefined) inner.push({ code: dhcpv6Option.statusCode, data: Uint8Array.of(0, status) });
    const answer = this.client.receive({
      type: message.type === dhcpv6Message.solicit ? dhcpv6Message.advertise : dhcpv6Message.reply, transactionId: message.transactionId,
      options: [
        { code: dhcpv6Option.serverId, data: Uint8Array.of(0, 3, 0, 1, 9, 9) },
        { code: dhcpv6Option.iaPd, data: emitIdentityAssociation({ id: association.id, t1, t2, options: inner }) },
      ],
    }, this.now);
    this.#hear(answer?.answer);
  }
}

test("asked for, offered, taken, and prolonged when half the time is over", () => {
  const talk = new Conversation({ t1: 10, t2: 20, valid: 40 }).until(25_000);
  assert.deepEqual(talk.said, ["1s solicit", "1s request to the server with a prefix", "11s renew to the server with a prefix", "21s renew to the server with a prefix"]);
  assert.match(talk.client.held === undefined ? "" : formatDelegated(talk.client.held), /^\d+:2001:db8:7::\/64$/);
});

test("who falls silent is asked again, then anybody is, then all begins anew; the prefix stays", () => {
  const talk = new Conversation({ t1: 10, t2: 20, valid: 40 }).until(5000);
  talk.isSilent = true;
  const kinds = talk.until(60_000).said.map((line) => line.replace(/^\d+s /, ""));
  assert.deepEqual([...new Set(kinds)], ["solicit", "request to the server with a prefix", "renew to the server with a prefix", "rebind with a prefix", "solicit with a prefix"]);
  assert.ok(talk.client.held !== undefined);
});

for (const [name, terms] of [
  ["no prefix is there", { t1: 10, t2: 20, valid: 40, status: 6 }],
  ["it would have to be renewed after it is rebound", { t1: 30, t2: 20, valid: 40 }],
] as const) {
  test(`an offer that says that ${name} is none`, () => {
    const talk = new Conversation(terms).until(20_000);
    assert.ok(talk.said.length > 3 && talk.said.every((line) => line.endsWith("s solicit")), talk.said.join("\n"));
    assert.equal(talk.client.held, undefined);
  });
}

test("for ever is for ever; times left to the client are half and four fifths", () => {
  assert.equal(new Conversation({ t1: 0xffffffff, t2: 0xffffffff, valid: 0xffffffff }).until(5000).client.wakesMs, Infinity);
  assert.deepEqual(new Conversation({ t1: 0, t2: 0, valid: 100 }).until(60_000).said.map((line) => line.slice(0, 9)), ["1s solici", "1s reques", "51s renew"]);
});

test("what was delegated to an earlier controller is asked for again", () => {
  const talk = new Conversation({ t1: 10, t2: 20, valid: 40 }, "77:2001:db8:7::/64").until(5000);
  assert.deepEqual(talk.said, ["1s solicit with a prefix", "1s request to the server with a prefix"]);
  assert.equal(talk.client.held?.id, 77);
  assert.deepEqual(["", "1:x/64", "1:::1/129", "x:2001:db8::/64"].map(parseDelegated), [undefined, undefined, undefined, undefined]);
});

test("an answer to another question is nobody's", () => {
  const { client } = new Conversation({ t1: 10, t2: 20, valid: 40 });
  const asked = client.run(3000);
  assert.equal(client.receive({ type: dhcpv6Message.advertise, transactionId: (asked?.transactionId ?? 0) + 1, options: asked?.options ?? [] }, 3000), undefined);
});
