import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { pruneVocabulary } from "../../../scripts/checkpoint/vocabulary";
import { gpt2Tokenizer, UnknownTokenError, vocabTokenizer } from "../../../src/load/tokenizer";
import { loadTokenizer } from "../../../src/load/vocabulary-files";

const gpt2 = gpt2Tokenizer();
const PROMPT = "The Ketchup Lark Wreck (KL";
const dir = mkdtempSync(join(tmpdir(), "tokenizer-"));
after(() => rmSync(dir, { recursive: true }));

describe("GPT-2's tokenizer", () => {
  test("has GPT-2's ids", () => {
    assert.equal(gpt2.vocabSize, 50257);
    assert.equal(gpt2.bos, 50256);
    assert.deepEqual(gpt2.encode("Hello world"), [15496, 995]);
    assert.deepEqual(
      gpt2.letters,
      Array.from({ length: 26 }, (_, i) => 32 + i),
    ); // hard-coded so in the official utils.py
    assert.deepEqual(gpt2.pieces(gpt2.encode(PROMPT)), [
      "The",
      " K",
      "etchup",
      " L",
      "ark",
      " W",
      "reck",
      " (",
      "K",
      "L",
    ]);
    assert.deepEqual(
      gpt2.pieces(gpt2.spaceLetters),
      Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZ", (c) => ` ${c}`),
    );
  });

  test("gives hostile texts the ids that Hugging Face's tokenizers gives them", () => {
    const file = join(__dirname, "../..", "fixtures", "gpt2-texts", "texts.json");
    const texts = JSON.parse(readFileSync(file, "utf8")) as [string, number[]][];
    assert.ok(texts.length > 500);
    for (const [text, ids] of texts) assert.deepEqual(gpt2.encode(text), ids, JSON.stringify(text));
  });

  test("takes Unicode's white space for space, not JavaScript's", () => {
    assert.deepEqual(gpt2.encode("a \ufeffb"), [64, 27332, 119, 123, 65]);
    assert.deepEqual(gpt2.pieces(gpt2.encode(" \u0085a")), [" ", "\uFFFD", "\uFFFD", "a"]);
  });

  test("writes half a surrogate pair as U+FFFD, as every UTF-8 encoder does", () => {
    for (const half of ["\ud83d", "\ude00", "a\ud83d b", "\ude00\ud83d"])
      assert.deepEqual(gpt2.encode(half), gpt2.encode(Buffer.from(half).toString()));
  });

  test("a text names the token that is this text, not one that is a part of a character", () => {
    assert.deepEqual([gpt2.id("\ufffd"), gpt2.id(" \ufffd")], [4210, 20543]);
    const ids = Array.from({ length: gpt2.vocabSize }, (_, id) => id);
    const own = ids.filter((id) => {
      const [text] = gpt2.pieces([id]);
      return gpt2.has(text) && gpt2.id(text) === id;
    });
    const parts = ids.filter((id) => !own.includes(id));
    assert.ok(parts.length > 300 && parts.every((id) => gpt2.pieces([id])[0].includes("\ufffd")));
  });

  test("a word too long to be merged in time is refused by name, a long text is not", () => {
    for (const word of ["a".repeat(100_000), " ".repeat(10_001)])
      assert.throws(() => gpt2.encode(`one ${word}`), { name: "RangeError", message: /too long for one word.*10000/ });
    assert.equal(gpt2.encode("word ".repeat(50_000)).length, 50_001);
    assert.equal(gpt2.decode(gpt2.encode("x".repeat(10_000))), "x".repeat(10_000));
  });

  test("decode is the inverse of encode for any text", () => {
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => gpt2.decode(gpt2.encode(text)) === text));
    assert.equal(gpt2.decode([gpt2.bos]), "<|endoftext|>");
  });

  test("a part of a character doesn't leak into the next text", () => {
    const [part] = gpt2.encode("日本").filter((id) => gpt2.pieces([id])[0].includes("\uFFFD"));
    gpt2.decode([part]);
    assert.equal(gpt2.decode(gpt2.encode("naïve")), "naïve");
  });

  test("<|endoftext|> in a text is text, not BOS", () => {
    for (const text of ["<|endoftext|>a", "a<|endoftext|>"]) {
      assert.ok(!gpt2.encode(text).includes(gpt2.bos), text);
      assert.equal(gpt2.decode(gpt2.encode(text)), text);
    }
  });

  test("ids outside the vocabulary are refused", () => {
    for (const id of [-1, 50257, 1.5, Number.NaN])
      assert.throws(() => gpt2.pieces([id]), { name: "RangeError", message: /0 … 50256/ });
    assert.throws(() => gpt2.decode([50257]), RangeError);
  });
});

