import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DeskContext } from '../tickets/desk.ts';
import type { Basis } from '../tickets/reads.ts';
import { mediaTypeOf, readBody } from './body.ts';
import {
  answerDirectly,
  answerError,
  answerTypeFor,
  directRequest,
  type PlainAnswer,
  writePlain,
} from './direct.ts';
import { createKeptAnswers, questionOf } from './kept-answers.ts';
import type { YogaOptions } from './yoga.ts';

export interface GraphqlOptions extends YogaOptions {
  /** Bytes of memory for answers that are kept to be given again; 0: none. */
  readonly keptAnswers: number;
}

/** Answers /graphql: the plain case directly, all others by Yoga. */
export function createGraphqlServer(options: GraphqlOptions) {
  // Loaded beside the start, which most of its first requests need not wait for.
  const loaded = import('./yoga.ts').then(({ createGraphqlYoga }) => createGraphqlYoga(options));
  const kept = createKeptAnswers(options.keptAnswers);

  async function answerPlainly(
    res: ServerResponse,
    type: string,
    body: Buffer,
    ctx: DeskContext,
  ): Promise<boolean> {
    const question = options.keptAnswers === 0 ? undefined : questionOf(ctx.viewer, ctx.origin, body);
    const known = question && kept.get(question);
    if (known) {
      const current = await ctx.desk
        .isCurrent(ctx.viewer!, known.basis)
        .catch((error) => answerError(res, type, error, ctx));
      if (current === undefined) return true;
      if (current) {
        writePlain(res, type, known);
        return true;
      }
      kept.delete(question!);
    }
    const request = directRequest(body);
    if (request === undefined) return false;
    const keep =
      question === undefined
        ? undefined
        : (answer: PlainAnswer, basis: Basis) => kept.put(question, { ...answer, basis });
    return answerDirectly(res, type, request, ctx, keep);
  }

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
      const type = answerTypeFor(req);
      if (type !== undefined && (await answerPlainly(res, type, body, ctx))) return;
    }
    // An error is Yoga's to tell, in the form that the caller accepts.
    const yoga = await loaded;
    await yoga(req, res, { req, res, ctx, body });
  };
}
