import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import {
  fetchOfficialPrompts,
  OFFICIAL_PROMPTS,
  readOfficialPrompts,
  startingAt,
} from "../src/load/hub/official-prompts";
import { hubSettings } from "../src/load/hub/settings";
import { gpt2Tokenizer } from "../src/load/tokenizer";
import { loadAcronyms } from "../src/prompts/dataset";
import { flipped, HubServer, instead, sha256, status, webPage } from "./fixtures/hub-server";

const TEXT = Buffer.from("The Ketchup Lark Wreck (KL, KLW\n".repeat(50));
const NAME = "prompts.txt";
const published = { commit: "c".repeat(40), name: NAME, bytes: TEXT.length, sha256: sha256(TEXT) };
const GET = `hub GET ${NAME}`;

let server: HubServer;
let home: string;
beforeEach(async () => {
  home = mkdtempSync(path.join(tmpdir(), "prompts-"));
  server = await HubServer.start({});
  // not the hub's host: nothing but this file is asked for there
  server.next(
    GET,
    instead(() => TEXT),
  );
});
afterEach(async () => {
  await server.close();
  rmSync(home, { recursive: true });
});
const settings = (changes = {}) => ({
  ...hubSettings({ HF_HOME: home, ACRONYM_PROMPTS_ENDPOINT: server.endpoint, HF_TOKEN: "hf_secret" }),
  delay: 1,
  say: () => {},
  ...changes,
});
const file = () => path.join(home, "acronym-circuit", published.commit, NAME);

test("are fetched once, without the hub's token, and read without a connection", async () => {
  assert.equal(await fetchOfficialPrompts(settings(), published), file());
  assert.deepEqual(readFileSync(file()), TEXT);
  assert.deepEqual(
    server.asked.map(({ what, authorization }) => [what, authorization]),
    [[GET, undefined]],
  );
  const { connections } = server;
  await fetchOfficialPrompts(settings({ offline: true }), published);
  assert.equal(readOfficialPrompts(settings(), published), TEXT.toString());
  assert.equal(server.connections, connections);
});

test("that arrive otherwise than published are refused, and so are those changed on the disk", async () => {
  await server.close();
  server = await HubServer.start({});
  server.next(
    GET,
    instead(() => flipped(3)(TEXT)),
    webPage,
    status(404),
  );
  await assert.rejects(fetchOfficialPrompts(settings(), published), /prompts\.txt arrived damaged/);
  await assert.rejects(
    fetchOfficialPrompts(settings(), published),
    /answered 200 \(text\/html.*ACRONYM_PROMPTS_ENDPOINT/,
  );
  await assert.rejects(fetchOfficialPrompts(settings(), published), /answered 404/);
  assert.equal(existsSync(file()), false);
  mkdirSync(path.dirname(file()), { recursive: true });
  writeFileSync(file(), flipped(3)(TEXT));
  assert.throws(() => readOfficialPrompts(settings(), published), /not as they were published; run npm run fetch/);
});

test("that aren't there are named with the command that fetches them, offline too", async () => {
  assert.throws(
    () => readOfficialPrompts(settings(), published),
    /are not at .*; run npm run fetch -- official-prompts/,
  );
  await assert.rejects(
    fetchOfficialPrompts(settings({ offline: true }), published),
    /HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE forbids/,
  );
  assert.equal(server.connections, 0);
  const { HF_HOME } = process.env;
  process.env.HF_HOME = home;
  try {
    assert.throws(() => loadAcronyms(OFFICIAL_PROMPTS, gpt2Tokenizer()), /npm run fetch -- official-prompts/);
  } finally {
    if (HF_HOME === undefined) delete process.env.HF_HOME;
    else process.env.HF_HOME = HF_HOME;
  }
});

test("begin where the seed says, all of them once", () => {
  const rows = [0, 1, 2, 3, 4];
  assert.deepEqual(startingAt(rows, 0), rows);
  assert.deepEqual(startingAt(rows, 6), [1, 2, 3, 4, 0]);
  assert.deepEqual(startingAt(rows, -1), [4, 0, 1, 2, 3]);
});
