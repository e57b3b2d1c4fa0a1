import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { partialOf } from "../src/load/hub/download";
import { type HubSettings, hubSettings } from "../src/load/hub/settings";
import { resolveModel } from "../src/load/resolve";
import * as server from "./fixtures/hub-server";

const { COMMIT, endlessPage, flipped, hang, instead, noAnswer, sha256, silent, status, webPage } = server;
const WEIGHTS = Buffer.from(Uint32Array.from({ length: 75_000 }, (_, i) => i * 2654435761).buffer);
const HALF = WEIGHTS.length / 2;
const BODY = "cdn GET model.safetensors";
const ID = `org/tiny@${COMMIT}`;

let hub: server.HubServer;
let home: string;
let said: string[];
const proxies = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"];
for (const name of proxies) delete process.env[name];

beforeEach(async () => {
  home = mkdtempSync(path.join(tmpdir(), "hub-"));
  said = [];
  hub = await server.HubServer.start({
    "config.json": Buffer.from('{"model_type": "gpt2"}'),
    "vocab.json": Buffer.from('{"a": 0}'),
    "model.safetensors": WEIGHTS,
  });
});
afterEach(async () => {
  await hub.close();
  rmSync(home, { recursive: true, force: true });
});

/** The project's own settings for this hub and folder, but hardly any patience. */
const settings = (changes: Partial<HubSettings> = {}): HubSettings => ({
  ...hubSettings({ HF_ENDPOINT: hub.endpoint, HF_HOME: home }),
  delay: 1,
  stall: 20_000,
  say: (line) => said.push(line),
  ...changes,
});
const repo = (...names: string[]) => path.join(home, "hub", "models--org--tiny", ...names);
const blob = () => repo("blobs", sha256(WEIGHTS));
const weightsOf = (folder: string) => readFileSync(path.join(folder, "model.safetensors"));
const cut = (count: number) => server.cut(count, partialOf(blob()));
const ranges = () => hub.asked.filter(({ what }) => what === BODY).map(({ range }) => range);

/** Nothing was made visible, and nothing but a part of the weights is left over. */
function assertNotVisible(): void {
  assert.equal(existsSync(repo("snapshots", COMMIT, "model.safetensors")), false);
  assert.equal(existsSync(blob()), false);
}

