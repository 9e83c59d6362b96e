import { type DetailsOf, type ErrorCode, errorCodes, Refusal, retryable } from '../errors.ts';
import { builder } from './builder.ts';
import { ErrorCodeEnum } from './enums.ts';
import { MessageRef } from './message.ts';

/** A refusal as a value: an `Error` that a resolver returns would be thrown by graphql-js. */
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

export const UserErrorRef = builder.interfaceRef<Refused>('UserError').implement({
  description: 'A command said no. Read `code`; `message` is for people.',
  fields: (t) => ({
    code: t.expose('code', { type: ErrorCodeEnum }),
    message: t.exposeString('message'),
    path: t.stringList({
      description: 'The input path that it is about, from the input on; empty for the whole input.',
      resolve: (refusal) => refusal.inputPath.map(String),
    }),
    retryable: t.boolean({
      description: 'Whether the very same call may succeed later.',
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
    fields: (t) => ({
      path: t.stringList({ resolve: (problem) => problem.path.map(String) }),
      message: t.exposeString('message'),
    }),
  });

const common = { interfaces: [UserErrorRef] };
for (const code of errorCodes) {
  switch (code) {
    case 'INVALID_INPUT':
    case 'ATTACHMENT_TOO_LARGE':
    case 'EMAIL_TOO_LARGE':
    case 'TICKET_CHANGED':
    case 'DELIVERY_STATE':
      break;
    default:
      refs[code].implement(common);
  }
}
refs.INVALID_INPUT.implement({
  ...common,
  fields: (t) => ({
    problems: t.field({
      type: [InputProblemRef],
      description: 'Everything that is wrong, at most 100.',
      resolve: ({ details }) => [...details.problems],
    }),
  }),
});
refs.ATTACHMENT_TOO_LARGE.implement({
  ...common,
  fields: (t) => ({ limitBytes: t.int({ resolve: ({ details }) => details.limitBytes }) }),
});
refs.EMAIL_TOO_LARGE.implement({
  ...common,
  fields: (t) => ({
    limitBytes: t.int({ resolve: ({ details }) => details.limitBytes }),
    sizeBytes: t.int({ description: 'The e-mail as encoded.', resolve: ({ details }) => details.sizeBytes }),
  }),
});
refs.TICKET_CHANGED.implement({
  ...common,
  fields: (t) => ({
    unseenMessages: t.field({
      type: [MessageRef],
      description: 'The visible messages after `ifLastMessage`, the oldest first, at most 50.',
      resolve: async ({ details }, _args, ctx) => {
        const found = await Promise.all(details.unseenMessageIds.map((id) => ctx.load.message.load(id)));
        return found.filter((message) => message !== null);
      },
    }),
  }),
});
refs.DELIVERY_STATE.implement({
  ...common,
  fields: (t) => ({ state: t.string({ resolve: ({ details }) => details.state }) }),
});

/** The object type of each code that a command can refuse with, for its result union. */
/** One shape for all of them: the union tells them apart by their code. */
export const refusalTypes = (...codes: readonly ErrorCode[]) =>
  codes.map((code) => refs[code] as unknown as ReturnType<typeof builder.objectRef<Refused>>);

export const typeOfResult = (payload: string) => (value: unknown) =>
  value instanceof Refused ? typeNames[(value as Refused).code] : payload;

/** A refusal becomes the field's value; a fault stays an error. */
export async function orRefusal<T>(command: Promise<T>): Promise<T | Refused> {
  try {
    return await command;
  } catch (error) {
    if (error instanceof Refusal) return new Refused(error);
    throw error;
  }
}
