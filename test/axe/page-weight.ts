import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { pipeline } from 'node:stream';
import type { Browser, Page } from 'playwright-core';

/** What a first visit costs. */
export interface PageWeight {
  /** Everything that came from the server, heads included, until the page is ready and its network idle. */
  readonly bytes: number;
  readonly requests: number;
  /** From the navigation until its reader can use it. */
  readonly readyMs: number;
}

interface WeighedPage {
  readonly path: string;
  /** Most bytes of a first visit: a tenth above what it was when this was written. */
  readonly mostBytes: number;
  /** Resolves when its reader can use it. */
  ready(page: Page): Promise<void>;
  /** How many workers it starts. Their scripts are a part of the visit. */
  readonly workers: number;
}

const heading = (page: Page) => page.getByRole('heading').first().waitFor();
const editor = (page: Page) => page.locator('.graphiql-query-editor .view-line').first().waitFor();

/** The pages that the product serves. `/` leads a browser to GraphiQL. */
export const weighedPages: readonly WeighedPage[] = [
  { path: '/', mostBytes: 1_850_000, ready: editor, workers: 3 },
  { path: '/graphql', mostBytes: 1_850_000, ready: editor, workers: 3 },
  { path: '/inbox/', mostBytes: 24_000, ready: heading, workers: 0 },
  { path: '/ledger', mostBytes: 35_000, ready: heading, workers: 0 },
  { path: '/api', mostBytes: 10_000, ready: heading, workers: 0 },
];

/** Visits a page for the first time, through a proxy that counts bytes. */
export async function weigh(
  browser: Browser,
  url: string,
  { path, ready, workers }: WeighedPage,
): Promise<PageWeight> {
  await using door = await openCountingDoor(Number(new URL(url).port));
  const context = await browser.newContext({
    httpCredentials: { username: 'operator', password: 'operator' },
  });
  try {
    const page = await context.newPage();
    let requests = 0;
    context.on('request', () => (requests += 1));
    const began = performance.now();
    await page.goto(`http://localhost:${door.port}${path}`);
    await ready(page);
    const readyMs = performance.now() - began;
    while (page.workers().length < workers) await page.waitForEvent('worker');
    await page.waitForLoadState('networkidle');
    return { bytes: door.bytes(), requests, readyMs };
  } finally {
    await context.close();
  }
}

async function openCountingDoor(to: number) {
  let bytes = 0;
  const server = createServer((client) => {
    const inside = connect(to, '127.0.0.1');
    inside.on('data', (piece) => (bytes += piece.length));
    const isOver = () => {};
    pipeline(client, inside, isOver);
    pipeline(inside, client, isOver);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    bytes: () => bytes,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, 'close');
    },
  };
}