describe("cache", () => {
  test("a model is laid out as Hugging Face's tools do it, with relative links", async () => {
    const folder = await resolveModel("org/tiny", settings());
    assert.equal(folder, repo("snapshots", COMMIT));
    assert.deepEqual(readdirSync(folder).sort(), ["config.json", "model.safetensors", "vocab.json"]);
    assert.equal(readlinkSync(path.join(folder, "model.safetensors")), path.join("..", "..", "blobs", sha256(WEIGHTS)));
    assert.equal(readFileSync(repo("refs", "main"), "utf8"), COMMIT);
    assert.deepEqual(weightsOf(folder), WEIGHTS);
    const names = Object.values(hub.files).map((content) => (content === WEIGHTS ? sha256 : server.gitSha1)(content));
    assert.deepEqual(readdirSync(repo("blobs")).sort(), names.sort());
    assert.deepEqual(readdirSync(path.join(home, "hub", ".locks", "models--org--tiny")), []);
  });

  test("what is there needs no connection: a commit never, a branch if offline; online the branch is asked about", async () => {
    const folder = await resolveModel("org/tiny", settings());
    const before = hub.connections;
    assert.equal(await resolveModel(ID, settings()), folder);
    assert.equal(await resolveModel("org/tiny", settings({ offline: true })), folder);
    assert.equal(hub.connections, before);
    hub.asked.length = 0;
    assert.equal(await resolveModel("org/tiny", settings()), folder);
    assert.deepEqual(
      hub.asked.map(({ what }) => what),
      ["hub HEAD config.json"],
    );
  });

  test("a branch that has moved is fetched anew, and files that stayed the same are not", async () => {
    await resolveModel("org/tiny", settings());
    hub.commit = "b".repeat(40);
    hub.files["config.json"] = Buffer.from('{"model_type": "gpt2", "n_layer": 2}');
    assert.equal(await resolveModel("org/tiny", settings()), repo("snapshots", hub.commit));
    assert.equal(readFileSync(repo("refs", "main"), "utf8"), hub.commit);
    assert.equal(hub.count(BODY), 1);
    assert.equal(hub.count("hub GET config.json"), 2);
    assert.equal(await resolveModel(ID, settings()), repo("snapshots", COMMIT));
  });

  test("a branch whose hub can't be reached is taken from the cache, and that is said", async () => {
    const folder = await resolveModel("org/tiny", settings());
    await hub.close();
    assert.equal(await resolveModel("org/tiny", settings({ attempts: 2 })), folder);
    assert.match(said.at(-1) ?? "", /The org\/tiny that was main when it was fetched is used/);
  });

  test("offline and not there: no connection, and the command that fetches it", async () => {
    await assert.rejects(
      resolveModel("org/tiny", settings({ offline: true })),
      /org\/tiny at main is not in .*HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE forbids.*npm run fetch -- org\/tiny@main/,
    );
    assert.equal(hub.connections, 0);
  });

  test("a blob that is there and whole is used; a damaged one is fetched again", async () => {
    mkdirSync(repo("blobs"), { recursive: true });
    writeFileSync(blob(), WEIGHTS);
    await resolveModel(ID, settings());
    assert.equal(hub.count(BODY), 0);
    rmSync(repo("snapshots"), { recursive: true });
    writeFileSync(blob(), flipped(9)(WEIGHTS));
    assert.deepEqual(weightsOf(await resolveModel(ID, settings())), WEIGHTS);
    assert.equal(hub.count(BODY), 1);
  });

  test("where links aren't allowed the files themselves are put into the snapshot", async () => {
    const symlink = () => {
      throw Object.assign(new Error("no"), { code: "EPERM" });
    };
    const folder = await resolveModel(ID, settings({ symlink }));
    assert.throws(() => readlinkSync(path.join(folder, "model.safetensors")), /EINVAL/);
    assert.deepEqual(weightsOf(folder), WEIGHTS);
    assert.deepEqual(readdirSync(repo("blobs")), []);
  });

  test("tokenizer.json stands in for a vocab.json that the repository hasn't", async () => {
    hub.files = { ...hub.files, "tokenizer.json": Buffer.from("{}") };
    delete hub.files["vocab.json"];
    const names = readdirSync(await resolveModel(ID, settings()));
    assert.deepEqual(names.sort(), ["config.json", "model.safetensors", "tokenizer.json"]);
  });
});

describe("a broken download", () => {
  test("goes on where it was cut, at whatever place", async () => {
    hub.next(BODY, cut(0), cut(1), cut(HALF), cut(WEIGHTS.length - HALF - 2), noAnswer);
    assert.deepEqual(weightsOf(await resolveModel(ID, settings())), WEIGHTS);
    const froms = [1, 1 + HALF, WEIGHTS.length - 1, WEIGHTS.length - 1].map((from) => `bytes=${from}-`);
    assert.deepEqual(ranges(), [undefined, undefined, ...froms]);
    const checked = hub.asked.filter(({ range }) => range).map(({ ifRange }) => ifRange);
    assert.deepEqual(new Set(checked), new Set([`"${server.gitSha1(WEIGHTS)}"`]));
  });

  test("is given up after five faults without a byte gained; what has come is kept for the next run", async () => {
    hub.next(BODY, cut(HALF), cut(0), cut(0), cut(0), noAnswer);
    await assert.rejects(
      resolveModel(ID, settings()),
      /the connection to 127\.0\.0\.1:\d+ failed .* \(tried 5 times\)/,
    );
    assertNotVisible();
    assert.deepEqual(readFileSync(partialOf(blob())), WEIGHTS.subarray(0, HALF));
    hub.asked.length = 0;
    assert.deepEqual(weightsOf(await resolveModel(ID, settings())), WEIGHTS);
    assert.deepEqual(ranges(), [`bytes=${HALF}-`]);
    assert.deepEqual(
      hub.asked.filter(({ what }) => /config|vocab/.test(what)),
      [],
    );
  });

  test("that goes quiet counts as cut", async () => {
    hub.next(BODY, hang(HALF), silent);
    assert.deepEqual(weightsOf(await resolveModel(ID, settings({ stall: 1_000 }))), WEIGHTS);
    assert.deepEqual(ranges(), [undefined, `bytes=${HALF}-`, `bytes=${HALF}-`]);
    for (const line of said) assert.match(line, /has sent nothing for 1 s; trying again/);
  });

  test("starts over if the server sends the whole file instead of the rest", async () => {
    hub.next(
      BODY,
      cut(HALF),
      instead((content) => content),
    );
    assert.deepEqual(weightsOf(await resolveModel(ID, settings())), WEIGHTS);
    assert.equal(hub.count(BODY), 2);
  });

  test("starts over if the rest belongs to a file with another ETag, or is another part", async () => {
    const span = `bytes ${HALF}-${WEIGHTS.length - 1}/${WEIGHTS.length}`;
    const other = status(206, { etag: '"other"', "content-range": span });
    const elsewhere = status(206, { etag: `"${server.gitSha1(WEIGHTS)}"`, "content-range": `bytes 0-9/10` });
    for (const fault of [other, elsewhere, status(416)]) {
      hub.next(BODY, cut(HALF), fault);
      assert.deepEqual(weightsOf(await resolveModel(ID, settings())), WEIGHTS);
      assert.deepEqual(ranges().slice(-3), [undefined, `bytes=${HALF}-`, undefined]);
      rmSync(home, { recursive: true });
    }
  });

  test("whose file changes meanwhile is not put together from both; the next run gets the new one", async () => {
    const changed = flipped(5)(WEIGHTS);
    hub.next(BODY, cut(HALF), instead(flipped(5))); // If-Range doesn't hold any more: all of the new one comes
    await assert.rejects(resolveModel(ID, settings()), /arrived damaged.*discarded/);
    assertNotVisible();
    hub.files["model.safetensors"] = changed;
    assert.deepEqual(weightsOf(await resolveModel(ID, settings())), changed);
  });

  test("that an interrupt stops keeps what has come", async () => {
    hub.next(BODY, hang(HALF));
    const running = resolveModel(ID, settings());
    await server.untilSize(partialOf(blob()), HALF);
    process.emit("SIGINT");
    await assert.rejects(running, /interrupted; what has arrived is kept/);
    assert.deepEqual(said, []);
    assert.equal(process.listenerCount("SIGINT"), 0);
    assert.equal(readFileSync(partialOf(blob())).length, HALF);
  });
});

