import { chromium } from "playwright-core";
import { serve } from "./serve";

(async () => {
  const { address, close } = await serve("/work/wt/e/out/page", "/some/where/");
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
  for (const [w, h] of [
    [380, 800],
    [1280, 800],
    [1920, 1080],
  ] as const)
    for (const colorScheme of ["light", "dark"] as const) {
      if (process.argv[2] && !process.argv[2].split(",").includes(`${w}${colorScheme[0]}`)) continue;
      const page = await browser.newPage({ viewport: { width: w, height: h }, colorScheme });
      page.on("console", (m) => {
        if (m.type() !== "log") console.log(m.type(), m.text());
      });
      page.on("pageerror", (e) => console.log("ERROR", e.message));
      page.on("request", (r) => {
        if (!r.url().startsWith(address) && !r.url().startsWith("data:") && !r.url().startsWith("blob:"))
          console.log("REQUEST", r.url());
      });
      const t = Date.now();
      await page.goto(address + (process.argv[3] ?? ""));
      await page.locator("main[data-settled]").waitFor({ timeout: 30000 });
      console.log(
        w,
        colorScheme,
        "ready",
        Date.now() - t,
        await page.evaluate(() => document.documentElement.scrollWidth),
        await page.locator("#letters .foot").last().textContent(),
      );
      if (process.argv[4]) {
        await page.getByRole("button", { name: process.argv[4] }).first().click();
        await page.waitForTimeout(400);
        console.log(
          await page.locator("#saying").textContent(),
          await page.locator("#letters .foot").last().textContent(),
        );
      }
      await page.screenshot({ path: `/tmp/e-shots/${w}${colorScheme[0]}.png`, fullPage: true });
      await page.close();
    }
  await browser.close();
  close();
})();
