import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { main } from "../scripts/fetch/main";
import { partialOf } from "../src/load/hub/download";
import { hubSettings } from "../src/load/hub/settings";
import { projectFolder, resolveModel } from "../src/load/resolve";
import { outcomeOf } from "./fixtures/command";
import { COMMIT, HubServer, hang, sha256, untilSize } from "./fixtures/hub-server";

const WEIGHTS = Buffer.alloc(400_000, "weights ");
const HALF = WEIGHTS.length / 2;
const BODY = "cdn GET model.safetensors";

let hub: HubServer;
let home: string;
const children: ChildProcessWithoutNullStreams[] = [];
beforeEach(async () => {
  home = mkdtempSync(path.join(tmpdir(), "hub-"));
  hub = await HubServer.start({
    "config.json": Buffer.from("{}"),
    "vocab.json": Buffer.from('{"a": 0}'),
    "model.safetensors": WEIGHTS,
  });
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await hub.close();
  rmSync(home, { recursive: true, force: true });
});

const repo = (...names: string[]) => path.join(home, "hub", "models--org--tiny", ...names);
const partial = () => partialOf(repo("blobs", sha256(WEIGHTS)));

/** A process of Node with this hub and cache. */
function run(args: readonly string[], changes: NodeJS.ProcessEnv = {}) {
  const env: NodeJS.ProcessEnv = { PATH: process.env.PATH, HF_ENDPOINT: hub.endpoint, HF_HOME: home, ...changes };
  const child = spawn(process.execPath, args, { env, cwd: projectFolder });
  return { child, ended: ended(child) };
}
/** What a process printed, and its code, at its end. It does not outlive the test. */
async function ended(child: ChildProcessWithoutNullStreams) {
  children.push(child);
  let [out, err] = ["", ""];
  child.stdout.on("data", (data) => {
    out += data;
  });
  child.stderr.on("data", (data) => {
    err += data;
  });
  const [code] = await once(child, "close");
  return { code: code as number | null, out, err };
}
const fetchTiny = (changes?: NodeJS.ProcessEnv) => run(["tests/fixtures/fetch-model.cjs", "org/tiny"], changes);
const npmRunFetch = (...args: string[]) => run(["--require", "tsx/cjs", "scripts/fetch/main.ts", ...args]).ended;

test("a process that is killed leaves its part and its lock; the next one takes both over", async () => {
  hub.next(BODY, hang(HALF));
  const first = fetchTiny();
  await untilSize(partial(), HALF);
  first.child.kill("SIGKILL");
  await first.ended;
  const locks = path.join(home, "hub", ".locks", "models--org--tiny");
  assert.equal(readdirSync(locks).length, 1);
  const { code, out, err } = await fetchTiny().ended;
  assert.equal(code, 0, err);
  assert.ok(out.includes(repo("snapshots", COMMIT)));
  assert.deepEqual(
    hub.asked.filter(({ what }) => what === BODY).map(({ range }) => range),
    [undefined, `bytes=${HALF}-`],
  );
  assert.deepEqual(readFileSync(repo("snapshots", COMMIT, "model.safetensors")), WEIGHTS);
  assert.deepEqual(readdirSync(locks), []);
});

test("two processes at once fetch every file once, and both have it", async () => {
  let arrived = 0;
  let release = () => {};
  const both = new Promise<void>((resolve) => {
    release = resolve;
  });
  // nobody gets on before both have asked what main is
  const together = ({ usual }: { usual: () => void }) => {
    if (++arrived === 2) release();
    void both.then(usual);
  };
  hub.next("hub HEAD config.json", together, together);
  const results = await Promise.all([fetchTiny().ended, fetchTiny().ended]);
  for (const { code, out, err } of results) {
    assert.equal(code, 0, err);
    assert.ok(out.includes(repo("snapshots", COMMIT)));
  }
  assert.equal(hub.count(BODY), 1);
  assert.equal(hub.sent, WEIGHTS.length + 10);
});

test("npm run fetch says in a line what is there, and the second time needs no content", async () => {
  const first = await npmRunFetch("org/tiny");
  assert.equal(first.code, 0, first.err);
  assert.match(first.out, /model\.safetensors: 400 of 400 kB/);
  const summary = first.out.trim().split("\n").at(-1) ?? "";
  assert.match(summary, /^✓ org\/tiny: 3 files, 401 kB, after [\d.]+ s in /);
  assert.ok(summary.endsWith(repo("snapshots", COMMIT)));
  const sent = hub.sent;
  assert.equal((await fetchTiny().ended).code, 0);
  assert.equal(hub.sent, sent);
});

test("npm run fetch ends with a message and no trace of the stack on any failure", async () => {
  const missing = await npmRunFetch("org/other");
  assert.equal(missing.code, 1);
  assert.match(missing.err, /^\n✗ .* has no model "org\/other".*\n$/);
  const unknown = await outcomeOf(main, ["--all"]);
  assert.equal(unknown.code, 1);
  assert.match(unknown.out + unknown.err, /^\n✗ Unknown option '--all'/);
  const nothing = await outcomeOf(main, []);
  assert.equal(nothing.code, 2);
  assert.match(nothing.out + nothing.err, /npm run fetch -- WHAT/);
});