describe("content", () => {
  test("with one wrong byte is discarded, and the next run is right", async () => {
    hub.next(BODY, instead(flipped(HALF)));
    await assert.rejects(resolveModel(ID, settings()), /model\.safetensors arrived damaged: its hash is \w{64}, not/);
    assertNotVisible();
    assert.deepEqual(
      readdirSync(repo("blobs")).filter((name) => name.endsWith(".incomplete")),
      [],
    );
    assert.deepEqual(weightsOf(await resolveModel(ID, settings())), WEIGHTS);
  });

  test("of small files is checked too, by git's hash", async () => {
    hub.next("hub GET vocab.json", instead(flipped(2)));
    await assert.rejects(resolveModel(ID, settings()), /vocab\.json arrived damaged: its hash is \w{40}, not/);
    assert.equal(existsSync(repo("snapshots", COMMIT, "vocab.json")), false);
  });

  test("that went wrong in a part of an earlier run is fetched anew at once", async () => {
    mkdirSync(repo("blobs"), { recursive: true });
    writeFileSync(partialOf(blob()), flipped(7)(WEIGHTS.subarray(0, HALF)));
    assert.deepEqual(weightsOf(await resolveModel(ID, settings())), WEIGHTS);
    assert.deepEqual(ranges(), [`bytes=${HALF}-`, undefined]);
    assert.match(said[0], /discarded, and is fetched anew/);
  });

  test("that is longer than it should be is fetched anew", async () => {
    mkdirSync(repo("blobs"), { recursive: true });
    writeFileSync(partialOf(blob()), Buffer.concat([WEIGHTS, WEIGHTS]));
    assert.deepEqual(weightsOf(await resolveModel(ID, settings())), WEIGHTS);
    assert.deepEqual(ranges(), [undefined]);
  });

  test("that goes wrong again after that is given up", async () => {
    mkdirSync(repo("blobs"), { recursive: true });
    writeFileSync(partialOf(blob()), flipped(7)(WEIGHTS.subarray(0, HALF)));
    const wrong = { ...hub.files, "model.safetensors": flipped(HALF - 1)(WEIGHTS) };
    const announced = hub.files;
    hub.next(
      "hub GET model.safetensors",
      ({ usual }) => usual(),
      ({ usual }) => {
        hub.files = wrong;
        usual();
      },
    );
    hub.next(BODY, ({ usual }) => usual(), cut(HALF));
    await assert.rejects(resolveModel(ID, settings()), /arrived damaged/);
    hub.files = announced;
    assert.deepEqual(ranges(), [`bytes=${HALF}-`, undefined, `bytes=${HALF}-`]);
    assertNotVisible();
  });

  test("that is too long or too short for what was announced is refused", async () => {
    const chunked = { "transfer-encoding": "chunked" };
    hub.next(
      BODY,
      instead((content) => content.subarray(1)),
    );
    await assert.rejects(resolveModel(ID, settings()), /wrong size: 299999 bytes came, 300000 were announced/);
    hub.next(
      BODY,
      ({ response, content }) => void response.writeHead(200, chunked).end(Buffer.concat([content, content])),
    );
    await assert.rejects(resolveModel(ID, settings()), /wrong size: more than 300000/);
    assertNotVisible();
  });

  test("that a pin doesn't know is not even fetched", async () => {
    hub.repo = "openai-community/gpt2";
    hub.commit = "607a30d783dfa663caf39e06633721c8d4cfcd7e";
    await assert.rejects(
      resolveModel("gpt2", settings()),
      /has another model\.safetensors of openai-community\/gpt2: .* not 248dfc39/,
    );
    assert.equal(hub.count(BODY), 0);
  });

  test("that is a web page is named, wherever it comes from", async () => {
    hub.next("hub HEAD config.json", webPage);
    await assert.rejects(resolveModel(ID, settings()), /a web page came instead of config\.json: http/);
    hub.next(BODY, webPage);
    await assert.rejects(resolveModel(ID, settings()), /a web page came instead of model\.safetensors/);
    assertNotVisible();
    hub.next("hub HEAD model.safetensors", status(200));
    await assert.rejects(resolveModel(ID, settings()), /does not answer as a model hub does/);
  });

  test("of another architecture is not fetched beyond its config.json", async () => {
    hub.files["config.json"] = Buffer.from('{"model_type": "bert"}');
    await assert.rejects(resolveModel(ID, settings()), /a model of the type "bert"; only "gpt2"/);
    assert.equal(hub.count(BODY), 0);
  });
});

