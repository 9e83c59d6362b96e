import { type ExecutionResult, GraphQLError, type OperationTypeNode } from 'graphql';
import { bytesOfText } from './json-pieces.ts';

/** In texts of at least this many characters, escapes are counted. */
const longText = 16_384;

/** Characters that may take six bytes in JSON. All others take at most three. */
const sixfold = /[^\t\n\f\r -\uffff]/;

const bytesOfLong = (text: string): number => (sixfold.test(text) ? bytesOfText(text) : text.length + 2);

/** A response of more bytes is written in pieces. */
const longAnswer = 2 * 1024 * 1024;
const longAnswers = new WeakSet<object>();

/**
 * Whether the data of a response, this object, was found to be longer than 2 MiB while it was counted (see
 * `noteLength`), so that it is written in pieces.
 */
export const isLong = (data: ExecutionResult['data']): boolean => data != null && longAnswers.has(data);

/**
 * Counts the approximate bytes of a response while it is being made: names with their punctuation, texts, and
 * 4 for each other scalar. A text counts one byte for each character, although one that is not ASCII takes up
 * to three times as many; the finished JSON is measured when it is written. The caller reads `isOver`, and
 * then resolves and writes nothing more.
 */
export class ResponseBudget {
  readonly #limit: number;
  #spent = 0;

  /** @param limit bytes that may be counted, inclusive */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether the limit is exceeded. */
  get isOver(): boolean {
    return this.#spent > this.#limit;
  }

  /** Makes `isLong` true for this data if more than 2 MiB were counted. */
  noteLength(data: object | null | undefined): void {
    if (this.#spent > longAnswer && data != null) longAnswers.add(data);
  }

  /** Makes `isOver` true from now on, when it is known that the response cannot be made within the limit. */
  exceed(): void {
    this.#spent = Infinity;
  }

  /** Counts a response key with its quotation marks, colon and comma. */
  spendName(name: string): void {
    this.#spent += name.length + 4;
  }

  /**
   * Counts a scalar: a text's characters with its quotation marks, 4 for anything else. Of a text of at least
   * 16,384 characters that has control characters, the bytes in JSON are counted.
   */
  spendValue(value: unknown): void {
    if (typeof value !== 'string') this.#spent += 4;
    else this.#spent += value.length < longText || this.isOver ? value.length + 2 : bytesOfLong(value);
  }

  /** The result that replaces a response that is too large: `responseTooLarge`, and `data: null`. */
  refusal(operation: `${OperationTypeNode}` | undefined): ExecutionResult {
    return { errors: [responseTooLarge(this.#limit, operation)], data: null };
  }
}

/**
 * The error of a response that is too large: ANSWER_TOO_LARGE with `limitBytes`. For a mutation, its text
 * says that the command was carried out.
 * @param limit bytes
 */
export function responseTooLarge(limit: number, operation: `${OperationTypeNode}` | undefined): GraphQLError {
  const done = operation === 'mutation' ? 'The command was carried out, but its' : 'The';
  return new GraphQLError(`${done} answer is larger than ${limit} bytes: ask for less at once`, {
    extensions: { code: 'ANSWER_TOO_LARGE', limitBytes: limit },
  });
}

/** Counts the data of a complete response in a budget. Stops once the limit is exceeded; throws nothing. */
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
