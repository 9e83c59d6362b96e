import { type ExecutionResult, GraphQLError, type OperationTypeNode } from 'graphql';
import { bytesOfText } from './json-pieces.ts';

/** Texts of at least this many characters are measured instead of estimated. */
const longText = 16_384;

/** Characters that may take six bytes in JSON. All others take at most three. */
const sixfold = /[^\t\n\f\r -\uffff]/;

const bytesOfLong = (text: string): number => (sixfold.test(text) ? bytesOfText(text) : text.length + 2);

/** A response of more bytes is written in pieces. */
const longAnswer = 2 * 1024 * 1024;
const longAnswers = new WeakSet<object>();

/**
 * Whether the data of a response was found to be long while it was counted, so that it is written in pieces.
 */
export const isLong = (data: ExecutionResult['data']): boolean => data != null && longAnswers.has(data);

/**
 * Counts the size of a response while it is being made: names with their punctuation, texts and numbers. The
 * count is close to the size as JSON. Once the limit is exceeded, nothing more is resolved or written.
 */
export class ResponseBudget {
  readonly #limit: number;
  #spent = 0;

  /** @param limit bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether the limit is exceeded. */
  get isOver(): boolean {
    return this.#spent > this.#limit;
  }

  /** Remembers the data of a long response, so that it is written in pieces. */
  noteLength(data: object | null | undefined): void {
    if (this.#spent > longAnswer && data != null) longAnswers.add(data);
  }

  /** Marks the response as too large, when it is known that it cannot be made within the limit. */
  exceed(): void {
    this.#spent = Infinity;
  }

  /** Counts a response key with its quotation marks, colon and comma. */
  spendName(name: string): void {
    this.#spent += name.length + 4;
  }

  /** Counts a scalar. */
  spendValue(value: unknown): void {
    if (typeof value !== 'string') this.#spent += 4;
    else this.#spent += value.length < longText || this.isOver ? value.length + 2 : bytesOfLong(value);
  }

  /** The result that replaces a response that is too large. */
  refusal(operation: `${OperationTypeNode}` | undefined): ExecutionResult {
    return { errors: [responseTooLarge(this.#limit, operation)], data: null };
  }
}

/**
 * The error of a response that is too large.
 * @param limit bytes
 */
export function responseTooLarge(limit: number, operation: `${OperationTypeNode}` | undefined): GraphQLError {
  const done = operation === 'mutation' ? 'The command was carried out, but its' : 'The';
  return new GraphQLError(`${done} answer is larger than ${limit} bytes: ask for less at once`, {
    extensions: { code: 'ANSWER_TOO_LARGE', limitBytes: limit },
  });
}

/** Counts a complete response. Stops once the limit is exceeded. */
export function weigh(data: unknown, budget: ResponseBudget): void {
  const waiting: unknown[] = [data];
  while (waiting.length > 0 && !budget.isOver) {
    const value = waiting.pop();
    if (typeof value !== 'object' || value === null) budget.spendValue(value);
    else if (Array.isArray(value)) for (const item of value) waiting.push(item);
    else
      for (const [name, member] of Object.entries(value)) {
        budget.spendName(name);
        waiting.push(member);
      }
  }
}
