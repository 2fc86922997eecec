// Drives a headless Chromium by one command per line.
//
// Usage: node drive.mjs MODULE CHROMIUM. Each line of stdin is a command as JSON
// ({do: "open", url: …} and so on, below) and gets one line of answer: what the page
// shows afterwards, or {failed: …}. It ends when stdin does.
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const { chromium } = await import(pathToFileURL(process.argv[2]));
const browser = await chromium.launch({
  executablePath: process.argv[3],
  args: [
    // Chromium's own sandbox does not work for root.
    ...(process.getuid() === 0 ? ['--no-sandbox'] : []),
    // Nothing but this machine is there for it, whatever a page asks for.
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
