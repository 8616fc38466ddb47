/** The classifier's law: it finds what looking at every rule finds, and says what it looked at. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../../std/index.ts";
import { Classifier, type Classified, type Conjunction } from "./classifier.ts";
import { keyWords, W } from "./flow-key.ts";
import { covers, minimask, type Minimatch, overlaps } from "./minimask.ts";
import { Wildcards } from "./wildcards.ts";

interface Rule extends Classified {
  readonly name: string;
}

/** Words of every stage, with few values each. */
const words = [W.metadata + 1, W.reg0, W.inPort, W.ethDst + 1, W.ethType, W.nwDst, W.nwMisc, W.tpPorts];
const masks = [0xffffffff, 1, 2, 0xfffffffe];

function randomMatch(r: SeededRandom, conjId?: number): Minimatch {
  const mask = new Uint32Array(keyWords);
  const value = new Uint32Array(keyWords);
  for (const word of words) {
    if (!r.chance(0.3)) continue;
    mask[word] = r.pick(masks);
    value[word] = r.below(4) & (mask[word] ?? 0);
  }
  if (conjId !== undefined) [mask[W.conjId], value[W.conjId]] = [0xffffffff, conjId];
  const mini = minimask(mask);
  return { mask: mini, values: Uint32Array.from(mini.words, (w) => value[w] ?? 0) };
}

const matchesKey = (match: Minimatch, key: Uint32Array): boolean =>
  match.mask.words.every((word, i) => (((key[word] ?? 0) & (match.mask.masks[i] ?? 0)) >>> 0) === match.values[i]);

const randomKey = (r: SeededRandom): Uint32Array => {
  const key = new Uint32Array(keyWords);
  for (const word of words) key[word] = r.below(4);
  return key;
};

test("finds the rule of the highest priority, and a key that agrees in what was looked at finds the same", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const r = new SeededRandom(seed);
    const classifier = new Classifier<Rule>();
    const rules: Rule[] = [];
    for (let i = 0; i < 60; i++) {
      if (rules.length > 0 && r.chance(0.25)) {
        const [gone] = rules.splice(r.below(rules.length), 1);
        assert.ok(gone !== undefined && classifier.remove(gone));
        continue;
      }
      // Different priorities throughout, so that there is one right answer.
      const rule: Rule = { name: `${i}`, match: randomMatch(r), priority: i * 7 % 61, conjunctions: [] };
      rules.push(rule);
      classifier.insert(rule);
      assert.equal(classifier.find(rule.match, rule.priority), rule);
    }
    assert.equal(classifier.size, rules.length);
    assert.equal([...classifier].length, rules.length);
    for (let i = 0; i < 40; i++) {
      const key = randomKey(r);
      const wildcards = new Wildcards();
      const found = classifier.lookup(key, wildcards);
      const expected = rules.filter((rule) => matchesKey(rule.match, key)).sort((a, b) => b.priority - a.priority)[0];
      assert.equal(found?.name, expected?.name, `seed ${seed}`);
      const other = randomKey(r).map((value, word) => (value & ~(wildcards.mask[word] ?? 0)) | ((key[word] ?? 0) & (wildcards.mask[word] ?? 0)));
      assert.equal(classifier.lookup(other, undefined)?.name, found?.name, `seed ${seed}: wildcards`);
    }
  }
});

test("a conjunction matches when all its clauses do, unless a higher rule does", () => {
  const one = (word: number, value: number): Minimatch => {
    const mask = new Uint32Array(keyWords);
    mask[word] = 0xffffffff;
    return { mask: minimask(mask), values: Uint32Array.of(value) };
  };
  const both = (a: number, b: number): Conjunction[] => [{ id: 9, clause: a, clauses: 2 }, ...(b < 0 ? [] : [{ id: 8, clause: b, clauses: 2 }])];
  const classifier = new Classifier<Rule>();
  for (const value of [1, 2]) classifier.insert({ name: "clause", match: one(W.nwSrc, value), priority: 10, conjunctions: both(0, -1) });
  for (const value of [5, 6]) classifier.insert({ name: "clause", match: one(W.tpPorts, value), priority: 10, conjunctions: both(1, 0) });
  classifier.insert({ name: "nine", match: one(W.conjId, 9), priority: 10, conjunctions: [] });
  classifier.insert({ name: "low", match: { mask: minimask(new Uint32Array(keyWords)), values: new Uint32Array(0) }, priority: 1, conjunctions: [] });
  const ask = (source: number, ports: number): string | undefined => {
    const key = new Uint32Array(keyWords);
    [key[W.nwSrc], key[W.tpPorts]] = [source, ports];
    return classifier.lookup(key, undefined)?.name;
  };
  assert.equal(ask(1, 5), "nine");
  assert.equal(ask(2, 6), "nine");
  assert.equal(ask(3, 5), "low");
  assert.equal(ask(1, 7), "low");
  classifier.insert({ name: "high", match: one(W.nwSrc, 1), priority: 11, conjunctions: [] });
  assert.equal(ask(1, 5), "high");
  assert.equal(ask(2, 5), "nine");
});

test("covers and overlaps say what they say of every key", () => {
  for (let seed = 1; seed <= 500; seed++) {
    const r = new SeededRandom(seed);
    const [a, b] = [randomMatch(r), randomMatch(r)];
    for (let i = 0; i < 50; i++) {
      const key = randomKey(r);
      if (covers(a, b) && matchesKey(b, key)) assert.ok(matchesKey(a, key), `seed ${seed}`);
      if (matchesKey(a, key) && matchesKey(b, key)) assert.ok(overlaps(a, b), `seed ${seed}`);
    }
  }
});