describe("a refusal", () => {
  const HEAD = "hub HEAD config.json";

  test("says what is missing: the repository, the revision or the file", async () => {
    await assert.rejects(resolveModel("org/other", settings()), /has no model "org\/other"/);
    await assert.rejects(resolveModel("org/tiny@v9", settings()), /org\/tiny has no revision "v9"/);
    delete hub.files["model.safetensors"];
    await assert.rejects(resolveModel(ID, settings()), /org\/tiny at a{40} has no file model\.safetensors/);
  });

  test("says what to do about access, with a token and without", async () => {
    hub.next(HEAD, status(401), status(401, { "x-error-code": "GatedRepo" }));
    await assert.rejects(resolveModel(ID, settings()), /private or does not exist \(401\): .*set HF_TOKEN/);
    await assert.rejects(resolveModel(ID, settings()), /is gated \(401\): accept its conditions on .*org\/tiny/);
    hub.next(HEAD, status(401), status(403));
    const token = "hf_secret";
    await assert.rejects(resolveModel(ID, settings({ token })), /does not accept the token \(401\)/);
    await assert.rejects(resolveModel(ID, settings({ token })), (error: Error) => {
      assert.match(error.message, /may not be read with this token \(403\)/);
      assert.doesNotMatch(error.message, /hf_secret/);
      return true;
    });
  });

  test("of the other host is not taken for one of the hub", async () => {
    hub.next(BODY, status(403));
    await assert.rejects(
      resolveModel(ID, settings()),
      /to which .* sends for model\.safetensors of org\/tiny, answered 403/,
    );
  });

  test("that will pass is waited for: as long as asked, else longer every time", async () => {
    hub.next(HEAD, status(429, { "retry-after": 2 }), status(500), status(503));
    await resolveModel(ID, settings());
    assert.equal(hub.count(HEAD), 4);
    assert.match(said[0], /asks to slow down \(429\).*trying again in 2 s/);
  });

  test("that won't pass soon is told at once", async () => {
    hub.next(HEAD, status(429, { "retry-after": 3600 }));
    await assert.rejects(resolveModel(ID, settings()), /\(429\).*try again in 60 minutes/);
    hub.next(HEAD, ...Array.from({ length: 5 }, () => status(502)));
    await assert.rejects(resolveModel(ID, settings()), /has a fault \(502\) \(tried 5 times\)/);
  });

  test("of a name that is none says which names there are", async () => {
    for (const id of ["gpt3", "./nowhere", "a/b/c", "org/name@", "org/../name", "org/name@../x"])
      await assert.rejects(
        resolveModel(id, settings()),
        /no model ".*": it is not "embedded", not a folder .* not a model/,
      );
    assert.equal(hub.connections, 0);
  });
});

