import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DeskContext } from '../tickets/desk.ts';
import { mediaTypeOf, readBody } from './body.ts';
import { answerDirectly, directRequest } from './direct.ts';
import type { YogaOptions } from './yoga.ts';

/** Answers /graphql: the plain case directly, all others by Yoga. */
export function createGraphqlServer(options: YogaOptions) {
  // Loaded beside the start, which most of its first requests need not wait for.
  const loaded = import('./yoga.ts').then(({ createGraphqlYoga }) => createGraphqlYoga(options));
  return async (req: IncomingMessage, res: ServerResponse, ctx: DeskContext): Promise<void> => {
    if (req.method !== 'POST' || mediaTypeOf(req) !== 'application/json')
      return void (await (
        await loaded
      )(req, res, { req, res, ctx }));
    let body: Buffer | Error;
    try {
      body = await readBody(req, res, options.requestBytes);
    } catch (error) {
      body = error as Error;
    }
    if (Buffer.isBuffer(body)) {
      const request = directRequest(req, body);
      if (request !== undefined && (await answerDirectly(req, res, request, ctx))) return;
    }
    // An error is Yoga's to tell, in the form that the caller accepts.
    const yoga = await loaded;
    await yoga(req, res, { req, res, ctx, body });
  };
}
