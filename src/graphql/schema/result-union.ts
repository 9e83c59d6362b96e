import {
  type DetailsOf,
  type ErrorCode,
  errorCodes,
  RateLimited,
  Refusal,
  retryable,
} from '../../platform/errors.ts';
import { noteCode } from '../../platform/request-notes.ts';
import {
  type CommandName,
  refuse,
  refusedBy,
  type WritingCommand,
} from '../../tickets/refusals-by-command.ts';
import type { GraphContext } from '../context/context.ts';
import { builder } from './builder.ts';
import { DeliveryStateEnum } from './enums.ts';
import { ErrorCodeEnum, errorMeanings } from './error-code.ts';
import { MessageRef } from './object-refs.ts';

/** A refusal as a value. graphql-js would throw an `Error` that a resolver returns. */
class Refused<C extends ErrorCode = ErrorCode> {
  readonly code: C;
  readonly message: string;
  readonly inputPath: readonly (string | number)[];
  readonly details: DetailsOf<C>;
  constructor({ code, message, inputPath, details }: Refusal<C>) {
    this.code = code;
    this.message = message;
    this.inputPath = inputPath;
    this.details = details;
  }
}

/** The interface `UserError`. */
const UserErrorRef = builder.interfaceRef<Refused>('UserError').implement({
  description: 'A refusal: nothing was changed. Programs read `code`, and `message` is for people.',
  fields: (t) => ({
    code: t.expose('code', { type: ErrorCodeEnum, description: 'The reason, from a closed list.' }),
    message: t.exposeString('message', {
      description: 'The reason in English, for people. The wording may change.',
    }),
    path: t.stringList({
      description:
        'The part of the input that it is about: `["email", "cc", "2"]`. Empty for the input as a ' +
        'whole.',
      resolve: (refusal) => refusal.inputPath.map(String),
    }),
    retryable: t.boolean({
      description: 'Whether the same call may succeed later, unchanged.',
      resolve: (refusal) => retryable[refusal.code],
    }),
  }),
  resolveType: (refusal) => typeNames[(refusal as Refused).code],
});

/** `TICKET_NOT_FOUND` is `TicketNotFoundError`. */
const typeNames = Object.fromEntries(
  errorCodes.map((code) => [
    code,
    `${code.toLowerCase().replace(/(^|_)([a-z])/g, (_, _line, letter: string) => letter.toUpperCase())}Error`,
  ]),
) as Record<ErrorCode, string>;

const refs = Object.fromEntries(
  errorCodes.map((code) => [code, builder.objectRef<Refused>(typeNames[code])]),
) as {
  [C in ErrorCode]: ReturnType<typeof builder.objectRef<Refused<C>>>;
};

const InputProblemRef = builder
  .objectRef<Refusal<'INVALID_INPUT'>['details']['problems'][number]>('InputProblem')
  .implement({
    description: 'One problem of an input.',
    fields: (t) => ({
      path: t.stringList({
        description: 'The path within the input: `["email", "cc", "2"]` is the third address of Cc.',
        resolve: (problem) => problem.path.map(String),
      }),
      message: t.exposeString('message', { description: 'The problem in English, for people.' }),
    }),
  });

