// A browser that remembers what it saw, callers of the API, and a web server elsewhere.

import assert from 'node:assert/strict';
import {mkdir, readFile} from 'node:fs/promises';
import {createServer} from 'node:http';
import {createRequire} from 'node:module';
import {extname} from 'node:path';
import {chromium} from 'playwright-core';

// Where the program serves; .ci/browser.sh starts it.
export const HOME = process.env.FIFTY_FIFTY;
assert.ok(HOME, 'FIFTY_FIFTY must be the address of a program with the demonstration, such as http://127.0.0.1:8080');
export const LOOS = '62528';

const pictures = new URL('../../target/browser/', import.meta.url);
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// ——— The API, without a browser ———

export async function api(path, {token, method = 'GET', body, headers = {}} = {}) {
  const answer = await fetch(`${HOME}${path}`, {
    method,
    headers: {
      ...(token && {authorization: `Bearer ${token}`}),
      ...(body && {'content-type': 'application/json'}),
      ...headers,
    },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    json: text.startsWith('{') ? JSON.parse(text) : undefined,
  };
}

export async function get(path, token) {
  const answer = await api(path, {token});
  assert.equal(answer.status, 200, `${path}: ${answer.text}`);
  return answer.json;
}

export async function act(path, token, body, headers = {'if-match': '*'}) {
  const answer = await api(path, {token, method: 'POST', body, headers});
  assert.ok(answer.status < 300, `${path}: ${answer.text}`);
  return answer.json;
}

export async function tokenOf(email) {
  const form = new URLSearchParams({grant_type: 'password', username: email, password: 'cinquante-cinquante'});
  const answer = await fetch(`${HOME}/v1/auth/token`, {method: 'POST', body: form});
  assert.equal(answer.status, 200);
  return (await answer.json()).access_token;
}

/** French labels: list, code → label. */
export async function french() {
  const {data} = await get('/v1/reference');
  const lists = new Map(data.map(({name, codes}) => [name, new Map(codes.map(({code, labels}) => [code, labels.fr]))]));
  return (list, code) => lists.get(list).get(code);
}

/** How often the program answered on a route, as it measures itself; `status` looks at those answers only. */
export async function answered(route, status) {
  const {text} = await api('/metrics');
  const lines = text
    .split('\n')
    .filter(
      (line) =>
        line.startsWith('http_server_request_duration_seconds_count{') &&
        line.includes(`http_route="${route}"`) &&
        (!status || line.includes(`"${status}"`)),
    );
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

// ——— Servers of a moment ———

async function listen(server) {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${server.address().port}`;
}

/** Somebody else's web server with the front end on it. */
export async function elsewhere() {
  const folder = new URL('../../examples/front-end/', import.meta.url);
  const types = {'.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css'};
  const server = createServer(async (request, answer) => {
    const {pathname} = new URL(request.url, 'http://localhost');
    const name = pathname === '/' ? 'index.html' : pathname.slice(1);
    try {
      answer.setHeader('content-type', `${types[extname(name)]}; charset=utf-8`);
      answer.end(await readFile(new URL(name, folder)));
    } catch {
      answer.writeHead(404).end();
    }
  });
  return {address: await listen(server), close: () => server.close()};
}

/** A proxy that lets nothing through and remembers what wanted to pass. Chromium goes to 127.0.0.1 without it. */
async function border() {
  const wanted = [];
  const server = createServer((request, answer) => {
    wanted.push(request.url);
    answer.writeHead(502).end();
  });
  server.on('connect', (request, socket) => {
    wanted.push(request.url);
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  });
  return {address: await listen(server), wanted, close: () => server.close()};
}

// ——— The browser ———

/** A browser with a new profile, ended with the test. */
export async function browser(t) {
  const out = await border();
  const program = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--proxy-server=${out.address}`,
    ],
  });
  t.after(async () => {
    await program.close();
    out.close();
  });
  return {program, out};
}

/** A visitor with a cache of their own; `watch` makes pages that remember faults and requests. */
export async function visitor({program}, options = {}) {
  const context = await program.newContext({locale: 'fr-FR', viewport: {width: 1280, height: 900}, ...options});
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  return {
    context,
    async page() {
      const page = await context.newPage();
      const seen = {faults: [], requests: []};
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) seen.faults.push(message.text());
      });
      page.on('pageerror', (error) => seen.faults.push(String(error)));
      page.on('requestfailed', (request) => seen.faults.push(`${request.url()}: ${request.failure().errorText}`));
      page.on('request', (request) => seen.requests.push(request.url()));
      return {page, seen};
    },
  };
}

/** What wanted to pass the border, without Chromium's own calls to its maker: no flag ends them all. */
export function strangers({out}) {
  return out.wanted.filter((address) => !/(^|\.)(google|googleapis|gvt1)\.com:443$/.test(address));
}

/** No fault, and no request of a page to another host than this one. */
export function assertQuiet(seen) {
  assert.deepEqual(seen.faults, []);
  assert.deepEqual(
    seen.requests.filter((url) => !/^(http:\/\/127\.0\.0\.1:|data:|blob:)/.test(url)),
    [],
  );
}

/** A picture for people, in target/browser/: of the whole page, or of what the window shows. */
export async function picture(page, name, fullPage = true) {
  await mkdir(pictures, {recursive: true});
  await page.screenshot({path: new URL(`${name}.png`, pictures).pathname, fullPage});
}

/** What axe-core finds against WCAG 2.2 A and AA, and against good practice. */
export async function barriers(page) {
  await page.evaluate(axe);
  const {violations, passes} = await page.evaluate(() =>
    window.axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}),
  );
  assert.ok(
    passes.some(({id}) => id === 'color-contrast'),
    'axe looked at the colours',
  );
  return violations.map(({id, nodes}) => `${id}: ${nodes.map(({html}) => html).join(' ')}`);
}
