import { type Problem, Refusal } from '../platform/errors.ts';

export function invalidInput(problems: readonly Problem[]): Refusal<'INVALID_INPUT'> {
  const message =
    problems.length === 1 ? problems[0]!.message : `${problems.length} things are wrong with the input`;
  return new Refusal('INVALID_INPUT', message, { problems }, problems[0]!.path);
}
