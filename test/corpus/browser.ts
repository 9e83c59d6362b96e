import type { BrowserContext, Page } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';

/** A page without network access, which records what it requested and which scripts ran. */
export interface WatchedPage {
  readonly page: Page;
  readonly requests: string[];
  readonly ran: string[];
}

export async function openBrowser() {
  const browser = await launchBrowser();
  const contexts: BrowserContext[] = [];
  return {
    async open({ scripts }: { scripts: boolean }): Promise<WatchedPage> {
      const context = await browser.newContext({
        javaScriptEnabled: scripts,
        viewport: { width: 1024, height: 800 },
      });
      contexts.push(context);
      const page = await context.newPage();
      const watched: WatchedPage = { page, requests: [], ran: [] };
      await page.route('**', (route) => {
        watched.requests.push(route.request().url());
        return route.abort();
      });
      page.on('dialog', (dialog) => {
        watched.ran.push(dialog.message());
        void dialog.dismiss();
      });
      context.on('page', () => watched.ran.push('a window was opened'));
      return watched;
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
}