describe("a pruned vocabulary", () => {
  const ids = gpt2.encode(`${PROMPT}é`);
  const vocab = pruneVocabulary(ids);
  const pruned = vocabTokenizer(vocab);

  test("tells the same texts with other ids", () => {
    assert.equal(pruned.vocabSize, Object.keys(vocab).length);
    assert.deepEqual(pruned.pieces(pruned.encode(PROMPT)), gpt2.pieces(gpt2.encode(PROMPT)));
    assert.equal(pruned.decode(pruned.encode(PROMPT)), PROMPT);
    assert.deepEqual(
      pruned.pieces([...pruned.letters, ...pruned.spaceLetters, pruned.bos]),
      gpt2.pieces([...gpt2.letters, ...gpt2.spaceLetters, gpt2.bos]),
    );
    assert.equal(vocab.ĠK, pruned.id(" K"));
  });

  test("doesn't depend on the order of the pieces, nor on texts or ids; its ids follow GPT-2's", () => {
    const texts = gpt2.pieces(ids);
    assert.deepEqual(Object.entries(pruneVocabulary([...texts].reverse())), Object.entries(vocab));
    const inGpt2 = gpt2.encode(PROMPT).map((id, i) => [id, pruned.encode(PROMPT)[i]]);
    inGpt2.sort(([a], [b]) => a - b);
    assert.deepEqual(
      inGpt2,
      [...inGpt2].sort(([, a], [, b]) => a - b),
    );
  });

  test("is spelled as GPT-2's vocab.json spells bytes", () => {
    const spelled = pruneVocabulary([" the", "\n", "é", "\u00AD", "—"]);
    for (const spelling of ["Ġthe", "Ċ", "Ã©", "ÂŃ", "âĢĶ"]) assert.ok(spelling in spelled, spelling);
  });

  test("names the unknown piece, its text and near pieces", () => {
    assert.ok(pruned.has("etchup") && !pruned.has("etch"));
    assert.throws(
      () => pruned.encode("The Ketchap"),
      (error: UnknownTokenError) => {
        assert.ok(error instanceof UnknownTokenError);
        assert.equal(error.piece, "etch");
        assert.equal(error.near[0], "etchup");
        assert.match(
          error.message,
          /"etch" \(in "The Ketchap"\) is not one of this vocabulary's \d+ tokens; near pieces: "etchup"/,
        );
        return true;
      },
    );
    assert.throws(() => pruned.id(" Zebra"), /" Zebra" is not one of/);
    assert.throws(() => pruneVocabulary([" Ketchup"]), UnknownTokenError);
    assert.throws(() => pruneVocabulary([50257]), RangeError);
  });
});

describe("a folder's tokenizer", () => {
  const whole = Object.fromEntries(Object.entries(pruneVocabulary(Array.from({ length: 50257 }, (_, id) => id))));
  const put = (vocab: unknown, file = "vocab.json") => writeFileSync(join(dir, file), JSON.stringify(vocab));

  test("with the full vocab.json is GPT-2's", () => {
    put(whole);
    const loaded = loadTokenizer(dir);
    assert.deepEqual(loaded.encode(PROMPT), gpt2.encode(PROMPT));
    assert.equal(loaded.bos, gpt2.bos);
    assert.deepEqual([loaded.vocabSize, loadTokenizer(dir, 50304).vocabSize], [50257, 50304]);
    assert.throws(() => loadTokenizer(dir, 50300), /50257 tokens.*vocab_size 50300/);
  });

  test("is found in tokenizer.json too", () => {
    rmSync(join(dir, "vocab.json"));
    put({ model: { vocab: pruneVocabulary([" K"]) } }, "tokenizer.json");
    assert.equal(loadTokenizer(dir).vocabSize, 53);
    rmSync(join(dir, "tokenizer.json"));
    assert.throws(() => loadTokenizer(dir), /neither vocab\.json nor tokenizer\.json/);
  });

  test("is refused for each fault, by name", () => {
    const small = pruneVocabulary([]);
    const without = (key: string) =>
      Object.fromEntries(
        Object.keys(small)
          .filter((k) => k !== key)
          .map((k, i) => [k, i]),
      );
    const faults: [Record<string, unknown>, RegExp][] = [
      [{ ...small, ĠK: 0 }, /id 0 is given twice, to "A" and to "ĠK"/],
      [{ ...small, ĠK: 53 }, /id of "ĠK" is 53, but 53 tokens need the ids 0 … 52/],
      [{ ...small, ĠK: "1" }, /id of "ĠK" is "1",/],
      [{ ...without("Q"), Ketchup: 52 }, /"Ketchup" is not a piece of GPT-2's vocabulary/],
      [without("Q"), /lacks "Q"/],
      [without("ĠQ"), /lacks " Q"/],
      [without("<|endoftext|>"), /lacks "<\|endoftext\|>"/],
    ];
    for (const [vocab, message] of faults) {
      put(vocab);
      assert.throws(() => loadTokenizer(dir), message);
      assert.throws(() => loadTokenizer(dir), /vocab\.json: /);
    }
    writeFileSync(join(dir, "vocab.json"), "{");
    assert.throws(() => loadTokenizer(dir), /vocab\.json is not JSON/);
  });
});
