// A bigger model in the page: said first, fetched when asked for, whole or not at all, kept, and removed again.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { buildPage } from "../page/build";
import { computeTables, listsFor } from "../page/compute-tables";
import { Engine } from "../page/engine";
import { GPT2_SMALL, onHub } from "../page/hub-model";
import { MODEL_FILES } from "../page/model-files";
import { serve } from "../page/serve";
import { OPENING } from "../page/state";
import { ROOT } from "../scripts/setup/paths.mjs";
import { loadModel } from "../src/load/load";
import { findChromium, NO_CHROMIUM, openBrowser } from "./fixtures/chromium";
import { COMMIT, type Fault, HubServer, REPO, sha256 } from "./fixtures/hub-server";
import { casesInOnePage, watchedPage } from "./fixtures/watched-page";

const chromium = findChromium();
const skip = !chromium && NO_CHROMIUM;
/** What a browser says of its own when a download breaks. */
const BROKEN = /net::ERR_|status of 503|Content Security Policy/;
const FOLDER = join(ROOT, "data", "embedded", "others", "deep-0");
const WEIGHTS = "cdn GET model.safetensors";

test("GPT-2 Small is asked for at the pinned commit, its weights by their hash, of the hub's hosts alone", () => {
  assert.deepEqual(
    GPT2_SMALL.files.map(({ name, url }) => [name, url.replace(/[0-9a-f]{40}/, "COMMIT")]),
    MODEL_FILES.map((name) => [name, `https://huggingface.co/openai-community/gpt2/resolve/COMMIT/${name}`]),
  );
  assert.deepEqual(
    GPT2_SMALL.files.map((file) => file.sha256?.length),
    [undefined, undefined, 64],
  );
  assert.deepEqual(GPT2_SMALL.hosts, ["https://huggingface.co", "https://*.huggingface.co", "https://*.hf.co"]);
  const branch = () => onHub("a", { repo: REPO, revision: "main" }, { weights: "", megabytes: 1, hosts: [] });
  assert.throws(branch, /main of org\/tiny is no commit: 40 hexadecimal digits are needed/);
});

