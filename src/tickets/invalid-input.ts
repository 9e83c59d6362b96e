import { type Problem, Refusal } from '../platform/errors.ts';

/** The refusal INVALID_INPUT with these problems, of which there is at least one. */
export function invalidInput(problems: readonly Problem[]): Refusal<'INVALID_INPUT'> {
  const message =
    problems.length === 1 ? problems[0]!.message : `${problems.length} problems were found in the input`;
  return new Refusal('INVALID_INPUT', message, { problems }, problems[0]!.path);
}