const common = (code: ErrorCode) => ({ interfaces: [UserErrorRef], description: errorMeanings[code] });
for (const code of errorCodes) {
  switch (code) {
    case 'INVALID_INPUT':
    case 'ATTACHMENT_TOO_LARGE':
    case 'EMAIL_TOO_LARGE':
    case 'TICKET_CHANGED':
    case 'DELIVERY_STATE':
    case 'RATE_LIMITED':
      break;
    default:
      refs[code].implement(common(code));
  }
}
refs.INVALID_INPUT.implement({
  ...common('INVALID_INPUT'),
  fields: (t) => ({
    problems: t.field({
      type: [InputProblemRef],
      description: 'All problems, at most 100.',
      resolve: ({ details }) => [...details.problems],
    }),
  }),
});
refs.ATTACHMENT_TOO_LARGE.implement({
  ...common('ATTACHMENT_TOO_LARGE'),
  fields: (t) => ({
    limitBytes: t.int({
      description: 'Allowed bytes, for one file or for all together: see `path`.',
      resolve: ({ details }) => details.limitBytes,
    }),
  }),
});
refs.EMAIL_TOO_LARGE.implement({
  ...common('EMAIL_TOO_LARGE'),
  fields: (t) => ({
    limitBytes: t.int({
      description: 'Maximum size in bytes of a mail from this mailbox.',
      resolve: ({ details }) => details.limitBytes,
    }),
    sizeBytes: t.int({
      description: 'Size of this e-mail in bytes, as encoded: about a third more than its files.',
      resolve: ({ details }) => details.sizeBytes,
    }),
  }),
});
refs.TICKET_CHANGED.implement({
  ...common('TICKET_CHANGED'),
  fields: (t) => ({
    unseenMessages: t.field({
      type: [MessageRef],
      description: 'The messages after `ifLastMessage` that the viewer may see, oldest first, at most 50.',
      resolve: async ({ details }, _args, ctx) => {
        const found = await Promise.all(details.unseenMessageIds.map((id) => ctx.load.message.load(id)));
        return found.filter((message) => message !== null);
      },
    }),
  }),
});
refs.DELIVERY_STATE.implement({
  ...common('DELIVERY_STATE'),
  fields: (t) => ({
    state: t.field({
      type: DeliveryStateEnum,
      description: 'Current state of the delivery.',
      resolve: ({ details }) => details.state,
    }),
  }),
});

refs.RATE_LIMITED.implement({
  ...common('RATE_LIMITED'),
  fields: (t) => ({
    retryAfterSeconds: t.int({
      description: 'Seconds until the same call may be sent again.',
      resolve: ({ details }) => details.retryAfterSeconds,
    }),
  }),
});

type ResultRef<T> = ReturnType<ReturnType<typeof builder.objectRef<T>>['implement']>;

/**
 * Creates the result union of a command: the payload's type, and one type for each code by which the command
 * may refuse (`refusedBy`). Its resolver returns what `orRefusal` or `writeOrRefusal` returns.
 * @param name the union's name in the schema
 * @param description the union's description in the schema
 */
export function resultUnion<T>(
  name: string,
  command: CommandName,
  payload: ResultRef<T>,
  description: string,
) {
  const codes = errorCodes.filter((code) => (refusedBy[code] as readonly CommandName[]).includes(command));
  return builder.unionType(name, {
    description,
    // All refusals have one shape. The union resolves their types by code.
    types: [payload, ...codes.map((code) => refs[code] as unknown as ResultRef<Refused>)],
    resolveType: (value) => (value instanceof Refused ? typeNames[value.code as ErrorCode] : payload.name),
  });
}

/**
 * Runs a command that writes, and counts it against the viewer's limit of commands, also if it is refused.
 * Over a limit, the command is not run.
 * @param ticket the ticket's own rate limit: `assertRoom` throws RateLimited when it is reached, and `wrote`
 *   counts a command that was carried out
 * @returns the command's result, or a refusal as a value for the union: RATE_LIMITED, or the command's own
 * @throws any other error
 */
export function writeOrRefusal<T>(
  ctx: GraphContext,
  command: () => Promise<T>,
  ticket?: { assertRoom(): Promise<void>; wrote(result: NoInfer<T>): Promise<void> },
): Promise<T | Refused> {
  return orRefusal(ctx, async () => {
    const { rateLimits } = ctx.services;
    try {
      if (ctx.viewer !== undefined) await rateLimits.count('write', ctx.viewer.userId);
      await ticket?.assertRoom();
    } catch (error) {
      if (!(error instanceof RateLimited)) throw error;
      const { message, retryAfterSeconds } = error;
      throw refuse<WritingCommand>(new Refusal('RATE_LIMITED', message, { retryAfterSeconds }));
    }
    // The document's mutations run one after another. Each shows what is after it, and not what earlier ones
    // have loaded, also if it is refused: because of what somebody else has changed meanwhile.
    const result = await command().finally(() => ctx.load.forget());
    await ticket?.wrote(result);
    return result;
  });
}

/**
 * Runs a command without a rate limit.
 * @returns the command's result, or its refusal as a value for the union. The refusal's code is recorded in
 *   the request's notes
 * @throws any other error
 */
export async function orRefusal<T>(ctx: GraphContext, command: () => Promise<T>): Promise<T | Refused> {
  try {
    return await command();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    noteCode(ctx.notes, error.code);
    return new Refused(error);
  }
}
