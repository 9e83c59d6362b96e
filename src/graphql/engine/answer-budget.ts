import { type ExecutionResult, GraphQLError, type OperationTypeNode } from 'graphql';
import { bytesOfText } from '../../platform/json-pieces.ts';

/** Characters from which on it is looked at what a text is made of. */
const longText = 16_384;

/** Characters that take six bytes each as JSON; of all others three at most. */
const sixfold = /[^\t\n\f\r -\uffff]/;

const bytesOfLong = (text: string): number => (sixfold.test(text) ? bytesOfText(text) : text.length + 2);

/** Bytes from which on an answer is written in pieces. */
const longAnswer = 2 * 1024 * 1024;
const longAnswers = new WeakSet<object>();

/** Whether the data of an answer was long when it was weighed. */
export const isLong = (data: ExecutionResult['data']): boolean => data != null && longAnswers.has(data);

/**
 * What an answer may weigh, counted while it is being made: each name with its marks, each text and each
 * number. It is about what the answer takes as JSON; what is cut short is neither resolved any further nor
 * written.
 */
export class AnswerBudget {
  readonly #limit: number;
  #spent = 0;

  /** @param limit bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get isOver(): boolean {
    return this.#spent > this.#limit;
  }

  /** Remembers the data of a long answer, so that it is written in pieces. */
  noteLength(data: object | null | undefined): void {
    if (this.#spent > longAnswer && data != null) longAnswers.add(data);
  }

  /** For an answer that cannot be made within the limit, whatever there is of it. */
  exceed(): void {
    this.#spent = Infinity;
  }

  /** A name of the answer, with its quotation marks, colon and comma. */
  spendName(name: string): void {
    this.#spent += name.length + 4;
  }

  spendValue(value: unknown): void {
    if (typeof value !== 'string') this.#spent += 4;
    else this.#spent += value.length < longText || this.isOver ? value.length + 2 : bytesOfLong(value);
  }

  /** What is answered in the place of what weighs too much. */
  refusal(operation: `${OperationTypeNode}` | undefined): ExecutionResult {
    return { errors: [answerTooLarge(this.#limit, operation)], data: null };
  }
}

export function answerTooLarge(limit: number, operation: `${OperationTypeNode}` | undefined): GraphQLError {
  const done = operation === 'mutation' ? 'The command was carried out, but its' : 'The';
  return new GraphQLError(`${done} answer is larger than ${limit} bytes: ask for less at once`, {
    extensions: { code: 'ANSWER_TOO_LARGE', limitBytes: limit },
  });
}

/** Weighs an answer that is complete, as far as the limit goes. */
export function weigh(data: unknown, budget: AnswerBudget): void {
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
