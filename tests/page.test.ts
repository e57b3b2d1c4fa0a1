// The page in a real browser: the minute by mouse, by keyboard and on a phone; its numbers are Node's; nothing leaves it.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import { buildPage } from "../page/build";
import { computeTables, listsFor } from "../page/compute-tables";
import { Engine } from "../page/engine";
import { serve } from "../page/serve";
import { OPENING, type Patch, type State, toHash } from "../page/state";
import { ROOT } from "../scripts/setup/paths.mjs";
import type { LetterRow } from "../src/experiments/behaviour";
import { loadModel } from "../src/load/load";
import { findChromium, NO_CHROMIUM, openBrowser } from "./fixtures/chromium";
import { near, within } from "./fixtures/close";
import { axeFinds, casesInOnePage, watchedPage } from "./fixtures/watched-page";

const chromium = findChromium();
const skip = !chromium && NO_CHROMIUM;
const PREFIX = "/some/where/";
/** WebGPU in a Chromium without a graphics card. */
const WEBGPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"];
/** Two processors' logits of the same prompt. */
const TOLERANCE = 1e-4;
const MOST_SCRIPT = 400_000; // bytes, gzipped
const [PHONE, LAPTOP] = [
  { width: 380, height: 800 },
  { width: 1280, height: 800 },
];

const PATCH = { activation: "hook_resid_pre", layer: 2, position: "C2" } as const;
const TOUCHED: State = {
  ...OPENING,
  patches: [PATCH, { activation: "z", layer: 1, head: 2 }],
  off: [{ layer: 2, head: 0 }],
  exchange: { pair: ["C1", "C3"], embeddings: true, clock: true },
};

/** What the page has put there. */
interface InPage {
  readonly acronymCircuit: { readonly engine: Engine; tensors(): number };
}

test("an address that is none is not found, and does not end the server", async () => {
  const folder = mkdtempSync(join(tmpdir(), "served-"));
  writeFileSync(join(folder, "index.html"), "here");
  const { address, close } = await serve(folder, PREFIX);
  try {
    for (const path of ["%E0%A4%A", "%00", "nowhere", "..%2f..%2fetc/passwd"])
      assert.equal((await fetch(address + path)).status, 404, path);
    assert.equal(await (await fetch(address)).text(), "here");
  } finally {
    close();
    rmSync(folder, { recursive: true });
  }
});