describe("a model of the hub in the page", { timeout: 300_000 }, () => {
  const files = Object.fromEntries(MODEL_FILES.map((name) => [name, readFileSync(join(FOLDER, name))]));
  const weights = files["model.safetensors"];
  const layers: number = JSON.parse(files["config.json"].toString()).n_layer;
  const megabytes = Math.ceil(weights.length / 1e5) / 10;
  let home: string;
  let server: Awaited<ReturnType<typeof serve>>;
  let browser: Browser;
  let hub: HubServer;

  before(async () => {
    if (skip) return;
    home = mkdtempSync(join(tmpdir(), "page-hub-"));
    hub = await HubServer.start(files);
    const hosts = [hub.endpoint, hub.cdn];
    const model = { repo: REPO, revision: COMMIT };
    const bigger = onHub("Deep", model, { weights: sha256(weights), megabytes, endpoint: hub.endpoint, hosts });
    await buildPage(home, { ...(await computeTables({ evidence: 10, paths: 3 })), bigger });
    server = await serve(home);
    browser = await openBrowser(chromium as string);
  });
  after(async () => {
    await browser?.close();
    server?.close();
    await hub?.close();
    if (home) rmSync(home, { recursive: true, force: true });
  });

  let page: Page;
  const cases = casesInOnePage(
    () => watchedPage(browser, server.address, { others: [hub.endpoint, hub.cdn], expected: BROKEN }),
    skip,
  );
  const use = (name: string, work: (opened: Awaited<ReturnType<typeof watchedPage>>) => Promise<void>) =>
    cases(name, (opened) => {
      page = opened.page;
      return work(opened);
    });

  const press = () => page.getByRole("button", { name: "Deep from the hub" }).click();
  const inUse = () => page.getByText("Computed here, by Deep").waitFor();
  const kept = () =>
    page.evaluate(async () => {
      const store = await caches.open("acronym-circuit models");
      return (await store.keys()).length;
    });
  /** The embedded model again, and nothing of another one. */
  const leave = async () => {
    await page.locator("#own-back").click();
    await page.getByText("by the embedded model").first().waitFor();
    await page.getByRole("button", { name: "Remove it from the cache" }).click();
    await page.getByRole("button", { name: "Deep from the hub" }).waitFor();
    assert.equal(await kept(), 0);
  };
  const told = (text: RegExp) => page.locator("#hub-said").filter({ hasText: text }).waitFor();
  /** The first half, then nothing until it may go on. */
  function held(): { fault: Fault; goOn: () => void } {
    let goOn = () => {};
    const wait = new Promise<void>((done) => {
      goOn = done;
    });
    const fault: Fault = async ({ response, content }) => {
      response.writeHead(200, { "content-length": content.length });
      response.write(content.subarray(0, content.length / 2));
      await wait;
      response.end(content.subarray(content.length / 2));
    };
    return { fault, goOn };
  }

  use("host and size are said first, nothing is asked before the press, and then how far it is", async () => {
    const words = await page.locator("#hub-model").innerText();
    assert.ok(words.includes(`from ${new URL(hub.endpoint).host}: ${megabytes} MB`), words);
    assert.deepEqual(hub.asked, []);
    const { fault, goOn } = held();
    hub.next(WEIGHTS, fault);
    await press();
    const half = new RegExp(`^0\\.[4-9] of ${megabytes} MB$`);
    await page.locator("#hub-progress").filter({ hasText: half }).waitFor();
    assert.equal(await kept(), 0);
    goOn();
    await inUse();
    await page.locator("main[data-settled]").waitFor();
    await page.getByRole("button", { name: new RegExp(`^layer ${layers - 1}, A2:`) }).waitFor();
    const loaded = await loadModel(FOLDER);
    const { after } = await new Engine(loaded, listsFor(loaded)).letters(OPENING);
    assert.deepEqual(
      await page.locator(".says .big").allTextContents(),
      after.map(({ says }) => says),
    );
    assert.deepEqual(
      hub.asked.map(({ what, authorization }) => [what, authorization]),
      [
        ["hub GET config.json", undefined],
        ["hub GET vocab.json", undefined],
        ["hub GET model.safetensors", undefined],
        [WEIGHTS, undefined],
      ],
    );
    await leave();
  });

  use(
    "on the second visit it comes from the cache, also without a network, until it is removed",
    async ({ context }) => {
      await press();
      await inUse();
      await page.evaluate("navigator.serviceWorker.ready.then(() => true)");
      hub.asked.length = 0;
      await context.setOffline(true);
      await page.reload();
      await page.getByRole("button", { name: "Deep from the cache" }).click();
      await inUse();
      assert.deepEqual(hub.asked, []);
      await leave();
      await context.setOffline(false);
    },
  );

  const other = Buffer.from(weights.map((byte, i) => (i === weights.length - 1 ? byte ^ 1 : byte)));
  const faults: Record<string, { on: string; fault: Fault; says: RegExp }> = {
    "is cut off": {
      on: WEIGHTS,
      fault: ({ response, content }) => {
        response.writeHead(200, { "content-length": content.length });
        response.write(content.subarray(0, content.length / 2), () => setTimeout(() => response.destroy(), 200));
      },
      says: /the connection to 127\.0\.0\.1:\d+ broke after 0\.[4-9] MB of model.safetensors: check the network/,
    },
    "ends too early, and does not say so": {
      on: WEIGHTS,
      fault: ({ response, content }) => void response.writeHead(200).end(content.subarray(0, content.length / 2)),
      says: /model.safetensors arrived damaged \(its hash is [0-9a-f]{64}, not [0-9a-f]{64}\)/,
    },
    "is another one": {
      on: WEIGHTS,
      fault: ({ response }) => void response.writeHead(200, { "content-length": other.length }).end(other),
      says: /model.safetensors arrived damaged/,
    },
    "has a vocabulary that is not what its hash says": {
      on: "hub GET vocab.json",
      fault: ({ response }) => void response.writeHead(200, { etag: `"${"b".repeat(40)}"` }).end("{}"),
      says: /vocab.json arrived damaged \(its hash is [0-9a-f]{40}, not b{40}\)/,
    },
    "can't be had": {
      on: "hub GET config.json",
      fault: ({ response }) => void response.writeHead(503).end(),
      says: /127\.0\.0\.1:\d+ answered 503 when asked for config.json: try again later/,
    },
    "is a web page that asks to log in": {
      on: "hub GET config.json",
      fault: ({ response }) => void response.writeHead(200, { "content-type": "text/html" }).end("<html>"),
      says: /a web page came instead of config.json/,
    },
  };
  for (const [name, { on, fault, says }] of Object.entries(faults))
    use(`a download that ${name} is told, nothing of it is kept, and the next try works`, async () => {
      hub.next(on, fault);
      await press();
      await told(says);
      assert.equal(await kept(), 0);
      assert.equal(await page.locator("#hub-progress").count(), 0);
      await press();
      await inUse();
      assert.equal(await kept(), MODEL_FILES.length);
      await leave();
    });

  use("it can be stopped, and what is kept is checked again", async () => {
    const { fault, goOn } = held();
    hub.next(WEIGHTS, fault);
    await press();
    await page
      .locator("#hub-progress")
      .filter({ hasText: /^0\.[4-9]/ })
      .waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await told(/^Stopped. Nothing was kept\.$/);
    goOn();
    assert.equal(await kept(), 0);
    await press();
    await inUse();
    await page.evaluate(async () => {
      const store = await caches.open("acronym-circuit models");
      for (const { url } of await store.keys())
        if (url.endsWith("model.safetensors")) await store.put(url, new Response("half"));
    });
    await page.getByRole("button", { name: "Deep from the cache" }).click();
    await told(/what was kept of model.safetensors is damaged and was removed/);
    assert.equal(await kept(), 0);
    await page.locator("#own-back").click();
  });

  use("no other host can be asked", async () => {
    const [policy] = /connect-src [^;]*/.exec(readFileSync(join(home, "index.html"), "utf8"))!;
    assert.equal(policy, `connect-src 'self' ${hub.endpoint} ${hub.cdn}`);
    const directive = await page.evaluate(
      () =>
        new Promise((done) => {
          addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective), { once: true });
          fetch("http://127.0.0.1:9/").catch(() => {});
        }),
    );
    assert.equal(directive, "connect-src");
  });
});
