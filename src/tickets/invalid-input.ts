import { type Problem, Refusal } from '../platform/errors.ts';

/**
 * Makes the refusal INVALID_INPUT with these problems, of which there must be at least one. Its text is that
 * of the only problem, or says how many there are. Its path is that of the first one.
 */
export function invalidInput(problems: readonly Problem[]): Refusal<'INVALID_INPUT'> {
  const message =
    problems.length === 1 ? problems[0]!.message : `${problems.length} problems were found in the input`;
  return new Refusal('INVALID_INPUT', message, { problems }, problems[0]!.path);
}

/**
 * The problem of a filter whose id is malformed, or that of another type. The id of a row that is not there
 * is no problem: the filter finds nothing.
 * @param id 0: not an id; absent and null are no problem
 */
export function* filterIdProblems(
  id: number | null | undefined,
  type: 'person' | 'ticket',
  name: string,
): Iterable<Problem> {
  if (id === 0) yield { path: ['filter', name], message: `Not the id of a ${type}` };
}