describe("the page in a browser", { timeout: 300_000 }, () => {
  let home: string;
  let server: Awaited<ReturnType<typeof serve>>;
  let browser: Browser;
  let node: Engine;

  before(async () => {
    if (skip) return;
    home = mkdtempSync(join(tmpdir(), "page-"));
    await buildPage(home, await computeTables({ evidence: 10, paths: 3 }));
    const loaded = await loadModel("embedded");
    node = new Engine(loaded, listsFor(loaded));
    server = await serve(home, PREFIX);
    browser = await openBrowser(chromium as string, ...WEBGPU);
  });
  after(async () => {
    await browser?.close();
    server?.close();
    if (home) rmSync(home, { recursive: true, force: true });
  });

  const open = (path = "", options: Parameters<typeof watchedPage>[2] = {}) =>
    watchedPage(browser, server.address, { path, reducedMotion: "reduce", ...options });
  const settled = (page: Page) => page.locator("main[data-settled]").waitFor();
  const says = async (page: Page) => (await page.locator(".says .big").allTextContents()).join("");
  const waitToSay = async (page: Page, letters: string) => {
    for (const [i, letter] of [...letters].entries())
      await page.locator(".says .big").nth(i).getByText(letter, { exact: true }).waitFor();
  };
  const positions = (page: Page) => page.getByRole("grid").nth(0);
  const heads = (page: Page) => page.getByRole("grid").nth(1);
  const cell = (page: Page, label: string) => page.getByRole("button", { name: new RegExp(`^${label}:`) });

  test("what was computed beforehand is painted before there is a model", { skip }, async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.route("**/model.safetensors", () => {}); // never comes
    await page.goto(server.address, { waitUntil: "commit" });
    await page.getByText("Shown as it was computed beforehand").waitFor();
    assert.equal(await says(page), "GKD");
    assert.equal(await positions(page).getByRole("button").count(), 44);
    assert.equal(await heads(page).getByRole("button").count(), 16);
    await context.close();
  });

  test("the minute, by mouse", { skip }, async () => {
    const { page, done } = await open();
    await settled(page);
    // words: one that is refused becomes a suggestion
    await page.getByLabel("Your prompt: word 1").fill("Chief");
    await page.getByLabel("Guess").fill("CKD");
    await page.getByRole("button", { name: "Predict" }).click();
    await page.getByText("“Chief” is 1 token").waitFor();
    const near = page.locator("#word-refused button").first();
    const word = (await near.textContent())!;
    await near.click();
    await waitToSay(page, "CKD");
    assert.equal(await page.getByLabel("Your prompt: word 1").inputValue(), word);
    assert.match((await page.locator("#guessed").textContent())!, /You guessed CKD: so the model says/);
    // a patch, seen at once and told
    await cell(page, "layer 2, C2").click();
    await waitToSay(page, "CPD");
    assert.match((await page.locator("#saying").textContent())!, /letter 2 was K and is P/);
    await page.locator("#challenge-flip.done").waitFor();
    // several at a time, and undo
    await cell(page, "layer 0, C1").click();
    await waitToSay(page, "ZPD");
    await page.getByRole("button", { name: "Undo" }).click();
    await waitToSay(page, "CPD");
    await page.getByRole("button", { name: "Take back: resid pre 2 C2" }).click();
    await waitToSay(page, "CKD");
    // repair the other prompt
    await page.getByText("repair the other").click();
    await waitToSay(page, "ZPW");
    await cell(page, "layer 2, C2").click();
    await waitToSay(page, "ZKW");
    await page.getByRole("button", { name: "Take all back" }).click();
    await page.getByText("break yours").click();
    // heads: where one looks, and off
    await cell(page, "head 1\\.1").hover();
    await page.getByRole("heading", { name: "Where head 1.1 looks" }).waitFor();
    await page.getByText("switches it off").click();
    await cell(page, "head 2\\.0").click();
    await cell(page, "head 2\\.1").click();
    await page.getByText("14 of 16 heads are on").waitFor();
    assert.match(await page.locator("#code").inputValue(), /patchHeads\(\[\{ layer: 2, head: 0 \}, .+"z", means\)/);
    await done();
  });

  test("the minute, by keyboard alone", { skip }, async () => {
    const { page, done } = await open();
    await settled(page);
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? "");
    const tabTo = async (label: RegExp) => {
      for (let i = 0; i < 60; i++) {
        if (label.test(await focused())) return;
        await press("Tab");
      }
      assert.fail(`${label} is not reached`);
    };
    await tabTo(/^Your prompt: word 3/);
    await press("ControlOrMeta+a");
    await page.keyboard.insertText("Wren");
    await press("Enter");
    await waitToSay(page, "GKW");
    await settled(page);
    await tabTo(/^layer 0, BOS/);
    await press("ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight");
    assert.match(await focused(), /^layer 2, C2: letter 2 −/);
    await press("Enter");
    await waitToSay(page, "GPW");
    assert.match(await focused(), /taken from the other prompt$/);
    await press("ControlOrMeta+z");
    await waitToSay(page, "GKW");
    await press("End", "ArrowRight");
    assert.match(await focused(), /^layer 2, A2/);
    await tabTo(/^head 0\.0/);
    await press("ArrowDown", "ArrowDown", "Space");
    assert.match(await focused(), /^head 2\.0.+taken from the other prompt$/);
    await page.getByRole("heading", { name: "Where head 2.0 looks" }).waitFor();
    await done();
  });

  test("the minute, on a phone", { skip }, async () => {
    const { page, done } = await open("", { viewport: PHONE, hasTouch: true, isMobile: true });
    await settled(page);
    // not innerWidth: a phone shows all of a page that is too wide, and makes it small
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.equal(width, PHONE.width, "it scrolls sideways");
    await cell(page, "layer 2, C2").tap();
    await waitToSay(page, "GPD");
    await page.locator(".strip", { hasText: "G K D→G P D" }).waitFor();
    const box = (await cell(page, "layer 2, C2").boundingBox())!;
    assert.ok(box.width >= 24 && box.height >= 24, `a cell is ${box.width} × ${box.height}`); // WCAG 2.2, target size
    await done();
  });

  test("a hostile link is text", { skip }, async () => {
    const evil = '<img src=x onerror="document.title=1">';
    const parts = {
      words: `${evil},<script>1</script>,"'`,
      others: "A,B,C",
      off: evil,
      patches: "z.9999.1",
      letter: "{{7}}",
    };
    const hash = Object.entries(parts).map(
      ([name, value]) => `${name}=${encodeURIComponent(value).replaceAll("%2C", ",")}`,
    );
    const { page, done } = await open(`?backend=cpu#${hash.join("&")}&__proto__=1&constructor=2`);
    await page.locator("main[data-ready=cpu]").waitFor(); // an address can name what computes
    await page.getByText("Parts of the link were left out").waitFor();
    const told = await page.locator("#refused").innerText();
    for (const name of ["off is “<img", "patches is “z.9999.1”", "letter is “{{7}}”"])
      assert.ok(told.includes(name), told);
    await page.locator("#word-refused", { hasText: "<script>1</script>" }).waitFor();
    assert.equal(await page.locator("#page img, #page script").count(), 0);
    assert.equal(await page.title(), "Acronym circuit: patch a language model");
    assert.ok((await page.locator("#code").inputValue()).includes(JSON.stringify(evil)), "in code it is a string");
    await done();
  });

  const OTHERS: State = { ...TOUCHED, direction: "denoising", ablation: "zero" };
  const logits = ({ before, after }: { before: readonly LetterRow[]; after: readonly LetterRow[] }) =>
    [...before, ...after].flatMap(({ letter_logits }) => [...letter_logits]);
  /** The page computes what Node does, on the backend that it has. */
  const asNode = async (page: Page, state: State) => {
    const found = await page.evaluate(
      (one) => (globalThis as unknown as InPage).acronymCircuit.engine.letters(one),
      state,
    );
    close(logits(found), logits(await node.letters(state)));
  };

  test("logits are Node's: webgpu", { skip }, async (t) => {
    const { page, done, context } = await open("?backend=webgpu");
    const ready = page.locator("main[data-ready=webgpu]");
    await ready.or(page.getByText("nothing here can compute")).first().waitFor();
    if ((await ready.count()) === 0) {
      const why = await page.locator("#letters [role=alert]").textContent();
      await context.close();
      return t.skip(why ?? "");
    }
    await asNode(page, OTHERS);
    await done();
  });

  describe("opened once", () => {
    const use = casesInOnePage(open, skip);
    use(
      "the scripts that every reader loads are small, and come from the page's folder alone",
      async ({ requests }, t) => {
        const scripts = new Set(requests.filter((url) => url.endsWith(".js")));
        let bytes = 0;
        for (const url of scripts) bytes += gzipSync(readFileSync(join(home, url.slice(server.address.length)))).length;
        t.diagnostic(`${scripts.size} scripts, ${Math.round(bytes / 1000)} kB gzipped`);
        assert.ok(scripts.size >= 2 && bytes > 100_000, "they were not seen");
        assert.ok(bytes <= MOST_SCRIPT, `${bytes} bytes`);
      },
    );

    use("logits, maps and attention are Node's: wasm", async ({ page }) => {
      await page.locator("main[data-ready=wasm]").waitFor();
      for (const state of [TOUCHED, OTHERS]) await asNode(page, state);
      const rows = await page.evaluate(
        (one) => (globalThis as unknown as InPage).acronymCircuit.engine.attention(one),
        TOUCHED,
      );
      close(rows, await node.attention(TOUCHED));
      const maps = await page.evaluate(
        (one) => (globalThis as unknown as InPage).acronymCircuit.engine.maps(one),
        OPENING,
      );
      close(maps, await node.maps(OPENING));
    });

    use("100 patches leave no tensor behind, and each is answered at once", async ({ page }, t) => {
      const { held, times } = await page.evaluate(
        async ([opening, layers, labels]) => {
          const { engine, tensors } = (globalThis as unknown as InPage).acronymCircuit;
          const held: number[] = [];
          const times: number[] = [];
          for (let i = 0; i < 100; i++) {
            const patches: Patch[] = [
              i % 2
                ? { activation: "hook_resid_pre", layer: i % layers, position: labels[i % labels.length] }
                : { activation: "z", layer: i % layers, head: (i >> 2) % 4 },
            ];
            const start = performance.now();
            await engine.letters({ ...opening, patches });
            times.push(performance.now() - start);
            held.push(tensors());
          }
          return { held, times };
        },
        [OPENING, 4, ["C1", "T1", "C2", "T2", "C3", "T3", "(", "A1", "A2"]] as const,
      );
      assert.equal(new Set(held).size, 1, `${held[0]} … ${held.at(-1)} tensors`);
      const median = times.sort((a, b) => a - b)[50];
      t.diagnostic(`half of the patches are answered within ${median.toFixed(0)} ms`);
      assert.ok(median <= 100, `${median} ms`);
    });

    const toggle = (activation: string) => `input[name=activation][value=${activation}]`;
    for (const [during, chosen] of [
      ["attention", "hook_attn_out"],
      ["maps", "hook_mlp_out"],
    ] as const)
      use(
        `a choice that is taken back during ${during} ends what it began, and leaves the map as it was`,
        async ({ page }) => {
          const shown = () =>
            positions(page)
              .getByRole("button")
              .evaluateAll((all) => all.map((one) => one.ariaLabel));
          const before = await shown();
          await page.evaluate(
            ([method, choice, back]) => {
              const { engine } = (globalThis as unknown as InPage).acronymCircuit;
              const ended: string[] = [];
              Object.assign(globalThis, { ended });
              const click = (selector: string) => document.querySelector<HTMLElement>(selector)!.click();
              const own = engine[method].bind(engine) as (state: State) => Promise<never>;
              engine[method] = async (state) => {
                engine[method] = own;
                click(back);
                // what a click brings about comes after a frame
                if (method === "attention") await new Promise((done) => setTimeout(done, 100));
                try {
                  return await own(state);
                } catch (error) {
                  ended.push((error as Error).name);
                  throw error;
                } finally {
                  ended.push("end");
                }
              };
              click(choice);
            },
            [during, toggle(chosen), toggle("hook_resid_pre")] as const,
          );
          const ended = () => page.evaluate(() => (globalThis as unknown as { ended: string[] }).ended);
          await page.waitForFunction(() => (globalThis as unknown as { ended: string[] }).ended.includes("end"));
          await settled(page);
          assert.deepEqual(await shown(), before);
          if (during === "maps") assert.deepEqual(await ended(), ["SweepInterrupted", "end"]);
        },
      );

    use("after an error the maps are there again", async ({ page }) => {
      await page.evaluate(() => {
        const { engine } = (globalThis as unknown as InPage).acronymCircuit;
        const own = engine.letters.bind(engine);
        engine.letters = async () => {
          engine.letters = own;
          throw new Error("the letters can't be had");
        };
      });
      await cell(page, "layer 2, C2").click();
      await page.locator("#letters [role=alert]", { hasText: "the letters can't be had" }).waitFor();
      await page.getByRole("button", { name: "Undo" }).click();
      await settled(page);
      assert.equal(await positions(page).getByRole("button").count(), 44);
    });

    use("a backend that does not start is told, and the one before goes on", async ({ page }) => {
      await page.evaluate(() =>
        Object.defineProperty(navigator, "gpu", { value: { requestAdapter: async () => null } }),
      );
      await page.getByText("WebGPU", { exact: true }).click();
      await page.locator("#backend-trouble", { hasText: "webgpu: this browser offers no graphics card" }).waitFor();
      assert.ok(await page.locator("input[name=backend][value=wasm]").isChecked());
      await cell(page, "layer 2, C2").click();
      await waitToSay(page, "GPD");
      await page.getByRole("button", { name: "Undo" }).click();
    });

    use("another backend can be chosen; logits are Node's: webgl", async ({ page }, t) => {
      await cell(page, "layer 2, C2").click();
      await waitToSay(page, "GPD");
      await page.getByText("WebGL", { exact: true }).click();
      const trouble = page.locator("#backend-trouble", { hasText: "webgl" });
      await page.locator("main[data-ready=webgl]").or(trouble).waitFor();
      const why = (await trouble.count()) > 0 ? await trouble.textContent() : undefined;
      await page.getByRole("button", { name: "Undo" }).click();
      await waitToSay(page, "GKD");
      await settled(page);
      if (why) return t.skip(why);
      await asNode(page, OTHERS);
      await page.getByText("WebAssembly", { exact: true }).click();
      await page.locator("main[data-ready=wasm][data-settled]").waitFor();
      assert.equal(await page.locator("#backend-trouble").count(), 0);
      assert.match((await page.locator("#letters .foot").last().textContent())!, /with wasm: \d+ ms/);
    });

    use("a model of the reader's own takes the place of the embedded one", async ({ page }) => {
      const tensors = () => page.evaluate(() => (globalThis as unknown as InPage).acronymCircuit.tensors());
      const held = await tensors();
      // every text that is there when a frame is drawn
      await page.evaluate(() => {
        const drawn = new Set<string>();
        Object.assign(globalThis, { drawn });
        const look = () => {
          for (const one of document.querySelectorAll("[role=status]")) drawn.add(one.textContent ?? "");
          requestAnimationFrame(look);
        };
        look();
      });
      const folder = join(ROOT, "data", "embedded", "others", "deep-0");
      const { n_layer } = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));
      const files = page.locator("#own-files");
      await files.setInputFiles([join(folder, "config.json")]);
      await page.getByText("It was not loaded: vocab.json is missing").waitFor();
      await files.setInputFiles(["config.json", "vocab.json", "model.safetensors"].map((name) => join(folder, name)));
      await cell(page, `layer ${n_layer - 1}, A2`).waitFor();
      await page.getByText("Computed here, by own model").waitFor();
      const drawn = await page.evaluate(() => [...(globalThis as unknown as { drawn: Set<string> }).drawn]);
      assert.ok(drawn.includes("Working it out …"), drawn.join());
      // what was done to it, even what is being computed, is gone with it
      await settled(page);
      await cell(page, `layer ${n_layer - 1}, A2`).click();
      await page.getByRole("button", { name: "Undo" }).and(page.locator(":enabled")).waitFor();
      await settled(page);
      await page.evaluate((choice) => {
        document.querySelector<HTMLElement>(choice)!.click();
        setTimeout(() => document.querySelector<HTMLElement>("#own-back")!.click(), 60);
      }, toggle("hook_mlp_out"));
      await page.getByText("by the embedded model").first().waitFor();
      await settled(page);
      assert.equal(await says(page), "GKD");
      assert.ok(await page.getByRole("button", { name: "Undo" }).isDisabled(), "there is a past of another model");
      assert.equal(await tensors(), held, "tensors of the other model are left");
    });

    use("challenges, circuit and places", async ({ page }) => {
      await page.getByRole("button", { name: "Switch off head 2.0" }).click();
      await page.getByText("15 of 16").waitFor();
      await page.getByText("switches it off").click();
      await cell(page, "head 2\\.1").click();
      await page.locator("#challenge-lose.done").waitFor();
      const part = Number.parseInt((await page.locator("#left").textContent())!, 10);
      assert.ok(part > 0 && part < 90, `${part}% is left`);
      await page.getByRole("button", { name: "All heads on" }).click();
      await page.locator("#left", { hasText: "100%" }).waitFor();
      await page.getByRole("button", { name: "The circuit alone" }).click();
      await page.locator("#left", { hasNotText: "100%" }).waitFor();
      await page.getByRole("button", { name: "All heads on" }).click();
      await page.getByLabel("Give every position the same embedding").check();
      await page.locator("#left", { hasNotText: "100%" }).waitFor();
      assert.match(await page.locator("#code").inputValue(), /equalPositions\(\)/);
      await page.getByLabel("their clock").check();
      assert.match(await page.locator("#code").inputValue(), /swap\(\{ pair: \["C1", "C2"\], bosHeads/);
    });

    use("after the first visit it opens without a network", async ({ page, context }) => {
      const kept = await page.evaluate(async () => {
        await navigator.serviceWorker.ready;
        const caches = globalThis.caches;
        const names = (await caches.keys()).filter((name) => name.startsWith("acronym-circuit "));
        const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
        return requests.flat().map(({ url }) => url.split("/").at(-1)!);
      });
      const isOfWebgpu = (file: string) => readFileSync(join(home, file), "utf8").includes("GPUBufferUsage");
      const scripts = readdirSync(home).filter((file) => file.endsWith(".js") && file !== "service-worker.js");
      assert.deepEqual(
        scripts.filter((file) => !kept.includes(file)),
        scripts.filter(isOfWebgpu),
        "what few ask for is not fetched for all",
      );
      server.close();
      try {
        await context.setOffline(true);
        await page.goto(server.address);
        await settled(page);
        await cell(page, "layer 2, C2").click();
        await waitToSay(page, "GPD");
      } finally {
        const { port } = new URL(server.address);
        server = await serve(home, PREFIX, Number(port));
      }
    });
  });

  describe("opened by a link", () => {
    const use = casesInOnePage(() => open(`#${toHash(TOUCHED)}`), skip);
    use("a link holds all that was done, and goes from reader to reader", async ({ page }) => {
      const expected = (await node.letters(TOUCHED)).after.map(({ says }) => says).join("");
      assert.equal(await says(page), expected);
      assert.equal(await page.locator("#link").inputValue(), `${server.address}#${toHash(TOUCHED)}`);
      for (const label of ["layer 2, C2", "head 1\\.2", "head 2\\.0"])
        assert.equal(await cell(page, label).getAttribute("aria-pressed"), "true");
    });

    use("pictures, numbers and a notebook can be saved", async ({ page }) => {
      const save = async (name: string) => {
        const [file] = await Promise.all([
          page.waitForEvent("download"),
          page.getByRole("button", { name, exact: true }).click(),
        ]);
        return { name: file.suggestedFilename(), bytes: readFileSync(await file.path()) };
      };
      const title = "“One activation from the other prompt: change of letter 2”";
      const [svg, png, csv] = [
        await save(`Save ${title} as SVG`),
        await save(`Save ${title} as PNG`),
        await save(`Save ${title} as CSV`),
      ];
      assert.match(svg.bytes.toString(), /^<svg xmlns=.+layer 2, C2: letter 2 −/s);
      assert.equal(png.bytes.subarray(1, 4).toString(), "PNG");
      const lines = csv.bytes.toString().trim().split("\n");
      assert.deepEqual([csv.name, lines[0], lines.length], ["layer-position.csv", "layer,position,value", 45]);
      const notebook = JSON.parse((await save("Save as notebook")).bytes.toString());
      assert.equal(notebook.cells[1].source.join(""), (await page.locator("#code").inputValue()).trimEnd());
    });

    use("axe finds nothing that keeps anybody out", async ({ page }) => {
      await page.evaluate(
        (hash) => {
          location.hash = hash;
        },
        `${toHash(TOUCHED)}&letter=9`,
      );
      await page.locator("#refused").waitFor();
      await page.getByLabel("Your prompt: word 1").fill("Chief");
      await page.getByRole("button", { name: "Predict" }).click();
      await page.getByText("“Chief” is 1 token").waitFor();
      for (const summary of await page.locator("summary").all()) await summary.click();
      for (const viewport of [LAPTOP, PHONE])
        for (const colorScheme of ["light", "dark"] as const) {
          await page.setViewportSize(viewport);
          await page.emulateMedia({ colorScheme });
          assert.deepEqual(await axeFinds(page), [], `${viewport.width} pixels, ${colorScheme}`);
        }
    });
  });
});

/** As near as any two computations of this project, and within what the page promises. */
function close(found: unknown, expected: unknown): void {
  near(found, expected);
  within(TOLERANCE, found, expected);
}