describe("connections", () => {
  test("the token goes to the hub and to no other host", async () => {
    await resolveModel(ID, settings({ token: "hf_secret" }));
    for (const { what, authorization } of hub.asked)
      assert.equal(authorization, what.startsWith("hub") ? "Bearer hf_secret" : undefined, what);
    assert.ok(hub.count(BODY) > 0);
  });

  test("a redirect within the hub is followed with what was said on the way", async () => {
    const digest = server.gitSha1(hub.files["config.json"]);
    const size = hub.files["config.json"].length;
    const known = { "x-repo-commit": COMMIT, "x-linked-etag": `"${digest}"`, "x-linked-size": size };
    hub.next("hub HEAD config.json", status(307, { location: "/elsewhere/config.json", ...known }), status(200));
    await resolveModel("org/tiny", settings({ token: "t" }));
    assert.deepEqual(
      hub.asked.slice(0, 2).map(({ authorization }) => authorization),
      ["Bearer t", "Bearer t"],
    );
  });

  test("none is left open, whatever has happened", async () => {
    hub.next(BODY, endlessPage);
    await assert.rejects(resolveModel(ID, settings()), /a web page came/);
    await hub.untilQuiet();
    await resolveModel(ID, settings());
    await hub.untilQuiet();
  });

  test("redirects without end are given up", async () => {
    const round = Array.from({ length: 11 }, () => status(302, { location: `${hub.cdn}/model.safetensors` }));
    hub.next(BODY, ...round);
    await assert.rejects(resolveModel(ID, settings()), /redirected more than 10 times/);
  });
});

