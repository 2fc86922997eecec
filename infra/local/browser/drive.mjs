// Controls a headless Chromium with one command per line.
//
// Usage: node drive.mjs MODULE CHROMIUM. Each line of stdin is a command as JSON
// ({do: "open", url: …} etc., see below). The response is one line with the content of
// the page afterwards, or {failed: …}. It ends when stdin is closed.
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const { chromium } = await import(pathToFileURL(process.argv[2]));
const browser = await chromium.launch({
  executablePath: process.argv[3],
  args: [
    // Chromium's sandbox does not work for root.
    ...(process.getuid() === 0 ? ['--no-sandbox'] : []),
    // No page can connect to any other host than this machine.
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
    '--no-proxy-server',
  ],
});
const page = await browser.newPage({ viewport: { width: 900, height: 700 } });
page.setDefaultTimeout(40_000);
const errors = [];
page.on('pageerror', (error) => errors.push(String(error)));

const commands = {
  open: ({ url }) => page.goto(url),
  fill: ({ label, text }) => page.getByLabel(label).fill(text),
  check: ({ label }) => page.getByLabel(label).check(),
  shot: ({ file }) => page.screenshot({ path: file, fullPage: true }),
  async press({ name }) {
    const loaded = page.waitForEvent('load');
    await page.getByRole('button', { name, exact: true }).click();
    await loaded;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  try {
    await commands[command.do](command);
    console.log(JSON.stringify({
      url: page.url(),
      title: await page.title(),
      text: await page.locator('body').innerText(),
      errors,
    }));
  } catch (error) {
    console.log(JSON.stringify({ failed: String(error), url: page.url() }));
  }
}
await browser.close();