test("behind a proxy all goes through it, except what NO_PROXY names", async () => {
  const asked: string[] = [];
  const proxy = createServer((request, response) => {
    asked.push(new URL(request.url ?? "").host);
    const { method, headers } = request;
    const onward = httpRequest(request.url ?? "", { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
    });
    onward.end();
  });
  proxy.on("connect", ({ url }, socket) => {
    asked.push(url ?? "");
    socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const HTTP_PROXY = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  try {
    const { code, err } = await fetchTiny({ HTTP_PROXY }).ended;
    assert.equal(code, 0, err);
    assert.deepEqual(new Set(asked), new Set([hub.endpoint, hub.cdn].map((url) => new URL(url).host)));
    rmSync(home, { recursive: true });
    asked.length = 0;
    assert.equal((await fetchTiny({ HTTP_PROXY, NO_PROXY: "127.0.0.1" }).ended).code, 0);
    assert.deepEqual(asked, []);
    const secure = { HF_ENDPOINT: "https://hub.invalid", HTTPS_PROXY: HTTP_PROXY };
    assert.match((await fetchTiny({ ...secure, HF_HOME: path.join(home, "other") }).ended).err, /hub\.invalid/);
    assert.deepEqual(new Set(asked), new Set(["hub.invalid:443"]));
  } finally {
    proxy.close();
    proxy.closeAllConnections();
  }
});

const here = (changes = {}) => ({ ...hubSettings({ HF_ENDPOINT: hub.endpoint, HF_HOME: home }), delay: 1, ...changes });

test("too little free space is told before anything is fetched; a part that is there counts", async () => {
  const freeBytes = async () => 64e6 + HALF;
  await assert.rejects(
    resolveModel("org/tiny", here({ freeBytes })),
    /model\.safetensors needs 64 MB of free disk space, .* has 64 MB/,
  );
  assert.equal(hub.count(BODY), 0);
  writeFileSync(partial(), WEIGHTS.subarray(0, HALF));
  await resolveModel("org/tiny", here({ freeBytes }));
});

/** A shell's arguments to `unshare`: what it mounts is there for its own processes alone. */
const mounted = (mount: string, script: string) => ["-rm", "sh", "-c", `${mount} && ${script}`];
const ofSize = (size: string) => `mount -t tmpfs -o size=${size} tmpfs "$HF_HOME"`;
const READ_ONLY = `mount --bind "$HF_HOME" "$HF_HOME" && mount -o remount,bind,ro "$HF_HOME"`;
const FETCH = `"${process.execPath}" tests/fixtures/fetch-model.cjs org/tiny`;

function withMount(mount: string, script: string) {
  const env = { PATH: process.env.PATH, HF_ENDPOINT: hub.endpoint, HF_HOME: home };
  return ended(spawn("unshare", mounted(mount, script), { env, cwd: projectFolder }));
}
const canMount = spawnSync("unshare", mounted(ofSize("1m"), "true"), { env: { ...process.env, HF_HOME: tmpdir() } });
const skip = canMount.status !== 0 && "nothing can be mounted here";

test("a read-only cache is read; a model that is missing there is named, with what to do", { skip }, async () => {
  const folder = await resolveModel("org/tiny", here());
  const again = await withMount(READ_ONLY, FETCH);
  assert.ok(again.out.includes(folder), again.err);
  hub.commit = "b".repeat(40);
  const other = await withMount(READ_ONLY, FETCH);
  assert.equal(other.code, 1);
  assert.match(other.err, /can not be written to \(EROFS.* let HF_HOME name another folder/);
});

test("on a disk that becomes full meanwhile what has come is kept, and resumed once there is room", {
  skip,
}, async () => {
  const filled = `${home}.filled`;
  hub.next(BODY, async ({ response, content }) => {
    response.writeHead(200, { "content-length": content.length });
    response.write(content.subarray(0, HALF));
    await untilSize(filled, 1);
    response.end(content.subarray(HALF));
  });
  const size = `$(stat -c %s "${partial()}" 2> /dev/null || echo 0)`;
  const script = `
    ${FETCH} & pid=$!
    while kill -0 $pid 2> /dev/null && [ ${size} -lt ${HALF} ]; do sleep 0.02; done
    cat /dev/zero > "$HF_HOME/filler" 2> /dev/null
    echo full > "${filled}"
    wait $pid; echo "ended with $?, ${size} bytes"
    rm "$HF_HOME/filler"
    ${FETCH} && cmp "${repo("snapshots", COMMIT, "model.safetensors")}" "${filled}.weights" && echo whole`;
  writeFileSync(`${filled}.weights`, WEIGHTS);
  try {
    const { out, err } = await withMount(ofSize("70m"), script);
    assert.match(err, /the disk of .* is full \(ENOSPC.*What has arrived is kept: free space/);
    const kept = Number(/ended with 1, (\d+) bytes/.exec(out)?.[1]);
    assert.ok(kept >= HALF && kept < WEIGHTS.length, out);
    assert.ok(out.endsWith("whole\n"), `${out}\n${err}`);
    assert.deepEqual(
      hub.asked.filter(({ what }) => what === BODY).map(({ range }) => range),
      [undefined, `bytes=${kept}-`],
    );
  } finally {
    for (const file of [filled, `${filled}.weights`]) rmSync(file, { force: true });
  }
});

test("a cache that can't be written to is named; what is in it is read all the same", async () => {
  const folder = await resolveModel("org/tiny", here());
  const locks = path.join(home, "hub", ".locks");
  rmSync(locks, { recursive: true });
  writeFileSync(locks, "a file where a folder is needed: no rights stop the superuser");
  assert.equal(await resolveModel("org/tiny", here()), folder);
  hub.commit = "b".repeat(40);
  await assert.rejects(resolveModel("org/tiny", here()), /can not be written to .* let HF_HOME name another folder/);
});

test("a hub that nobody runs is named with what to check", async () => {
  await hub.close();
  const address = hub.endpoint.replace("http://", "");
  await assert.rejects(
    resolveModel("org/tiny", here({ attempts: 2, say: () => {} })),
    new RegExp(`the connection to ${address} failed .*ECONNREFUSED.*check the network, HTTPS_PROXY and HF_ENDPOINT`),
  );
});