describe("what a repository may hold", () => {
  const parts = { one: Buffer.alloc(1000, "1"), two: Buffer.alloc(2000, "2") };
  const index = { weight_map: { "wte.weight": "one.safetensors", "wpe.weight": "two.safetensors" } };
  function inParts(text = JSON.stringify(index)): void {
    delete hub.files["model.safetensors"];
    hub.files["model.safetensors.index.json"] = Buffer.from(text);
    hub.files["one.safetensors"] = parts.one;
    hub.files["two.safetensors"] = parts.two;
  }

  test("weights in parts come with their index, and need no connection the second time", async () => {
    inParts();
    const folder = await resolveModel(ID, settings());
    const names = ["config.json", "model.safetensors.index.json", "one.safetensors", "two.safetensors", "vocab.json"];
    assert.deepEqual(readdirSync(folder).sort(), names);
    assert.deepEqual(readFileSync(path.join(folder, "two.safetensors")), parts.two);
    assert.equal(await resolveModel(ID, settings({ offline: true })), folder);
    rmSync(path.join(folder, "one.safetensors"));
    await assert.rejects(
      resolveModel(ID, settings({ offline: true })),
      /org\/tiny at a{40} is not whole: .* has no one\.safetensors.*HF_HUB_OFFLINE/,
    );
  });

  test("an index that is cut, null, leads elsewhere or names a missing part is told in words", async () => {
    const elsewhere = JSON.stringify({ weight_map: { a: "../../x.safetensors" } });
    for (const [text, message] of [
      ['{"weight_map"', /org\/tiny can't be used as it is on the hub: .*index\.json is not JSON/],
      ["null", /index\.json holds no index of parts/],
      [elsewhere, /no name of a \.safetensors file beside it/],
      [JSON.stringify({ weight_map: { a: "three.safetensors" } }), /has no file three\.safetensors \(404\)/],
    ] as const) {
      inParts(text);
      await assert.rejects(
        resolveModel(ID, settings()),
        (error: Error) => error.name === "HubError" && message.test(error.message),
      );
      rmSync(home, { recursive: true });
    }
  });

  test("a config.json that is cut, null or a list is told in words, before the weights are fetched", async () => {
    for (const [text, message] of [
      ['{"model_type": "g', /config\.json is not JSON/],
      ["null", /config\.json holds no table of settings/],
      ["[]", /config\.json holds no table of settings/],
    ] as const) {
      hub.files["config.json"] = Buffer.from(text);
      await assert.rejects(
        resolveModel(ID, settings()),
        (error: Error) => error.name === "HubError" && message.test(error.message),
      );
      assert.equal(hub.count(BODY), 0);
      rmSync(home, { recursive: true });
    }
  });

  test("added tokens are fetched along; what the repository hasn't is noted as Python's tools do", async () => {
    hub.files["added_tokens.json"] = Buffer.from('{"<pad>": 1}');
    const folder = await resolveModel(ID, settings());
    assert.deepEqual(readdirSync(folder).sort(), [
      "added_tokens.json",
      "config.json",
      "model.safetensors",
      "vocab.json",
    ]);
    assert.deepEqual(readdirSync(repo(".no_exist", COMMIT)).sort(), ["tokenizer.json", "tokenizer_config.json"]);
  });

  test("a repository without weights or vocabulary says so", async () => {
    delete hub.files["model.safetensors"];
    await assert.rejects(
      resolveModel(ID, settings()),
      /has no file model\.safetensors nor model\.safetensors\.index\.json/,
    );
    rmSync(home, { recursive: true });
    delete hub.files["vocab.json"];
    await assert.rejects(resolveModel(ID, settings()), /has no file vocab\.json nor tokenizer\.json/);
  });
});

describe("what others have put into the cache", () => {
  function put(folder: string, commit: string): string {
    const snapshot = path.join(home, "hub", folder, "snapshots", commit);
    mkdirSync(snapshot, { recursive: true });
    for (const name of ["config.json", "vocab.json", "model.safetensors"])
      writeFileSync(path.join(snapshot, name), "{}");
    mkdirSync(path.join(home, "hub", folder, "refs"), { recursive: true });
    writeFileSync(path.join(home, "hub", folder, "refs", "main"), commit);
    return snapshot;
  }
  const PINNED = "607a30d783dfa663caf39e06633721c8d4cfcd7e";

  test("under a repository's older name is found, offline and online", async () => {
    const snapshot = put("models--gpt2", PINNED);
    for (const id of ["gpt2", "gpt2-small", "openai-community/gpt2", `gpt2@${PINNED}`])
      for (const offline of [true, false]) assert.equal(await resolveModel(id, settings({ offline })), snapshot);
    const medium = put("models--gpt2-medium", COMMIT);
    assert.equal(await resolveModel("gpt2-medium", settings({ offline: true })), medium);
    assert.equal(hub.connections, 0);
    assert.deepEqual(said, []);
  });

  test("another state than the pinned one is used offline only, and only if none was asked for", async () => {
    const snapshot = put("models--gpt2", COMMIT);
    assert.equal(await resolveModel("gpt2", settings({ offline: true })), snapshot);
    assert.match(said[0], /at 607a30d\w+, of which the notebooks speak, is not in the cache; its main, a{40}, is used/);
    await assert.rejects(resolveModel(`gpt2@${PINNED}`, settings({ offline: true })), /is not in .*HF_HUB_OFFLINE/);
    await assert.rejects(resolveModel("gpt2", settings()), /has no model "openai-community\/gpt2"/);
  });

  test("a folder in place of a branch's note is told in words, and no half of a note is left", async () => {
    mkdirSync(repo("refs", "main"), { recursive: true });
    await assert.rejects(resolveModel("org/tiny", settings()), /models--org--tiny.refs.main can't be written.*HF_HOME/);
    assert.deepEqual(readdirSync(repo("refs")), ["main"]);
  });

  test("a branch's note that is no commit leads nowhere", async () => {
    put("models--org--tiny", "elsewhere");
    writeFileSync(repo("refs", "main"), "../../models--org--tiny/snapshots/elsewhere");
    await assert.rejects(resolveModel("org/tiny", settings({ offline: true })), /org\/tiny at main is not in/);
  });

  test("a link, a pipe or a second name in place of what has arrived is not written to", {
    skip: process.platform === "win32",
  }, async () => {
    mkdirSync(repo("blobs"), { recursive: true });
    const [victim, planted] = [path.join(home, "victim"), partialOf(blob())];
    writeFileSync(victim, "precious");
    for (const plant of [
      () => symlinkSync(victim, planted),
      () => symlinkSync(path.join(home, "nothing yet"), planted),
      () => linkSync(victim, planted),
      () => void spawnSync("mkfifo", [planted]),
      () => mkdirSync(planted),
    ]) {
      plant();
      await assert.rejects(resolveModel(ID, settings()), /incomplete is a link, a pipe or something else .*remove it/);
      assert.equal(readFileSync(victim, "utf8"), "precious");
      assert.equal(existsSync(path.join(home, "nothing yet")), false);
      rmSync(planted, { recursive: true });
    }
    symlinkSync(victim, `${blob()}.incomplete`); // the name that Python's tools use
    await resolveModel(ID, settings());
    assert.equal(readFileSync(victim, "utf8"), "precious");
  });

  test("a pipe in place of a blob is not read but replaced", { skip: process.platform === "win32" }, async () => {
    mkdirSync(repo("blobs"), { recursive: true });
    spawnSync("mkfifo", [blob()]);
    assert.deepEqual(weightsOf(await resolveModel(ID, settings())), WEIGHTS);
  });

  test("a full-size part of an earlier run with a wrong byte is fetched anew at once", async () => {
    mkdirSync(repo("blobs"), { recursive: true });
    writeFileSync(partialOf(blob()), flipped(9)(WEIGHTS));
    assert.deepEqual(weightsOf(await resolveModel(ID, settings())), WEIGHTS);
    assert.deepEqual(ranges(), [undefined]);
    assert.match(said[0], /discarded, and is fetched anew/);
  });
});

describe("a server that means no good", () => {
  test("gives a thousand bytes and a refusal in turn: is given up", async () => {
    const turns = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? cut(1000) : status(416)));
    hub.next(BODY, ...turns);
    await assert.rejects(resolveModel(ID, settings({ attempts: 4 })), /\(tried 4 times\)/);
    assert.ok(hub.count(BODY) <= 8, `${hub.count(BODY)} times`);
  });

  test("redirects to what is no web address: told in words, by HEAD and by GET", async () => {
    for (const location of [
      "file:///etc/passwd",
      "data:text/plain,x",
      "javascript:alert(1)",
      "http://",
      "ftp://x/y",
      "http://[bad",
    ])
      for (const what of ["hub HEAD config.json", BODY]) {
        hub.next(what, status(302, { location }));
        await assert.rejects(
          resolveModel("org/tiny", settings()),
          (error: Error) =>
            error.name === "HubError" && /redirects to ".*", which is no http address/.test(error.message),
        );
      }
  });

  test("a proxy's address that is none is named without its password", async () => {
    for (const bad of ["http://user:secret@", "socks5://user:secret@host:1", "http://ho st:1"]) {
      process.env.http_proxy = bad;
      try {
        await assert.rejects(
          resolveModel("org/tiny", settings()),
          ({ name, message }: Error) =>
            name === "HubError" && /the proxy for .* is ".*HTTP_PROXY/.test(message) && !/secret/.test(message),
        );
      } finally {
        delete process.env.http_proxy;
      }
    }
  });
});

describe("a name", () => {
  test("of a folder that lacks files asks nobody and names each of them", async () => {
    const dir = path.join(home, "out", "mymodel");
    mkdirSync(dir, { recursive: true });
    const before = process.cwd();
    process.chdir(home);
    try {
      await assert.rejects(
        resolveModel("out/mymodel", settings()),
        /mymodel has no config\.json, neither vocab\.json nor tokenizer\.json, no model\.safetensors: a model's folder holds/,
      );
      writeFileSync(path.join(dir, "vocab.json"), "{}");
      await assert.rejects(
        resolveModel("out/mymodel", settings()),
        /mymodel has no config\.json, no model\.safetensors: /,
      );
      await assert.rejects(
        resolveModel("out/mymodel/vocab.json", settings()),
        /vocab\.json is a file; name the folder/,
      );
    } finally {
      process.chdir(before);
    }
    assert.equal(hub.connections, 0);
  });

  test("of JavaScript's own, too long or with a NUL is refused in words", async () => {
    for (const id of [
      "constructor",
      "__proto__",
      `org/${"x".repeat(300)}`,
      "x".repeat(100_000),
      "a\0b",
      `org/name@${"y".repeat(300)}`,
    ])
      await assert.rejects(
        resolveModel(id, settings()),
        ({ name, message }: Error) => name === "HubError" && /^no model "/.test(message) && message.length < 400,
      );
    assert.equal(hub.connections, 0);
  });
});
